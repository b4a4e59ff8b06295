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
        foreach (var preset in (PersistConfig[])[PersistConfig.AppState, PersistConfig.Minimal, PersistConfig.SessionOnly, PersistConfig.Recovery])
        {
            silo.Services.AddSingleton(preset);
        }
        silo.Services.AddSingleton<PersistConfigs>();
        silo.Services.AddSingleton<ISliceMigration, DefaultEngineAndParameters>();
        silo.Services.AddSingleton<MigrationChain>();
        return silo
            .AddStartupTask((services, _) =>
            {
                // Made here, so that a wrong registration stops the start and not the first session.
                services.GetRequiredService<PersistConfigs>();
                services.GetRequiredService<MigrationChain>();
                return Task.CompletedTask;
            })
            .AddMemoryGrainStorage("PubSubStore")
            .AddMemoryStreams(ChatterboxStreams.Provider, streams => streams.ConfigurePullingAgent(agent =>
                agent.Configure(pulling => pulling.GetQueueMsgsTimerPeriod = StreamPollPeriod)));
    }

    /// <summary>Serves another store, made from a preset: <c>PersistConfig.Minimal with { Name = "my-store" }</c>.</summary>
    public static ISiloBuilder AddChatterboxStore(this ISiloBuilder silo, PersistConfig config)
    {
        silo.Services.AddSingleton(config);
        return silo;
    }

    /// <summary>Adds a step to the schema's history: the application's own versions follow Chatterbox's.</summary>
    public static ISiloBuilder AddChatterboxMigration<TMigration>(this ISiloBuilder silo) where TMigration : class, ISliceMigration
    {
        silo.Services.AddSingleton<ISliceMigration, TMigration>();
        return silo;
    }
}
