using Chatterbox.Grains.Persistence;

namespace Chatterbox.ClusterTests.Client;

public sealed class OutboxTests : IDisposable
{
    private static readonly SessionId Alice = new("alice");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("chatterbox-outbox-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact(DisplayName = "[C3] a full outbox makes changes wait, in order, and shows none of them before it has taken it")]
    public async Task Back_pressure()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var store = await cluster.OpenAsync("alice",
            cluster.NewClient(options => (options.OutboxChanges, options.OutboxWait) = (3, ChatterboxCluster.Patience)));
        cluster.Probe.OnWrite(_ => Fault.BeforeCommit);
        for (var seed = 1; seed <= 3; seed++) await SetAsync(store, seed);

        var waiting = Enumerable.Range(4, 6).Select(seed => SetAsync(store, seed)).ToArray();
        await store.Persistence.GetStatusAsync();

        Assert.Equal(3, store.State.Preferences.Parameters.Seed);
        Assert.Equal((3, 3), (store.Persistence.Outbox.Changes, store.Persistence.Outbox.MostChanges));
        Assert.All(waiting, change => Assert.False(change.IsCompleted));
        cluster.Probe.Heal();
        var receipts = await Task.WhenAll(waiting).WaitAsync(ChatterboxCluster.Patience);
        Assert.Equal(receipts.Select(receipt => receipt.Revision).Order(), receipts.Select(receipt => receipt.Revision));
        Assert.Equal(9, store.State.Preferences.Parameters.Seed);
        await store.Persistence.FlushAsync();
        Assert.Equal(0, store.Persistence.Outbox.Changes);
    }

    [Fact(DisplayName =
        "[C3] where no room comes in time the change is refused with counts, bytes and limits, and nothing is lost")]
    public async Task Full()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var store = await cluster.OpenAsync("alice", cluster.NewClient(options =>
            (options.OutboxChanges, options.OutboxBytes, options.OutboxWait) = (4, 2048, TimeSpan.FromMilliseconds(100))));
        cluster.Probe.OnWrite(_ => Fault.BeforeCommit);
        for (var number = 0; number < 4; number++) await store.UpsertChunkAsync(TestData.Chunk($"c{number}"));

        var full = await Assert.ThrowsAsync<OutboxFullException>(() => store.UpsertChunkAsync(TestData.Chunk("late")));

        Assert.Equal((4, 4, 2048), (full.Changes, full.MostChanges, full.MostBytes));
        Assert.Contains($"{full.Bytes} bytes", full.Message, StringComparison.Ordinal);
        using var impatient = new CancellationTokenSource();
        var cancelled = store.DispatchAsync(new SetStreaming(true), impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        cluster.Probe.Heal();
        await store.Persistence.FlushAsync().WaitAsync(ChatterboxCluster.Patience);
        Assert.Equal(["c0", "c1", "c2", "c3"], store.State.Chunks.Select(chunk => chunk.Id));
        Assert.False(store.State.Preferences.UseStreaming);
        var large = TestData.Chunk("large") with { Text = new('x', 250), Id = new('i', 100) };
        var tooLarge = Enumerable.Range(0, 5).Select(_ => new UpsertChunk(large)).ToArray();
        await Assert.ThrowsAsync<OutboxFullException>(() => store.DispatchAsync(tooLarge));
        await store.UpsertChunkAsync(TestData.Chunk("after")).DurablyAsync();
    }

    [Fact(DisplayName = "[C3] what one client left in its outbox on disk the next one sends, once, under the same client")]
    public async Task Left_behind()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        cluster.Probe.OnWrite(_ => Fault.BeforeCommit);
        var first = NewClient(cluster);
        var store = await cluster.OpenAsync("alice", first);
        // The session has these and cannot store them; the next it has not even heard of.
        await store.UpsertChunkAsync(TestData.Chunk("c1"));
        await store.RemoveChunkAsync("c1");
        await store.UpsertChunkAsync(TestData.Chunk("c2"));
        await store.SetGeneratingAsync(true, "c2");
        await first.DisposeAsync();
        await cluster.CrashAsync();
        cluster.Probe.Heal();

