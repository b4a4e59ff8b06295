using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Cluster;
using Chatterbox.Grains.FanOut.Streams;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Storage;
using Orleans.Streams;

namespace Chatterbox.Grains;

public static class ChatterboxSiloExtensions
{
    // The agents wait for events (EventQueue). An agent polls only while it registers a new stream.
    private static readonly TimeSpan AgentPeriod = TimeSpan.FromMilliseconds(5);

    // A client process must request events that it has not taken within this time.
    private static readonly TimeSpan LongestDelivery = TimeSpan.FromSeconds(5);

    // A delivery's answer may be lost with another silo. Until it counts as lost, its process gets no more events and a stopping
    // silo's agents wait for it. Longer than calls between silos take.
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(10);

    // Starts before and stops after the sessions: a stopping silo has saved and handed over its sessions before it waits for a
    // client.
    private const int AgentStage = ServiceLifecycleStage.BecomeActive - 100;

    /// <summary>
    /// Adds the session and audio grains and the streams to their clients. The host adds a grain storage named
    /// <see cref="ChatterboxStorage.Name"/>.
    /// </summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static ISiloBuilder AddChatterboxGrains(this ISiloBuilder silo, ChatterboxOptions? options = null)
    {
        silo.Services.AddChatterboxSchema(options ?? new ChatterboxOptions());
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.AddHostedService<AudioSweeper>();
        silo.Services.AddSingleton<DrainReport>().AddSingleton<SessionTotals>().AddSingleton<SiloAgents>();
        silo.Services.AddSingleton<StaleCopies>();
        silo.Services.AddHostedService(services => services.GetRequiredService<StaleCopies>());
        return silo
            .AddGrainService<SiloAgent>()
            .AddStartupTask((services, _) =>
            {
                // Created here, so that an invalid registration fails the start, not the first session.
                services.GetRequiredService<PersistConfigs>();
                services.GetRequiredService<MigrationChains>();
                ChatterboxInstruments.Export();
                return Task.CompletedTask;
            })
            .AddEventStreams();
    }

    /// <summary>
    /// Adds the stores and the schema's history, with which stored sessions are read: in a silo, or, with an
    /// <see cref="IStoredRows"/> from the host, in a program that only checks whether they would load
    /// (<see cref="SessionInspector"/>).
    /// </summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static IServiceCollection AddChatterboxSchema(this IServiceCollection services, ChatterboxOptions options)
    {
        if (options.Problems is { Count: > 0 } problems) throw new ArgumentException(string.Join(" ", problems), nameof(options));
        services.AddSingleton(Options.Create(options));
        foreach (var app in BuiltInApps.All) services.AddSingleton(app);
        foreach (var preset in BuiltInApps.Stores) services.AddSingleton(preset);
        return services
            .AddSingleton<PersistConfigs>()
            .AddSingleton(services => new MigrationChains(services.GetRequiredService<PersistConfigs>(),
                services.GetServices<AddedMigration>()))
            .AddSingleton<SessionInspector>();
    }

    private static ISiloBuilder AddEventStreams(this ISiloBuilder silo)
    {
        silo.Services.AddSingleton<EventQueues>();
        silo.Services.AddKeyedSingleton<IGrainStorage, SubscriptionsInMemory>(SubscriptionsInMemory.Name);
        silo.Configure<SiloMessagingOptions>(messaging => messaging.ResponseTimeout = LongestAnswer);
        return silo.AddPersistentStreams(
            ChatterboxStreams.Provider,
            (services, name) => new EventQueueAdapter(name, services.GetRequiredService<EventQueues>()),
            streams =>
            {
                streams.ConfigureStreamPubSub(StreamPubSubType.ExplicitGrainBasedOnly);
                streams.ConfigureLifecycle(lifecycle => lifecycle.Configure(stages => stages.StartStage = AgentStage));
                streams.ConfigurePartitionBalancing((services, _) => services.GetRequiredService<EventQueues>());
                streams.ConfigurePullingAgent(agent => agent.Configure(pulling =>
                    (pulling.GetQueueMsgsTimerPeriod, pulling.MaxEventDeliveryTime) = (AgentPeriod, LongestDelivery)));
            });
    }

    /// <summary>Adds another store, based on a preset: <c>PersistConfig.Minimal with { Name = "my-store" }</c>.</summary>
    public static ISiloBuilder AddChatterboxStore(this ISiloBuilder silo, PersistConfig config)
    {
        silo.Services.AddSingleton(config);
        return silo;
    }

    /// <summary>
    /// Adds an app whose stores are named by the configuration alone: <c>Chatterbox__Session__Stores__NAME__App</c>. A store that
    /// code adds brings its app with it.
    /// </summary>
    public static ISiloBuilder AddChatterboxApp(this ISiloBuilder silo, SiloApp app)
    {
        silo.Services.AddSingleton(app);
        return silo;
    }

    /// <summary>Adds a step to an app's schema history: the application's own versions follow the app's.</summary>
    /// <param name="store">The store whose sessions it migrates; null is every store of the app.</param>
    public static ISiloBuilder AddChatterboxMigration(this ISiloBuilder silo, SiloApp app, ISliceMigration step,
        string? store = null)
    {
        silo.Services.AddSingleton(new AddedMigration(app.Name, store, step));
        return silo;
    }
}
