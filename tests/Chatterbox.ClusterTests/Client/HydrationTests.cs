
namespace Chatterbox.ClusterTests.Client;

public sealed class HydrationTests
{
    private static readonly SessionId Alice = new("alice");

    [Fact(DisplayName =
        "[C1] [C4] a hydration begins, brings what is stored under what was changed meanwhile, and is over: in this order")]
    public async Task The_order()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        await using (var before = await cluster.OpenAsync("alice"))
        {
            await before.UpsertChunkAsync(TestData.Chunk("stored")).DurablyAsync();
        }
        var steps = new List<string>();
        var (begun, over) = (new TaskCompletionSource<AppState>(), new TaskCompletionSource<AppState>());
        var watching = Task.CompletedTask;

        var store = cluster.NewClient().Open(Alice, new()
        {
            Configure = store =>
            {
                Assert.False(store.HasHydrated);
                watching = WatchAsync((ChatterboxStore)store, steps);
                ((ChatterboxStore)store).Persistence.OnHydrate(begun.SetResult);
                ((ChatterboxStore)store).Persistence.OnFinishHydration(state =>
                {
                    Assert.True(store.HasHydrated);
                    over.SetResult(state);
                });
            },
        });
        var change = store.UpdateParametersAsync(TtsEngine.Chatterbox, new() { Seed = 3 });
        Assert.Equal(3, store.State.Preferences.Parameters.Seed);
        var hydrated = await over.Task.WaitAsync(ChatterboxCluster.Patience);
        await change.DurablyAsync();
        await store.DisposeAsync();
        await watching.WaitAsync(ChatterboxCluster.Patience);

