namespace Chatterbox.Grains;

public static class ChatterboxSiloExtensions
{
    /// <summary>Adds the session and audio grains. The host adds a grain storage named <see cref="ChatterboxStorage.Name"/>.</summary>
    public static ISiloBuilder AddChatterboxGrains(this ISiloBuilder silo) => silo;
}
