using Orleans.Streams;

namespace Chatterbox.ClusterTests.Client;

public sealed class SelectiveSyncTests
{
    private static readonly SessionId Alice = new("alice");

    [Fact(DisplayName = "[C6] a store gets the slices it names and no others: at first, as they change, and after a break")]
    public async Task Only_what_is_named()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        await using var writer = await cluster.OpenAsync("alice");
        await writer.UpsertChunkAsync(TestData.Chunk("before"));
        await writer.UpsertVoiceAsync(Voice("v1"));
        await using var store = await OpenAsync(cluster.NewClient(),
            new() { Slices = [TtsSlice.Preferences, TtsSlice.SavedVoices] });
        Assert.Equal((0, 1), (store.State.Chunks.Count, store.State.SavedVoices.Count));

        await writer.UpsertChunkAsync(TestData.Chunk("live"));
        await writer.UpsertVoiceAsync(Voice("v2"));
        await store.ShowsAsync(state => state.SavedVoices.Count == 2);
        store.DropEvents = true;
        await writer.UpsertChunkAsync(TestData.Chunk("missed"));
        await writer.UpsertVoiceAsync(Voice("v3"));
        store.DropEvents = false;
        await writer.SetStreamingAsync(true);
        await store.ShowsAsync(state => state.SavedVoices.Count == 3 && state.Preferences.UseStreaming);
        await writer.Persistence.RehydrateAsync();
        await writer.UpsertVoiceAsync(Voice("v4"));
        await store.ShowsAsync(state => state.SavedVoices.Count == 4);

