using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Tts;

public static class TtsSiloExtensions
{
    /// <summary>
    /// Adds a step to the schema history of the text-to-speech app: the application's own versions follow Chatterbox's.
    /// </summary>
    public static ISiloBuilder AddChatterboxMigration<TMigration>(this ISiloBuilder silo)
        where TMigration : ISliceMigration, new() => silo.AddChatterboxMigration(TtsSiloApp.Instance, new TMigration());
}
