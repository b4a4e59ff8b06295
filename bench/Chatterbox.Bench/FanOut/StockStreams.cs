using Chatterbox.Grains.FanOut.Streams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Streams;

namespace Chatterbox.Bench.FanOut;

/// <summary>The baseline: the same silo with Orleans' memory streams between its sessions and their clients.</summary>
internal static class StockStreams
{
    /// <summary>Replaces the silo's own streams, under their name.</summary>
    public static ISiloBuilder UseStockStreams(this ISiloBuilder silo, TimeSpan poll)
    {
        // The last registration wins; it forwards the sessions' events.
        silo.Services.AddHostedService<Relay>();
        return silo.AddMemoryStreams(ChatterboxStreams.Provider, streams =>
        {
            streams.ConfigurePullingAgent(agent => agent.Configure(options => options.GetQueueMsgsTimerPeriod = poll));
            streams.UseConsistentRingQueueBalancer();
        });
    }

    private sealed class Relay(EventQueues queues, IServiceProvider services) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
            Task.WhenAll(queues.GetAllQueues().Select(id => RunAsync(queues.Of(id), stoppingToken)));

        private async Task RunAsync(EventQueue queue, CancellationToken end)
        {
            await Task.Yield();
            var streams = services.GetRequiredKeyedService<IStreamProvider>(ChatterboxStreams.Provider);
            while (!end.IsCancellationRequested)
            {
                foreach (var batch in (await queue.GetQueueMessagesAsync(1024, end)).Cast<EventBatch>())
                {
                    foreach (var events in batch.Events)
                        _ = streams.GetStream<SessionEvents>(batch.StreamId).OnNextAsync(events);
                }
            }
        }
    }
}
