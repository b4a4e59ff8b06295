using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Orleans.Providers.Streams.Common;
using Orleans.Streams;

namespace Chatterbox.ClusterTests.FanOut;

public sealed class FanOutTests
{
    /// <summary>Nothing is renewed and nobody asks: what arrives has been pushed.</summary>
    private static ChatterboxCluster OnlyEvents(short silos = 1) => new()
    {
        Silos = silos,
        Options = new()
        {
            Lease = TimeSpan.FromMinutes(10), WriteDelay = TimeSpan.FromMilliseconds(20),
            MaxWriteDelay = TimeSpan.FromMilliseconds(200),
        },
    };

    [Fact(DisplayName = "[F1] events of sessions on every silo reach a client process over its one stream")]
    public async Task Events_cross_silos()
    {
        await using var cluster = await ChatterboxCluster.StartAsync(OnlyEvents(silos: 3));
        await using var reading = new StillClient(cluster.Cluster.Client);
        var writing = cluster.NewClient();
        var users = Enumerable.Range(0, 12).Select(number => $"user{number}").ToArray();
        var readers = await Task.WhenAll(users.Select(user => cluster.OpenAsync(user, reading.Client)));
        var writers = await Task.WhenAll(users.Select(user => cluster.OpenAsync(user, writing)));
        var hosts = await Task.WhenAll(users.Select(user => HostAsync(cluster, user)));
        Assert.True(hosts.Distinct().Count() > 1, "All sessions are on one silo.");

        foreach (var writer in writers) await writer.UpdateParametersAsync(parameters => parameters with { Seed = 7 });

        foreach (var reader in readers) await reader.ShowsAsync(state => state.Preferences.Parameters.Seed == 7);
        Assert.Equal(1, await reading.Client.CountSubscriptionsAsync());
    }

    [Fact(DisplayName = "[F1] whichever silo dies, clients end up with every change, and get events again")]
    public async Task A_silo_dies()
    {
        await using var cluster = await ChatterboxCluster.StartAsync(OnlyEvents(silos: 3));
        await using var reading = new StillClient(cluster.Cluster.Client);
        var writing = cluster.NewClient();
        var users = Enumerable.Range(0, 8).Select(number => $"user{number}").ToArray();
        var readers = await Task.WhenAll(users.Select(user => cluster.OpenAsync(user, reading.Client)));
        var writers = await Task.WhenAll(users.Select(user => cluster.OpenAsync(user, writing)));
        var seed = 0;

        // Between them these host every session, queue and subscription.
        foreach (var silo in cluster.Cluster.Silos.ToArray())
        {
            await cluster.Cluster.StartAdditionalSiloAsync();
            await cluster.Cluster.KillSiloAsync(silo);
            seed++;
            foreach (var writer in writers) await SetAsync(writer, seed).WaitAsync(ChatterboxCluster.Patience);
            await Task.WhenAll(
                readers.Select(reader => reading.BeatUntilAsync(reader, state => state.Preferences.Parameters.Seed == seed)));
        }

        // It may take the cluster a few looks to see where everybody is. Then events come without anyone asking.
        await reading.BeatUntilPushedAsync(async () =>
        {
            seed++;
            foreach (var writer in writers) await SetAsync(writer, seed).WaitAsync(ChatterboxCluster.Patience);
            return readers.Select(reader => ArrivesAsync(reader, seed));
        });
        foreach (var (reader, writer) in readers.Zip(writers)) Assert.Equal(writer.State.Preferences, reader.State.Preferences);
    }

    [Fact(DisplayName = "[F2] processes that block or are not there hold up nobody else")]
    public async Task Slow_and_absent_processes()
    {
        await using var cluster = await ChatterboxCluster.StartAsync(OnlyEvents());
        // Another connection than that of the blocked ones: a process takes one event at a time.
        await using var reading = new StillClient(cluster.Cluster.Silos[0].ServiceProvider.GetRequiredService<IClusterClient>());
        var reader = await cluster.OpenAsync("alice", reading.Client);
        var writer = await cluster.OpenAsync("alice", reading.Client);
        var never = new TaskCompletionSource();
        var blocked = 0;
        // Many, so that some share the reader's queue.
        for (var number = 0; number < 40; number++)
        {
            var process = $"process{number}";
            if (number % 2 == 0)
            {
                await StreamOf(cluster, process).SubscribeAsync((_, _) =>
                {
                    Interlocked.Increment(ref blocked);
                    return never.Task;
                });
            }
            var reply = await cluster.Session("alice").AttachAsync(
                new() { Client = new(process, $"c{number}"), Device = "d", Protocol = Protocol.Version, NextSequence = 1 });
            Assert.Null(reply.Refused);
        }

        for (var seed = 1; seed <= 20; seed++)
        {
            await SetAsync(writer, seed);
            await reader.ShowsAsync(state => state.Preferences.Parameters.Seed == seed);
        }

        Assert.True(blocked > 0);
        never.SetResult();
    }

