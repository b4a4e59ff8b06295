using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Chatterbox.ClusterTests.Storage;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Streams;

namespace Chatterbox.ClusterTests.Sessions;

public abstract class MigrationTests(DatabaseProvider database) : SessionSuite(database)
{
    private const int Clients = 4;

    [ContractFact(DisplayName =
        "[F4] clients under load notice nothing while their session moves between silos, and nothing is lost or done twice")]
    public async Task Moves_under_load()
    {
        var calls = new Calls();
        await using var cluster = await StartAsync(new() { Silos = 3, ConfigureSilo = calls.Watch });
        var stores = await OpenAsync(cluster);
        var before = await cluster.Session("alice").GetStatusAsync();
        var events = await ListenAsync(cluster, stores);
        using var end = new CancellationTokenSource();
        var load = stores.Select((store, client) => WriteAsync(store, client, end.Token)).ToArray();

        var hosts = new HashSet<SiloAddress>();
        for (var move = 0; move < 20; move++) hosts.Add(await MoveAsync(cluster, calls));
        await end.CancelAsync();
        var made = (await Task.WhenAll(load)).SelectMany(each => each).Order().ToArray();
        await Task.WhenAll(stores.Select(store => store.Persistence.FlushAsync())).WaitAsync(ChatterboxCluster.Patience);

        Assert.True(hosts.Count > 1);
        Assert.Equal(Clients, calls.Attached);
        Assert.Equal(0, calls.Snapshots);
        Assert.All(events, each => Assert.Equal(before.Epoch, each.Epoch));
        Assert.DoesNotContain(events, each => each.Events.Any(what => what is SessionReset));
        Assert.Equal(before.Epoch, (await cluster.Session("alice").GetStatusAsync()).Epoch);
        await AgreeAsync(cluster, stores, made);
    }

    [ContractFact(DisplayName = "[F4] [P3] a session that moves while storage fails takes along what is unsaved")]
    public async Task Moves_while_storage_fails()
    {
        var calls = new Calls();
        await using var cluster = await StartAsync(new() { Silos = 2, ConfigureSilo = calls.Watch });
        var stores = await OpenAsync(cluster);
        var epoch = (await cluster.Session("alice").GetStatusAsync()).Epoch;
        var made = new List<string>();
        DateTimeOffset? since = null;
        // The second: committed, and nobody was told.
        foreach (var fault in (Fault[])[Fault.BeforeCommit, Fault.AfterCommit])
        {
            cluster.Probe.OnWrite(_ => fault);
            for (var move = 0; move < 3; move++)
            {
                foreach (var store in stores)
                {
                    made.Add($"chunk{made.Count}");
                    await store.UpsertChunkAsync(TestData.Chunk(made[^1])).WaitAsync(ChatterboxCluster.Patience);
                }
                await MoveAsync(cluster, calls);
                var save = (await cluster.Session("alice").GetStatusAsync()).Save;
                if (fault is Fault.BeforeCommit) Assert.Equal(since ??= save.FailingSince, save.FailingSince);
            }
        }
        Assert.NotNull(since);

        cluster.Probe.Heal();
        await Task.WhenAll(stores.Select(store => store.Persistence.FlushAsync())).WaitAsync(ChatterboxCluster.Patience);

        var after = await cluster.Session("alice").GetStatusAsync();
        Assert.Equal((epoch, SaveState.Saved), (after.Epoch, after.Save.State));
        await AgreeAsync(cluster, stores, [.. made.Order()]);
    }