        var again = NewClient(cluster).Open(Alice);
        Assert.Equal(["c2"], again.State.Chunks.Select(chunk => chunk.Id));
        Assert.Equal((3, true), (again.Persistence.Outbox.Recovered, again.Persistence.Outbox.OnDisk));
        await again.Persistence.FlushAsync().WaitAsync(ChatterboxCluster.Patience);

        Assert.Equal(store.Id.Client, again.Id.Client);
        Assert.Equal(["c2"], again.State.Chunks.Select(chunk => chunk.Id));
        Assert.False(again.State.Runtime.IsGenerating);
        await again.DisposeAsync();
        Assert.Empty(_folder.EnumerateFiles("*.outbox"));
        Assert.NotEqual(store.Id.Client, (await cluster.OpenAsync("alice", NewClient(cluster))).Id.Client);
    }

    [Fact(DisplayName = "[C3] a change that the session took just before its client died is not done twice by the next client")]
    public async Task Taken_already()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var first = NewClient(cluster);
        var store = await cluster.OpenAsync("alice", first);
        await store.UpsertChunkAsync(TestData.Chunk("c1")).DurablyAsync();
        // As it was before the client heard that it is stored.
        var before = await CopyAsync(() => store.RemoveChunkAsync("c1"));
        await store.Persistence.FlushAsync();
        var other = await cluster.OpenAsync("alice");
        await other.UpsertChunkAsync(TestData.Chunk("c1")).DurablyAsync();
        // Its process is gone, without a good-bye.
        store.ReleaseOutbox();
        await File.WriteAllBytesAsync(before.Path, before.Bytes);

        await using var again = NewClient(cluster).Open(Alice);
        await again.Persistence.FlushAsync().WaitAsync(ChatterboxCluster.Patience);

        Assert.Equal(["c1"], again.State.Chunks.Select(chunk => chunk.Id));
    }

    [Fact(DisplayName =
        "[C3] two stores of a session on one device have an outbox each, and whoever opens it next sends what either left")]
    public async Task Two_at_once()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        cluster.Probe.OnWrite(_ => Fault.BeforeCommit);
        var client = NewClient(cluster);
        var stores = new[] { client.Open(Alice), client.Open(Alice), NewClient(cluster).Open(Alice) };
        Assert.Equal(3, stores.Select(store => store.Id.Client).Distinct().Count());
        for (var number = 0; number < 3; number++) await stores[number].UpsertChunkAsync(TestData.Chunk($"c{number}"));
        foreach (var store in stores) await store.DisposeAsync();
        await cluster.CrashAsync();
        cluster.Probe.Heal();

        var again = await cluster.OpenAsync("alice", NewClient(cluster));

        await again.ShowsAsync(state =>
            state.Chunks.Select(chunk => chunk.Id).Order(StringComparer.Ordinal).SequenceEqual(["c0", "c1", "c2"]));
    }

    [Fact(DisplayName =
        "[C3] [M3] what cannot be taken because the session is read-only stays in the outbox on disk until it can")]
    public async Task Read_only()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var first = NewClient(cluster);
        var store = await cluster.OpenAsync("alice", first);
        await store.SetStreamingAsync(true).DurablyAsync();
        cluster.Probe.OnWrite(_ => Fault.BeforeCommit);
        await store.UpsertChunkAsync(TestData.Chunk("c1"));
        await first.DisposeAsync();
        var stored = cluster.Probe.WritesOf("preferences").Last().Bytes;
        await StoredRows.OverwriteAsync(cluster.Database, "preferences",
            SliceFrame.Encode("""{"version":99,"revision":1}"""u8, 99, 1024));
        await cluster.CrashAsync();
        cluster.Probe.Heal();

        var second = NewClient(cluster);
        var held = await cluster.OpenAsync("alice", second);
        await Assert.ThrowsAsync<ChangeRejectedException>(() =>
            held.UpsertChunkAsync(TestData.Chunk("c2")).WaitAsync(ChatterboxCluster.Patience));
        await Assert.ThrowsAsync<IOException>(() => held.Persistence.FlushAsync().WaitAsync(ChatterboxCluster.Patience));

        Assert.Equal(1, held.Persistence.Outbox.Changes);
        Assert.Contains("read-only", held.Persistence.Outbox.Held, StringComparison.Ordinal);
        Assert.Equal(["c1"], held.State.Chunks.Select(chunk => chunk.Id));
        await second.DisposeAsync();
        await StoredRows.OverwriteAsync(cluster.Database, "preferences", stored);
        await cluster.CrashAsync();
        var again = await cluster.OpenAsync("alice", NewClient(cluster));
        await again.Persistence.FlushAsync().WaitAsync(ChatterboxCluster.Patience);
        Assert.Equal(["c1"], again.State.Chunks.Select(chunk => chunk.Id));
    }

    [Fact(DisplayName = "[C3] a damaged outbox is set aside and told of, and what can be read of it is sent")]
    public async Task Damaged()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        cluster.Probe.OnWrite(_ => Fault.BeforeCommit);
        var first = NewClient(cluster);
        var store = await cluster.OpenAsync("alice", first);
        await store.UpsertChunkAsync(TestData.Chunk("c1"));
        await store.UpsertChunkAsync(TestData.Chunk("c2"));
        await first.DisposeAsync();
        await cluster.CrashAsync();
        cluster.Probe.Heal();
        var file = Assert.Single(_folder.EnumerateFiles("*.outbox")).FullName;
        await File.WriteAllTextAsync(file,
            (await File.ReadAllTextAsync(file)).Replace("\"c1\"", "\"cX\"", StringComparison.Ordinal));

        var again = await cluster.OpenAsync("alice", NewClient(cluster));
        await again.Persistence.FlushAsync().WaitAsync(ChatterboxCluster.Patience);

        Assert.Equal(["c2"], again.State.Chunks.Select(chunk => chunk.Id));
        Assert.Contains("damaged", Assert.Single(again.Notices), StringComparison.Ordinal);
        Assert.Single(_folder.EnumerateFiles("*.damaged-*"));
    }

    [Fact(DisplayName = "[C5] a client two versions away is told that it is too old or too new, and keeps what it has not sent")]
    public async Task Other_versions()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        foreach (var (away, word) in ((int, string)[])[(-2, "too old"), (2, "too new")])
        {
            await using var client = NewClient(cluster, options => options.ProtocolVersion = Protocol.Version + away);
            var store = client.Open(Alice);
            var early = store.UpsertChunkAsync(TestData.Chunk(word));

            var refused =
                await Assert.ThrowsAsync<SessionRefusedException>(() => store.Hydrated.WaitAsync(ChatterboxCluster.Patience));

            Assert.Contains(word, refused.Message, StringComparison.Ordinal);
            Assert.False(store.HasHydrated);
            await Assert.ThrowsAsync<SessionRefusedException>(() => early.WaitAsync(ChatterboxCluster.Patience));
            await Assert.ThrowsAsync<SessionRefusedException>(() =>
                store.SetStreamingAsync(true).WaitAsync(ChatterboxCluster.Patience));
            await Assert.ThrowsAsync<SessionRefusedException>(() =>
                store.Persistence.FlushAsync().WaitAsync(ChatterboxCluster.Patience));
            Assert.Same(refused, store.Persistence.Unreachable);
        }
        Assert.Empty((await cluster.Session("alice").GetStatusAsync()).Clients);

        var right = await cluster.OpenAsync("alice", NewClient(cluster));
        await right.ShowsAsync(state => state.Chunks.Count == 2);
    }

    private ChatterboxClient NewClient(ChatterboxCluster cluster, Action<ChatterboxClientOptions>? configure = null) =>
        cluster.NewClient(options =>
        {
            options.OutboxDirectory = _folder.FullName;
            options.CloseTimeout = TimeSpan.FromSeconds(2);
            configure?.Invoke(options);
        });

    private static Task<ChangeReceipt> SetAsync(ChatterboxStore store, int seed) =>
        store.UpdateParametersAsync(TtsEngine.Chatterbox, new() { Seed = seed });

    /// <summary>Makes a change and returns the outbox as it was right after it.</summary>
    private async Task<(string Path, byte[] Bytes)> CopyAsync(Func<Task> change)
    {
        var made = change();
        var path = Assert.Single(_folder.EnumerateFiles("*.outbox")).FullName;
        var bytes = await File.ReadAllBytesAsync(path);
        await made;
        return (path, bytes);
    }
}