    [Fact(DisplayName = "[F2] a full queue fails no change, and clients catch up")]
    public async Task A_full_queue()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var writer = await cluster.OpenAsync("alice");
        var reader = await cluster.OpenAsync("alice");
        await CommandAsync(cluster, PersistentStreamProviderCommand.StopAgents).WaitAsync(TimeSpan.FromSeconds(15));
        var ids = Enumerable.Range(0, TtsLimits.ChunkIdsPerItem).Select(number => $"chunk{number:D100}").ToValueList();

        // 1.2 MB each: more than a queue holds.
        for (var number = 0; number < 20; number++)
        {
            await writer.UpsertWorkSessionAsync(new() { Id = "w", Name = $"name{number}", ChunkIds = ids })
                .WaitAsync(ChatterboxCluster.Patience);
        }
        await CommandAsync(cluster, PersistentStreamProviderCommand.StartAgents);

        await reader.ShowsAsync(state => state.WorkSessions.Find("w")?.Name == "name19");
    }

    [Fact(DisplayName = "[F1] a client process that says good-bye leaves no subscription behind")]
    public async Task Subscriptions_do_not_pile_up()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        for (var number = 0; number < 3; number++)
        {
            var client = cluster.NewClient();
            await cluster.OpenAsync("alice", client);
            await cluster.OpenAsync("bob", client);
            Assert.Equal(1, await client.CountSubscriptionsAsync());

            await client.DisposeAsync();

            Assert.Empty(await StreamOf(cluster, client.Process).GetAllSubscriptionHandles());
        }
    }

    private static Task<ChangeReceipt> SetAsync(ChatterboxStore store, int seed) =>
        store.UpdateParametersAsync(parameters => parameters with { Seed = seed });

    private static Task ArrivesAsync(ChatterboxStore store, int seed)
    {
        var arrived = new TaskCompletionSource();
        store.Subscribe(state => state.Preferences.Parameters.Seed, (now, _) => { if (now == seed) arrived.TrySetResult(); });
        if (store.State.Preferences.Parameters.Seed == seed) arrived.TrySetResult();
        return arrived.Task;
    }

    private static IAsyncStream<SessionEvents> StreamOf(ChatterboxCluster cluster, string process) =>
        cluster.Cluster.Client.GetStreamProvider(ChatterboxStreams.Provider)
            .GetStream<SessionEvents>(ChatterboxStreams.OfProcess(process));

    private static async Task<SiloAddress> HostAsync(ChatterboxCluster cluster, string user) =>
        (await cluster.Cluster.Client.GetGrain<IManagementGrain>(0).GetActivationAddress(cluster.Session(user)))!;

    private static Task<object?[]> CommandAsync(ChatterboxCluster cluster, PersistentStreamProviderCommand command) =>
        cluster.Cluster.Client.GetGrain<IManagementGrain>(0)
            .SendControlCommandToProvider<PersistentStreamProvider>(ChatterboxStreams.Provider, (int)command, null);

    /// <summary>A client process whose clock stands still: it never asks by itself.</summary>
    private sealed class StillClient : IAsyncDisposable
    {
        private static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);

        private readonly FakeTimeProvider _clock = new();

        public StillClient(IClusterClient cluster) => Client = new(cluster,
            new() { Heartbeat = Beat, CallTimeout = TimeSpan.FromHours(1), CloseTimeout = TimeSpan.FromHours(1) }, _clock,
            cluster.ServiceProvider.GetRequiredService<ILogger<ChatterboxClient>>());

        public ChatterboxClient Client { get; }

        /// <summary>
        /// Lets the time pass in which the process looks where it stands, until the store shows what is expected.
        /// </summary>
        public async Task BeatUntilAsync(ChatterboxStore store, Func<AppState, bool> expected)
        {
            var shows = store.ShowsAsync(expected);
            while (await Task.WhenAny(shows, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System)) != shows)
            {
                _clock.Advance(Beat);
            }
            await shows;
        }

        /// <summary>Lets time pass between attempts, but not during one, until one has all arrive.</summary>
        public async Task BeatUntilPushedAsync(Func<Task<IEnumerable<Task>>> attempt)
        {
            for (var attempts = 0; attempts < 10; attempts++)
            {
                var arrive = Task.WhenAll(await attempt());
                if (await Task.WhenAny(arrive, Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System)) == arrive) return;
                _clock.Advance(Beat);
                while (await Task.WhenAny(arrive, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System)) != arrive)
                {
                    _clock.Advance(Beat);
                }
            }
            Assert.Fail("Changes arrive only where clients ask for them.");
        }

        public ValueTask DisposeAsync() => Client.DisposeAsync();
    }
}
