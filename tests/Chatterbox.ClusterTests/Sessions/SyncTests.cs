using Chatterbox.ClusterTests.Storage;
using Chatterbox.Silo.Storage;

namespace Chatterbox.ClusterTests.Sessions;

public abstract class SyncTests(DatabaseProvider database) : SessionSuite(database)
{
    [ContractFact(DisplayName = "[F2] what one client changes the other sees, and the first sees it at once")]
    public async Task Two_clients()
    {
        await using var cluster = await StartAsync();
        await using var first = await cluster.OpenAsync("alice");
        await using var second = await cluster.OpenAsync("alice");

        var change = first.UpdateParametersAsync(p => p with { Temperature = 0.9 });
        Assert.Equal(0.9, first.State.Preferences.Parameters.Temperature);
        await change;

        await second.ShowsAsync(state => state.Preferences.Parameters.Temperature == 0.9);
    }

    [ContractFact(DisplayName = "[C2] edits of two clients to different parameters merge")]
    public async Task Edits_merge()
    {
        await using var cluster = await StartAsync();
        await using var first = await cluster.OpenAsync("alice");
        await using var second = await cluster.OpenAsync("alice");

        await Task.WhenAll(
            first.UpdateParametersAsync(p => p with { Temperature = 0.9 }),
            second.UpdateParametersAsync(p => p with { CfgWeight = 0.3 }));

        foreach (var store in (ChatterboxStore[])[first, second])
        {
            await store.ShowsAsync(state => state.Preferences.Parameters is { Temperature: 0.9, CfgWeight: 0.3 });
        }
    }

    [ContractFact(DisplayName = "[S3] a value out of range is refused with field, value and range, and nothing else is touched")]
    public async Task Out_of_range()
    {
        await using var cluster = await StartAsync();
        await using var store = await cluster.OpenAsync("alice");
        var session = cluster.Session("alice");
        var status = await session.GetStatusAsync();
        await session.AttachAsync(new() { Client = new("p", "c"), Device = "d", Protocol = Protocol.Version, NextSequence = 1 });

        var reply = await session.ApplyAsync(new("c", status.Epoch, 0,
        [
            new(1, new SetStreaming(true)),
            new(2, new UpdateParameters(TtsEngine.Chatterbox, new() { Temperature = 9 })),
            new(3, new RemoveChunk("nobody")),
            new(4, new UpdateParameters(TtsEngine.Chatterbox, new() { Seed = 7 })),
        ]));

        Assert.Equal([null, "temperature", "chunk.id", null], reply.Outcomes.Select(outcome => outcome.Rejection?.Field));
        Assert.Contains("9", reply.Outcomes[1].Rejection!.Message, StringComparison.Ordinal);
        Assert.Contains("0.05 to 5", reply.Outcomes[1].Rejection!.Message, StringComparison.Ordinal);
        Assert.Equal(status.Revision + 2, reply.Outcomes[3].Revision);
        await store.ShowsAsync(state => state.Preferences is { UseStreaming: true, Parameters: { Seed: 7, Temperature: 0.8 } });
        await Assert.ThrowsAsync<ChangeRejectedException>(() =>
            store.UpdateParametersAsync(p => p with { Temperature = double.NaN }));
    }

    [ContractFact(DisplayName = "[C3] what a live client did just before the silo died is not lost and not done twice")]
    public async Task A_live_client_loses_nothing()
    {
        await using var cluster = await StartAsync(new()
        {
            // Nothing is saved by itself before the crash.
            Options = new() { WriteDelay = TimeSpan.FromMinutes(1), MaxWriteDelay = TimeSpan.FromMinutes(1) },
        });
        var client = cluster.NewClient();
        await using var store = await cluster.OpenAsync("alice", client);
        await store.UpsertChunkAsync(TestData.Chunk("stored"));
        await store.Persistence.FlushAsync();
        var receipt = await store.UpsertChunkAsync(TestData.Chunk("applied"));
        await store.RemoveChunkAsync("stored");
        await store.UpsertChunkAsync(TestData.Chunk("stored"));
        var before = store.Revision;
        Assert.False(receipt.Durable.IsCompleted);

        await cluster.CrashAsync();
        await store.UpsertChunkAsync(TestData.Chunk("after")).WaitAsync(ChatterboxCluster.Patience);
        await store.Persistence.FlushAsync();

        await receipt.Durable.WaitAsync(ChatterboxCluster.Patience);
        Assert.Equal(["applied", "stored", "after"], store.State.Chunks.Select(chunk => chunk.Id));
        Assert.True(store.Revision >= before);
        Assert.Equal(["applied", "stored", "after"], (await cluster.OpenAsync("alice")).State.Chunks.Select(chunk => chunk.Id));
    }

    [ContractFact(DisplayName = "[P8] a change that is sent again after it was stored is not applied again")]
    public async Task Redelivery_is_skipped()
    {
        await using var cluster = await StartAsync();
        var session = cluster.Session("alice");
        var attach = new AttachRequest { Client = new("p", "c"), Device = "d", Protocol = Protocol.Version, NextSequence = 1 };
        var epoch = (await session.AttachAsync(attach)).State.Epoch;
        ChangeBatch Batch(long epoch) =>
            new("c", epoch, 0, [new(1, new UpsertChunk(TestData.Chunk("c1"))), new(2, new RemoveChunk("c1"))]);
        await session.ApplyAsync(Batch(epoch));
        var twice = await session.ApplyAsync(Batch(epoch));
        Assert.All(twice.Outcomes, outcome => Assert.Null(outcome.Rejection));
        await session.FlushAsync();
        await cluster.DeactivateAsync("alice");

        var late = await session.ApplyAsync(Batch(epoch));
        Assert.Equal(ApplyResult.OtherEpoch, late.Result);
        epoch = (await session.AttachAsync(attach)).State.Epoch;
        var again = await session.ApplyAsync(Batch(epoch));

        Assert.All(again.Outcomes, outcome => Assert.Null(outcome.Rejection));
        Assert.Equal(0, (await session.GetStatusAsync()).Changes);
    }

