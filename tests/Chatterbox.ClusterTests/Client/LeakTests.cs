using System.Collections.Concurrent;
using System.Diagnostics;
using Chatterbox.Client.Listeners;
using Chatterbox.ClusterTests.Audio;
using Xunit.Abstractions;

namespace Chatterbox.ClusterTests.Client;

public sealed class LeakTests(ITestOutputHelper output)
{
    private const int Cycles = 10_000;
    private const int Lanes = 16;
    private const int Users = 32;

    [Fact(DisplayName =
        "[C1] 10,000 stores opened and closed leave nothing behind: no store, subscription, timer, thread or lease")]
    public async Task Nothing_is_left()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var client = cluster.NewClient();
        var stores = new ConcurrentBag<WeakReference>();
        await CycleAsync(client, 0, stores);
        var timers = Timer.ActiveCount;
        var clock = Stopwatch.StartNew();

        var next = 0;
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => Task.Run(async () =>
        {
            for (int number; (number = Interlocked.Increment(ref next)) <= Cycles;) await CycleAsync(client, number, stores);
        }))).WaitAsync(TimeSpan.FromMinutes(2));
        output.WriteLine($"{Cycles} stores opened and closed in {clock.Elapsed.TotalSeconds:N1} s.");

        Assert.Equal(0, client.OpenStores);
        Assert.Equal(1, await client.CountSubscriptionsAsync());
        for (var user = 0; user < Users; user++) Assert.Empty((await cluster.Session($"user{user}").GetStatusAsync()).Clients);
        Assert.InRange(ListenerThreads.Count, 0, 32);
        // Of the whole process, in which other tests have theirs for a while.
        await AudioCluster.UntilAsync(() => Timer.ActiveCount <= timers + 50);
        await client.DisposeAsync();
        using var patience = new CancellationTokenSource(ChatterboxCluster.Patience);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (stores.Count(store => store.IsAlive) is > 0 and var alive)
        {
            Assert.False(patience.IsCancellationRequested, $"{alive} of {stores.Count} closed stores are still in memory.");
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await tick.WaitForNextTickAsync();
        }
        Assert.Empty(await cluster.Cluster.Client.GetStreamProvider(ChatterboxStreams.Provider)
            .GetStream<SessionEvents>(ChatterboxStreams.OfProcess(client.Process)).GetAllSubscriptionHandles());
    }

    private static async Task CycleAsync(ChatterboxClient client, int number, ConcurrentBag<WeakReference> stores)
    {
        var store = client.Open(new SessionId($"user{number % Users}"));
        stores.Add(new WeakReference(store));
        // Some do not stay for the answer, some leave their listeners behind, some change something.
        if (number % 5 > 0) await store.Hydrated;
        store.Chunks().Subscribe((_, _) => { });
        store.Persistence.StatusChanged += () => { };
        store.ChangeRejected += _ => { };
        if (number % 50 == 1) await store.SetStreamingAsync(number % 100 == 1);
        await store.DisposeAsync();
    }
}