    [ContractFact(DisplayName =
        "[F4] a session that is saved moves without reading or writing a slice, and keeps what it knows of its clients")]
    public async Task Moves_at_rest()
    {
        var calls = new Calls();
        await using var cluster = await StartAsync(new() { Silos = 2, ConfigureSilo = calls.Watch });
        await using var store = await cluster.OpenAsync("alice");
        await store.UpsertChunkAsync(TestData.Chunk("c1")).DurablyAsync();
        var session = cluster.Session("alice");
        var attached = await session.AttachAsync(new()
        {
            Client = new("p", "raw"), Device = "d", Protocol = Protocol.Version, NextSequence = 1,
        });
        var batch = new ChangeBatch("raw", attached.State.Epoch, 0,
            [new(1, new SetChunkStatus("none", WorkStatus.Error)), new(2, new SetStreaming(true))]);
        var answer = await session.ApplyAsync(batch);
        Assert.NotNull(answer.Outcomes[0].Rejection);
        Assert.Null((await session.FlushAsync()).Failure);
        var before = await session.GetStatusAsync();
        var rows = new ConcurrentBag<string>();
        cluster.Probe.OnRead(row => Note(row));
        cluster.Probe.OnWrite(row => Note(row));

        await MoveAsync(cluster, calls);

        var after = await session.GetStatusAsync();
        Assert.Equal(before with { Save = after.Save }, after);
        Assert.Equal(answer.Outcomes.Select(outcome => outcome.Rejection),
            (await session.ApplyAsync(batch)).Outcomes.Select(outcome => outcome.Rejection));
        Assert.Null((await session.FlushAsync()).Failure);
        Assert.DoesNotContain(rows, TtsApp.Instance.Slices.Select(slice => slice.Name).Append("recovery").Contains);

        Fault Note(string row)
        {
            rows.Add(row);
            return Fault.None;
        }
    }

    [ContractFact(DisplayName = "[F4] [M1] a silo of another schema loads the session from storage instead, and nothing is lost")]
    public async Task Moves_to_another_version()
    {
        var (silos, calls) = (0, new Calls());
        await using var cluster = await StartAsync(new()
        {
            Silos = 2,
            ConfigureSilo = silo =>
            {
                calls.Watch(silo);
                if (Interlocked.Increment(ref silos) == 2) silo.AddChatterboxMigration<NextVersion>();
            },
        });
        var newer = cluster.Cluster.Silos
            .Single(silo => silo.ServiceProvider.GetRequiredService<MigrationChains>().LatestVersion == 2).SiloAddress;
        await using var store = await cluster.OpenAsync("alice");
        if (await calls.HostAsync(cluster) == newer) await MoveAsync(cluster, calls);
        await store.UpsertChunkAsync(TestData.Chunk("c1"));

        Assert.Equal(newer, await MoveAsync(cluster, calls));

        await store.UpsertChunkAsync(TestData.Chunk("c2")).DurablyAsync();
        Assert.Equal(["c1", "c2"], store.State.Chunks.Select(chunk => chunk.Id));
        Assert.Equal(2, (await cluster.Session("alice").GetStatusAsync()).PersistedVersion);
    }

    [ContractFact(DisplayName = "[F4] [P5] a silo that stops hands over the sessions in use: their clients notice nothing")]
    public async Task A_stop_hands_over()
    {
        var calls = new Calls();
        await using var cluster = await StartAsync(new() { Silos = 3, ConfigureSilo = calls.Watch });
        var stores = await OpenAsync(cluster);
        // The primary keeps the in-process cluster's membership.
        var from = await calls.HostAsync(cluster);
        while (from == cluster.Cluster.Silos[0].SiloAddress) from = await MoveAsync(cluster, calls);
        var host = cluster.Cluster.Silos.Single(silo => silo.SiloAddress == from);
        var before = await cluster.Session("alice").GetStatusAsync();
        using var end = new CancellationTokenSource();
        var load = stores.Select((store, client) => WriteAsync(store, client, end.Token)).ToArray();

        await cluster.Cluster.StopSiloAsync(host).WaitAsync(ChatterboxCluster.Patience);
        await end.CancelAsync();
        var made = (await Task.WhenAll(load)).SelectMany(each => each).Order().ToArray();
        await Task.WhenAll(stores.Select(store => store.Persistence.FlushAsync())).WaitAsync(ChatterboxCluster.Patience);

        // Events on their way may go with the silo: what is missed then is asked for, in the same epoch.
        Assert.Equal(before.Epoch, (await cluster.Session("alice").GetStatusAsync()).Epoch);
        await AgreeAsync(cluster, stores, made);
    }