    [ContractFact(DisplayName = "[C4] changes made before hydration go on top of what is stored")]
    public async Task Changes_before_hydration()
    {
        await using var cluster = await StartAsync();
        await using (var before = await cluster.OpenAsync("alice"))
        {
            await before.UpsertChunkAsync(TestData.Chunk("stored")).DurablyAsync();
        }
        await cluster.DeactivateAsync("alice");

        await using var store = cluster.NewClient().Open(new SessionId("alice"));
        var change = store.UpdateParametersAsync(p => p with { Seed = 3 });
        await change.DurablyAsync();

        Assert.Equal(3, store.State.Preferences.Parameters.Seed);
        Assert.Equal(["stored"], store.State.Chunks.Select(chunk => chunk.Id));
    }

    [ContractFact(DisplayName = "[F3] a client that missed events catches up by itself")]
    public async Task A_client_that_missed_events_catches_up()
    {
        await using var cluster = await StartAsync(new() { Options = new() { RecentChanges = 2 } });
        await using var watcher = await cluster.OpenAsync("alice");
        await using var writer = await cluster.OpenAsync("alice");
        for (var round = 0; round < 5; round++)
        {
            watcher.DropEvents = true;
            for (var number = 0; number < 3 * round; number++)
            {
                await writer.UpsertChunkAsync(TestData.Chunk($"r{round}n{number}"));
            }
            watcher.DropEvents = false;
            await writer.SetStreamingAsync(round % 2 == 0);
            await watcher.ShowsAsync(state => state == writer.State);
        }
    }

    [ContractFact(DisplayName = "[C1] a subscriber that throws, blocks or leaves harms nobody else")]
    public async Task Subscribers_are_on_their_own()
    {
        await using var cluster = await StartAsync();
        await using var store = await cluster.OpenAsync("alice");
        using var blocked = new ManualResetEventSlim();
        var seen = new List<bool>();
        var done = new TaskCompletionSource();
        IDisposable? leaving = null;
        using var throwing =
            store.Subscribe(state => state.Preferences.UseStreaming, (_, _) => throw new InvalidOperationException());
        using var blocking = store.Subscribe(state => state.Preferences.UseStreaming, (_, _) => blocked.Wait());
        leaving = store.Subscribe(state => state.Preferences.UseStreaming, (_, _) => leaving!.Dispose());
        using var listening = store.Subscribe(state => state.Preferences.UseStreaming, (now, _) =>
        {
            seen.Add(now);
            if (seen.Count == 3) done.SetResult();
        });

        foreach (var value in (bool[])[true, false, true]) await store.SetStreamingAsync(value);
        await done.Task.WaitAsync(ChatterboxCluster.Patience);
        blocked.Set();

        Assert.Equal([true, false, true], seen);
    }

    [ContractFact(DisplayName =
        "[F5] clients see who else is attached, and a client that goes away without a word loses its lease")]
    public async Task Presence()
    {
        await using var cluster = await StartAsync(new() { Options = new() { Lease = TimeSpan.FromSeconds(1) } });
        await using var store =
            await cluster.OpenAsync("alice", cluster.NewClient(options => options.Heartbeat = TimeSpan.FromMilliseconds(200)));
        await cluster.Session("alice").AttachAsync(
            new() { Client = new("p", "silent"), Device = "telephone", Protocol = Protocol.Version, NextSequence = 1 });
        Assert.Equal(2, (await store.Persistence.GetStatusAsync()).Clients.Count);

        foreach (var expected in (int[])[2, 1])
        {
            var seen = new TaskCompletionSource();
            store.Persistence.StatusChanged += () => { if (store.Clients.Count == expected) seen.TrySetResult(); };
            if (store.Clients.Count == expected) seen.TrySetResult();
            await seen.Task.WaitAsync(ChatterboxCluster.Patience);
        }

        Assert.Equal(store.Clients.Single().Client, (await store.Persistence.GetStatusAsync()).Clients.Single().Client);
    }

    [ContractFact(DisplayName = "[C5] a client too old or too new for the silo is told so")]
    public async Task Protocol_versions()
    {
        await using var cluster = await StartAsync();
        var session = cluster.Session("alice");
        foreach (var (version, word) in ((int, string)[])[(Protocol.OldestSupported - 1, "too old"),
            (Protocol.Version + 2, "too new")])
        {
            var reply =
                await session.AttachAsync(new() { Client = new("p", "c"), Device = "d", Protocol = version, NextSequence = 1 });
            Assert.Contains(word, reply.Refused!.Message, StringComparison.Ordinal);
        }
    }

    [ContractFact(DisplayName = "[C5] a store that is not registered is refused with the names of those that are")]
    public async Task Unknown_store()
    {
        await using var cluster = await StartAsync();
        var refused = await Assert.ThrowsAsync<SessionRefusedException>(
            () => cluster.NewClient().OpenAsync(new SessionId("alice", "no-such-store")).WaitAsync(ChatterboxCluster.Patience));
        Assert.Contains("app-state", refused.Message, StringComparison.Ordinal);
    }
}