        Assert.Equal(AppState.Initial, await begun.Task);
        Assert.Equal((1, 3L), (hydrated.Chunks.Count, hydrated.Preferences.Parameters.Seed));
        Assert.Equal(
        [
            "Changed: 0 chunks, seed 0",
            "HydrationBegun: 0 chunks, seed 0",
            "Changed: 0 chunks, seed 3",
            "Changed: 1 chunks, seed 3",
            "Hydrated: 1 chunks, seed 3",
        ], steps.Take(5));
        Assert.All(steps.Skip(5), step => Assert.Equal("Changed: 1 chunks, seed 3", step));
    }

    [Fact(DisplayName = "[C1] while it rehydrates a store has not hydrated, shows what it had, and takes changes")]
    public async Task Rehydrating()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        await using var store = await cluster.OpenAsync("alice");
        await store.UpsertChunkAsync(TestData.Chunk("c1"));
        var finished = 0;
        using var counting = ((ChatterboxStore)store).Persistence.OnFinishHydration(_ => Interlocked.Increment(ref finished));
        var (read, release) = Hold(cluster);

        var rehydrating = store.Persistence.RehydrateAsync();
        await read.WaitAsync(ChatterboxCluster.Patience);
        Assert.False(store.HasHydrated);
        Assert.True(store.Hydrated.IsCompletedSuccessfully);
        Assert.Single(store.State.Chunks);
        var change = store.UpsertChunkAsync(TestData.Chunk("c2"));
        await Assert.ThrowsAsync<ChangeRejectedException>(() => store.RemoveChunkAsync("nobody"));
        release();
        await rehydrating.WaitAsync(ChatterboxCluster.Patience);
        await change.DurablyAsync();

        Assert.True(store.HasHydrated);
        Assert.Equal(["c1", "c2"], store.State.Chunks.Select(chunk => chunk.Id));
        await AtLastAsync(() => Volatile.Read(ref finished) == 1);
    }

    [Fact(DisplayName = "[C1] of rehydrations that overlap only the last is over, and none applies stale data")]
    public async Task Superseded()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        await using var store = await cluster.OpenAsync("alice");
        await store.UpsertChunkAsync(TestData.Chunk("c1"));
        var (begun, finished) = (0, 0);
        using var beginnings = store.Persistence.OnHydrate(_ => Interlocked.Increment(ref begun));
        using var ends = ((ChatterboxStore)store).Persistence.OnFinishHydration(_ => Interlocked.Increment(ref finished));
        var (read, release) = Hold(cluster);

        var first = store.Persistence.RehydrateAsync();
        await read.WaitAsync(ChatterboxCluster.Patience);
        var second = store.Persistence.RehydrateAsync();
        var change = store.UpsertChunkAsync(TestData.Chunk("c2"));
        release();
        await Task.WhenAll(first, second).WaitAsync(ChatterboxCluster.Patience);
        await change.DurablyAsync();

        Assert.True(store.HasHydrated);
        Assert.Equal(["c1", "c2"], store.State.Chunks.Select(chunk => chunk.Id));
        await AtLastAsync(() => Volatile.Read(ref begun) == 2 && Volatile.Read(ref finished) == 1);
        await cluster.CrashAsync();
        Assert.Equal(["c1", "c2"], (await cluster.OpenAsync("alice")).State.Chunks.Select(chunk => chunk.Id));
    }

    [Fact(DisplayName = "[C1] what was cleared during a rehydration does not come back")]
    public async Task Cleared()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        await using var store = await cluster.OpenAsync("alice");
        await using var other = await cluster.OpenAsync("alice");
        await store.UpsertChunkAsync(TestData.Chunk("c1")).DurablyAsync();
        var (read, release) = Hold(cluster);

        var rehydrating = store.Persistence.RehydrateAsync();
        await read.WaitAsync(ChatterboxCluster.Patience);
        // Of the session itself: a store would save first, and wait for the rehydration.
        var clearing = cluster.Session("alice").ClearPersistedStateAsync();
        // It is cleared in memory, and waits for its turn to be stored.
        await other.ShowsAsync(state => state.Chunks.Count == 0);
        release();
        await Task.WhenAll(rehydrating, clearing).WaitAsync(ChatterboxCluster.Patience);
        await store.Persistence.FlushAsync().WaitAsync(ChatterboxCluster.Patience);

        foreach (var each in (ChatterboxStore[])[store, other]) await each.ShowsAsync(state => state.Chunks.Count == 0);
        Assert.Null(await store.Persistence.GetPersistedVersionAsync());
        await cluster.CrashAsync();
        Assert.Equal(AppState.Initial, (await cluster.OpenAsync("alice")).State);
    }

    [Fact(DisplayName = "[C1] a rehydration that fails leaves the store with what it had")]
    public async Task Failing()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        await using var store = await cluster.OpenAsync("alice");
        await store.UpsertChunkAsync(TestData.Chunk("c1"));
        cluster.Probe.OnWrite(_ => Fault.BeforeCommit);

        await Assert.ThrowsAsync<IOException>(() => store.Persistence.RehydrateAsync().WaitAsync(ChatterboxCluster.Patience));

        Assert.True(store.HasHydrated);
        Assert.Single(store.State.Chunks);
    }

    /// <summary>Holds up what has been read of the chunks, once.</summary>
    private static (Task Read, Action Release) Hold(ChatterboxCluster cluster)
    {
        var (read, release, held) = (new TaskCompletionSource(), new TaskCompletionSource(), 0);
        cluster.Probe.AfterRead(async row =>
        {
            if (row != "chunks" || Interlocked.Increment(ref held) > 1) return;
            read.SetResult();
            await release.Task;
        });
        return (read.Task, release.SetResult);
    }

    private static async Task WatchAsync(ChatterboxStore store, List<string> steps)
    {
        await foreach (var update in store.WatchUpdates())
        {
            steps.Add($"{update.Step}: {update.State.Chunks.Count} chunks, seed {update.State.Preferences.Parameters.Seed}");
        }
    }

    private static async Task AtLastAsync(Func<bool> expected)
    {
        using var patience = new CancellationTokenSource(ChatterboxCluster.Patience);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!expected()) await tick.WaitForNextTickAsync(patience.Token);
    }
}
