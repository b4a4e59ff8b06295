using Chatterbox.Grains.FanOut.Streams;
using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Storage;
using Orleans.Streams;

namespace Chatterbox.Grains;

public static class ChatterboxSiloExtensions
{
    // The agents wait for events (EventQueue). Only while it gets to know a new stream does one look again and again.
    private static readonly TimeSpan AgentPeriod = TimeSpan.FromMilliseconds(5);

    // What a client process has not taken in this time it will have to ask for.
    private static readonly TimeSpan LongestDelivery = TimeSpan.FromSeconds(5);

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
        return silo.AddEventStreams();
    }

    private static ISiloBuilder AddEventStreams(this ISiloBuilder silo)
    {
        silo.Services.AddSingleton<EventQueues>();
        silo.Services.AddKeyedSingleton<IGrainStorage, SubscriptionsInMemory>(SubscriptionsInMemory.Name);
        return silo.AddPersistentStreams(
            ChatterboxStreams.Provider,
            (services, name) => new EventQueueAdapter(name, services.GetRequiredService<EventQueues>()),
            streams =>
            {
                streams.ConfigureStreamPubSub(StreamPubSubType.ExplicitGrainBasedOnly);
                streams.ConfigurePartitionBalancing((services, _) => services.GetRequiredService<EventQueues>());
                streams.ConfigurePullingAgent(agent => agent.Configure(pulling =>
                    (pulling.GetQueueMsgsTimerPeriod, pulling.MaxEventDeliveryTime) = (AgentPeriod, LongestDelivery)));
            });
    }
}