    private static async Task<ChatterboxStore[]> OpenAsync(ChatterboxCluster cluster) =>
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => cluster.OpenAsync("alice", cluster.NewClient())));

    private static async Task<List<string>> WriteAsync(ChatterboxStore store, int client, CancellationToken end)
    {
        var made = new List<string>();
        for (var number = 0; !end.IsCancellationRequested; number++)
        {
            made.Add($"client{client}-{number}");
            await store.UpsertChunkAsync(TestData.Chunk(made[^1])).WaitAsync(ChatterboxCluster.Patience, CancellationToken.None);
            // Taken away and not to come back, as it would if it were added twice.
            // Most of them, so that no load, however fast, meets the limit of chunks.
            if (number % 3 != 2 && made.Count < 100) continue;
            await store.RemoveChunkAsync(made[0]).WaitAsync(ChatterboxCluster.Patience, CancellationToken.None);
            made.RemoveAt(0);
        }
        return made;
    }

    /// <summary>Moves the session to another silo, and returns which.</summary>
    private static async Task<SiloAddress> MoveAsync(ChatterboxCluster cluster, Calls calls)
    {
        var from = await calls.HostAsync(cluster);
        var others = cluster.Cluster.Silos.Select(silo => silo.SiloAddress).Where(silo => silo != from).ToArray();
        await cluster.Cluster.MigrateAsync(cluster.IdOf("alice"), others[Random.Shared.Next(others.Length)])
            .WaitAsync(ChatterboxCluster.Patience);
        var to = await calls.HostAsync(cluster);
        Assert.NotEqual(from, to);
        return to;
    }

    private static async Task<ConcurrentQueue<SessionEvents>> ListenAsync(ChatterboxCluster cluster, ChatterboxStore[] stores)
    {
        var heard = new ConcurrentQueue<SessionEvents>();
        foreach (var store in stores)
        {
            var stream = cluster.Cluster.Client.GetStreamProvider(ChatterboxStreams.Provider)
                .GetStream<SessionEvents>(ChatterboxStreams.OfProcess(store.Id.Process));
            await stream.SubscribeAsync((events, _) =>
            {
                heard.Enqueue(events);
                return Task.CompletedTask;
            });
        }
        return heard;
    }

    /// <summary>All stores show these chunks, in the same order, and so does the database alone.</summary>
    private static async Task AgreeAsync(ChatterboxCluster cluster, ChatterboxStore[] stores, string[] made)
    {
        foreach (var store in stores)
        {
            await store.ShowsAsync(state => state.Chunks.Count == made.Length);
            Assert.Equal(made, store.State.Chunks.Select(chunk => chunk.Id).Order());
            Assert.Equal(stores[0].State.Chunks, store.State.Chunks);
        }
        await cluster.DeactivateAsync("alice");
        Assert.Equal(stores[0].State.Chunks, (await cluster.OpenAsync("alice")).State.Chunks);
    }

    /// <summary>What a newer version of the application does to its chunks.</summary>
    private sealed class NextVersion : ISliceMigration
    {
        public int FromVersion => 1;

        public JsonNode Migrate(string slice, JsonNode state) => state;
    }

    /// <summary>What clients ask of the sessions: none of it while they notice nothing.</summary>
    private sealed class Calls
    {
        private int _attached;
        private int _snapshots;
        private volatile SiloAddress? _host;

        public int Attached => _attached;

        /// <summary>Beyond those that a first attach brings.</summary>
        public int Snapshots => _snapshots;

        public void Watch(ISiloBuilder silo) => silo.AddIncomingGrainCallFilter(async call =>
        {
            await call.Invoke();
            if (call.Result is AttachReply) Interlocked.Increment(ref _attached);
            if (call.Result is CatchUp { Snapshot: not null }) Interlocked.Increment(ref _snapshots);
            if (call.Result is SessionStatus) _host = call.TargetContext.Address.SiloAddress;
        });

        /// <summary>The silo that the session is on. Asked of the session: directories only hear of a move later.</summary>
        public async Task<SiloAddress> HostAsync(ChatterboxCluster cluster)
        {
            await cluster.Session("alice").GetStatusAsync();
            return _host!;
        }
    }
}