        Assert.Empty(store.State.Chunks);
        Assert.Equal(writer.Revision, store.Revision);
    }

    [Fact(DisplayName =
        "[F1] [C6] a process is not sent changes of slices that none of its stores has, and its revisions stay contiguous")]
    public async Task Nothing_else_is_sent()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        await using var writer = await cluster.OpenAsync("alice");
        var client = cluster.NewClient();
        await using var voices = await OpenAsync(client, new() { Slices = [TtsSlice.SavedVoices] });
        await using var batches = await OpenAsync(client, new() { Slices = [TtsSlice.BatchItems] });
        var sent = await SentAsync(cluster, client);

        await writer.UpsertChunkAsync(TestData.Chunk("c1"));
        await writer.UpsertVoiceAsync(Voice("v1"));
        await writer.UpsertBatchItemAsync(new() { Id = "b1", Name = "n" });
        await voices.ShowsAsync(state => state.SavedVoices.Count == 1);
        await batches.ShowsAsync(state => state.BatchItems.Count == 1);

        var changes = sent().OfType<ChangesApplied>().ToArray();
        Assert.Equal([TtsSlice.SavedVoices, TtsSlice.BatchItems],
            changes.SelectMany(each => each.Changes).Select(each => each.Change.Slice.Name));
        Assert.All(changes.Zip(changes.Skip(1)), pair => Assert.Equal(pair.First.ToRevision, pair.Second.FromRevision));
        Assert.Equal(writer.Revision, changes[^1].ToRevision);
        Assert.Equal((0, 0), (voices.State.BatchItems.Count, batches.State.SavedVoices.Count));

        // One with everything: now they are sent, and still shown by those only who want them.
        await using var whole = await OpenAsync(client, StoreOptions.Default);
        await writer.UpsertChunkAsync(TestData.Chunk("c2"));
        await whole.ShowsAsync(state => state.Chunks.Count == 2);
        Assert.Contains(sent().OfType<ChangesApplied>(), each =>
            each.Changes.Any(change => change.Change.Slice == TtsApp.Chunks));
        Assert.Empty(voices.State.Chunks);
    }

    [Fact(DisplayName = "[C6] a change of a slice that is not in sync is refused here, with those that are")]
    public async Task Changes_elsewhere()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        await using var writer = await cluster.OpenAsync("alice");
        await writer.UpsertWorkSessionAsync(new() { Id = "s1", Name = "Chapter 1" });
        await using var store = cluster.NewClient().Open(Alice, new() { Slices = [TtsSlice.Preferences] });

        foreach (var when in (string[])["before hydration", "after it"])
        {
            var refused = await Assert.ThrowsAsync<ChangeRejectedException>(() => store.UpsertChunkAsync(TestData.Chunk(when)));
            Assert.Equal("slice: must be one that this store keeps in sync (preferences), was chunks", refused.Message);
            await store.Hydrated.WaitAsync(ChatterboxCluster.Patience);
        }

        // Only the session can tell whether there is such a work session.
        await store.SelectWorkSessionAsync("s1").DurablyAsync();
        await Assert.ThrowsAsync<ChangeRejectedException>(() => store.SelectWorkSessionAsync("nobody"));
        await writer.ShowsAsync(state => state.Preferences.CurrentSessionId == "s1");
        Assert.Equal("s1", store.State.Preferences.CurrentSessionId);
        Assert.Empty(writer.State.Chunks);
    }

    [Fact(DisplayName = "[C6] a store follows the user's choice of slices, whichever device makes it")]
    public async Task The_users_choice()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        await using var other = await cluster.OpenAsync("alice");
        await other.UpsertChunkAsync(TestData.Chunk("c1"));
        await other.UpsertVoiceAsync(Voice("v1"));
        await other.DispatchAsync(new SetSyncedSlices([TtsSlice.SavedVoices]));
        await using var store = await OpenAsync(cluster.NewClient(), new() { FollowUserChoice = true });
        Assert.Equal((0, 1), (store.State.Chunks.Count, store.State.SavedVoices.Count));
        Assert.Equal([TtsSlice.Preferences, TtsSlice.SavedVoices], store.Slices!);

        await other.DispatchAsync(new SetSyncedSlices([TtsSlice.Chunks]));
        await store.ShowsAsync(state => state is { Chunks.Count: 1, SavedVoices.Count: 0 });
        await other.UpsertChunkAsync(TestData.Chunk("c2"));
        await store.ShowsAsync(state => state.Chunks.Count == 2);
        await store.UpsertChunkAsync(TestData.Chunk("c3")).DurablyAsync();

        await store.DispatchAsync(new SetSyncedSlices(null)).DurablyAsync();
        await store.ShowsAsync(state => state is { Chunks.Count: 3, SavedVoices.Count: 1 });
        Assert.Null(store.Slices);
        await other.ShowsAsync(state => state == store.State);
    }

    [Fact(DisplayName = "[C6] [R4] a backup holds everything, whatever its store keeps in sync")]
    public async Task Backup()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        await using var writer = await cluster.OpenAsync("alice");
        await writer.UpsertChunkAsync(TestData.Chunk("c1"));
        await using var store = await OpenAsync(cluster.NewClient(), new() { Slices = [TtsSlice.Preferences] });

        var report = await store.Backup.ExportAsync(Stream.Null);

        Assert.Single(report.State.Chunks);
    }

    [Fact(DisplayName = "[C6] slices that there are not, or two ways to name them, are refused")]
    public async Task Wrong_options()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var client = cluster.NewClient();
        Assert.Throws<ArgumentException>(() => client.Open(Alice, new() { Slices = ["77"] }));
        Assert.Throws<ArgumentException>(() => client.Open(Alice, new() { Slices = [TtsSlice.Chunks], FollowUserChoice = true }));
        var reply = await cluster.Session("alice").AttachAsync(
            new() { Client = new("p", "c"), Device = "d", Protocol = Protocol.Version, NextSequence = 1, Slices = ["77"] });
        Assert.Contains("77", reply.Refused!.Message, StringComparison.Ordinal);
    }

    private static SavedVoice Voice(string id) => new() { Id = id, Name = "Dormouse", Parameters = new() };

    private static Task<ChatterboxStore> OpenAsync(ChatterboxClient client, StoreOptions options) =>
        client.OpenAsync(Alice, options).WaitAsync(ChatterboxCluster.Patience);

    /// <summary>What the client's process is sent from now on.</summary>
    private static async Task<Func<SessionEvent[]>> SentAsync(ChatterboxCluster cluster, ChatterboxClient client)
    {
        var sent = new List<SessionEvent>();
        await cluster.Cluster.Client.GetStreamProvider(ChatterboxStreams.Provider)
            .GetStream<SessionEvents>(ChatterboxStreams.OfProcess(client.Process))
            .SubscribeAsync((events, _) =>
            {
                lock (sent) sent.AddRange(events.Events);
                return Task.CompletedTask;
            });
        return () =>
        {
            lock (sent) return [.. sent];
        };
    }
}
