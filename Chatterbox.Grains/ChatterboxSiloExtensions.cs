using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Chatterbox.Grains;

public static class ChatterboxSiloExtensions
{
    // Memory streams look for new events this often. Short enough to feel instant, long enough to leave an idle silo idle.
    private static readonly TimeSpan StreamPollPeriod = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// Adds the session and audio grains and the streams to their clients. The host adds a grain storage named
    /// <see cref="ChatterboxStorage.Name"/>.
    /// </summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static ISiloBuilder AddChatterboxGrains(this ISiloBuilder silo, ChatterboxOptions? options = null)
    {
        options ??= new ChatterboxOptions();
        if (options.Problems is { Count: > 0 } problems) throw new ArgumentException(string.Join(" ", problems), nameof(options));

        silo.Services.AddSingleton(Options.Create(options));
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.AddSingleton(PersistConfig.AppState);
        silo.Services.AddSingleton<PersistConfigs>();
        silo.Services.AddSingleton<ISliceMigration, DefaultEngineAndParameters>();
        silo.Services.AddSingleton<MigrationChain>();
        return silo
            .AddMemoryGrainStorage("PubSubStore")
            .AddMemoryStreams(ChatterboxStreams.Provider, streams => streams.ConfigurePullingAgent(agent =>
                agent.Configure(pulling => pulling.GetQueueMsgsTimerPeriod = StreamPollPeriod)));
    }
}
