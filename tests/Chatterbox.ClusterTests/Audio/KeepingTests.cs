using Chatterbox.Client;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.ClusterTests.Audio;

/// <summary>How long clips are kept, and what for.</summary>
public sealed class KeepingTests
{
    [Fact(DisplayName = "[A2] a clip goes once nothing has referred to it for long enough, and not before; what is referred to stays for ever")]
    public async Task Clips_go_in_time()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var kept = await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 1));
        var dropped = await store.Audio.UploadAsync(AudioCluster.Bytes((2 * AudioPieces.Bytes) + 1, 2));
        await store.AddChunkAsync("kept", kept);
        await store.AddChunkAsync("dropped", dropped);
        await store.LetGoAsync(store.SetChunkStatusAsync("dropped", WorkStatus.Pending));

        clock.MoveOn(AudioCluster.PastUploads);
        Assert.Equal(0, await cluster.CollectAllAsync("alice"));
        clock.MoveOn(AudioCluster.PastGrace);
        Assert.Equal(1, await cluster.CollectAllAsync("alice"));

        Assert.Null(await store.Audio.DownloadAsync(dropped.Hash));
        Assert.Equal(["clip"], cluster.ClipRows("alice"));
        clock.MoveOn(TimeSpan.FromDays(365));
        Assert.Equal(0, await cluster.CollectAllAsync("alice"));
        Assert.NotNull(await store.Audio.DownloadAsync(kept.Hash));
    }

    [Fact(DisplayName = "[A2] an upload that nothing comes to refer to goes by itself, complete or not")]
    public async Task Uploads_expire()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 1));
        var broken = AudioCluster.Bytes((2 * AudioPieces.Bytes) + 1, 2);
        await cluster.Clip("alice", AudioCluster.HashOf(broken)).BeginUploadAsync(new(SessionId.DefaultStore, broken.Length, "audio/wav"));
        Assert.Equal((2, 1000L + broken.Length), await PendingAsync(cluster));
        Assert.Equal(2, cluster.ClipRows("alice").Count);

        clock.MoveOn(AudioCluster.PastUploads);
        await cluster.ReloadLedgerAsync("alice");
        await cluster.Ledger("alice").GetUsageAsync(SessionId.DefaultStore);

        await AudioCluster.UntilAsync(() => cluster.ClipRows("alice").Count == 0);
        Assert.Equal((0, 0L), await PendingAsync(cluster));
    }

    [Fact(DisplayName = "[A2] a clip that two stores refer to stays until both have let go of it")]
    public async Task Stores_share_clips()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var (one, other) = (await cluster.OpenAsync("alice"), await cluster.OpenAsync("alice", AudioCluster.OtherStore));
        var clip = AudioCluster.Bytes(1000, 1);
        var audio = await one.Audio.UploadAsync(clip);
        await one.AddChunkAsync("c", audio);
        await other.AddChunkAsync("c", await other.Audio.UploadAsync(clip));

        await one.LetGoAsync(one.RemoveChunkAsync("c"));
        clock.MoveOn(AudioCluster.PastGrace);
        Assert.Equal(0, await cluster.CollectAllAsync("alice"));
        Assert.Equal(clip, await other.Audio.DownloadAsync(audio.Hash));

        await other.LetGoAsync(other.RemoveChunkAsync("c"));
        clock.MoveOn(AudioCluster.PastGrace);
        Assert.Equal(1, await cluster.CollectAllAsync("alice"));
        Assert.Empty(cluster.ClipRows("alice"));
    }

    [Fact(DisplayName = "[A2] as long as the slice that dropped it is not durable, a clip stays, and comes back with the slice")]
    public async Task Not_before_it_is_durable()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var clip = AudioCluster.Bytes(1000, 1);
        var audio = await store.Audio.UploadAsync(clip);
        await store.AddChunkAsync("c", audio);
        cluster.Probe.OnWrite(row => row == "chunks" ? Fault.BeforeCommit : Fault.None);

        await store.RemoveChunkAsync("c");
        clock.MoveOn(AudioCluster.PastGrace);
        Assert.Equal(0, await cluster.CollectAllAsync("alice"));
        await store.DisposeAsync();
        await cluster.CrashAsync();
        cluster.Probe.Heal();

        var after = await cluster.OpenAsync("alice");
        Assert.Equal(audio, after.State.Chunks.Find("c")?.Audio);
        Assert.Equal(clip, await after.Audio.DownloadAsync(audio.Hash));
    }

    [Fact(DisplayName = "[A2] a reference made while a clip's deletion is under way is refused, or keeps it; never is there one without the other")]
    public async Task References_race_with_deletion()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var clip = AudioCluster.Bytes((2 * AudioPieces.Bytes) + 1, 1);
        var audio = await store.Audio.UploadAsync(clip);
        await store.UpsertChunkAsync(TestData.Chunk("c")).DurablyAsync();

        // The ledger has made up its mind, and asks the sessions next.
        clock.MoveOn(AudioCluster.PastUploads);
        await HeldUpAsync("audio", async () => await store.CompleteChunkAsync("c", audio));
        Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));
        await store.LetGoAsync(store.SetChunkStatusAsync("c", WorkStatus.Pending));

        // The sessions have been asked, and the clip is going.
        clock.MoveOn(AudioCluster.PastGrace);
        await HeldUpAsync("clip", async () =>
        {
            var refused = await Assert.ThrowsAsync<ChangeRejectedException>(() => store.CompleteChunkAsync("c", audio));
            Assert.Contains("upload it again", refused.Message, StringComparison.Ordinal);
        });
        Assert.Null(await store.Audio.DownloadAsync(audio.Hash));

        await store.CompleteChunkAsync("c", await store.Audio.UploadAsync(clip)).DurablyAsync();
        Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));

        async Task HeldUpAsync(string row, Func<Task> meanwhile)
        {
            var (reached, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
            cluster.Probe.BeforeWrite(async name =>
            {
                if (name != row || !reached.TrySetResult()) return;
                await goOn.Task;
            });
            var collecting = cluster.Ledger("alice").CollectAsync(forRoomIn: null);
            await reached.Task.WaitAsync(ChatterboxCluster.Patience);
            await meanwhile();
            cluster.Probe.Heal();
            goOn.SetResult();
            await collecting;
        }
    }

    [Fact(DisplayName = "[A2] what only a copy of an earlier state refers to stays while the copy does, and comes back with it")]
    public async Task Copies_keep_clips()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var clip = AudioCluster.Bytes(1000, 1);
        var audio = await store.Audio.UploadAsync(clip);
        await store.AddChunkAsync("c", audio);
        await store.Persistence.ClearPersistedStateAsync();

        clock.MoveOn(AudioCluster.PastGrace);
        Assert.Equal(0, await cluster.CollectAllAsync("alice"));
        clock.MoveOn(AudioCluster.PastGrace);
        Assert.Equal(0, await cluster.CollectAllAsync("alice"));
        var report = await store.Recovery.UndoAsync();

        Assert.Single(report.Restored);
        Assert.Equal((WorkStatus.Completed, audio), (store.State.Chunks[0].Status, store.State.Chunks[0].Audio));
        Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));
    }

    [Fact(DisplayName = "[A2] [R3] a state that is put back is held against the clips that are there: without them chunks run again, voices come without")]
    public async Task What_is_put_back_is_mended()
    {
        var (cluster, _) = await AudioCluster.StartAsync();
        await using var __ = cluster;
        var store = await cluster.OpenAsync("alice");
        var (gone, there) = (await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 1)), await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 2)));
        await store.AddChunkAsync("gone", gone);
        await store.AddChunkAsync("there", there);
        await store.UpsertVoiceAsync(new() { Id = "v", Name = "V", Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox), Prompt = gone }).DurablyAsync();
        await store.Persistence.ClearPersistedStateAsync();
        await store.AddChunkAsync("new", there);
        // For room, copies do not count.
        Assert.Equal(1, await cluster.Ledger("alice").CollectAsync(SessionId.DefaultStore));

        var report = await store.Recovery.UndoAsync();

        Assert.Equal(3, report.Restored.Count);
        Assert.Equal((WorkStatus.Interrupted, null), (store.State.Chunks.Find("gone")!.Status, store.State.Chunks.Find("gone")!.Audio));
        Assert.Equal((WorkStatus.Completed, there), (store.State.Chunks.Find("there")!.Status, store.State.Chunks.Find("there")!.Audio));
        Assert.Null(store.State.SavedVoices[0].Prompt);
        await store.Persistence.FlushAsync();
        await cluster.CrashAsync();
        Assert.Equal(store.State, (await cluster.OpenAsync("alice")).State);
    }

    [Fact(DisplayName = "[A2] a slice that cannot be read keeps every clip until its bytes are dropped from quarantine")]
    public async Task Quarantine_keeps_clips()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        AudioRef audio;
        await using (var before = await cluster.OpenAsync("alice"))
        {
            audio = await before.Audio.UploadAsync(AudioCluster.Bytes(1000, 1));
            await before.AddChunkAsync("c", audio);
        }
        // Not deactivated, or there would be a last good copy.
        await cluster.CrashAsync();
        await StoredRows.OverwriteAsync(cluster.Database, "chunks", [1, 2, 3]);
        var store = await cluster.OpenAsync("alice");
        await store.LetGoAsync(store.UpsertChunkAsync(TestData.Chunk("d")));
        var item = Assert.Single(await store.Recovery.ListQuarantineAsync());

        clock.MoveOn(AudioCluster.PastGrace);
        Assert.Equal(0, await cluster.CollectAllAsync("alice"));
        clock.MoveOn(AudioCluster.PastGrace);
        Assert.Equal(0, await cluster.CollectAllAsync("alice"));
        Assert.NotNull(await store.Audio.DownloadAsync(audio.Hash));

        await store.Recovery.DropQuarantineAsync(item.Id);
        clock.MoveOn(AudioCluster.PastGrace);
        Assert.Equal(1, await cluster.CollectAllAsync("alice"));
    }

    [Fact(DisplayName = "[A2] [X3] a damaged ledger costs no clip and locks nobody out; its bytes are kept, each time")]
    public async Task A_damaged_ledger()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var clips = Enumerable.Range(1, 3).Select(seed => AudioCluster.Bytes(1000, seed)).ToArray();
        await store.AddChunkAsync("c1", await store.Audio.UploadAsync(clips[0]));
        byte[][] damages =
        [
            [1, 2, 3],
            SliceFrame.Encode("""[{"hash":"a","owner":"app-state"},{"hash":"a","owner":"other"},null]"""u8, 1, 1024),
            SliceFrame.Encode("""[{"hash":"a","owner":null,"stores":null,"length":-1}]"""u8, 1, 1024),
        ];
        foreach (var damage in damages)
        {
            await cluster.ReloadLedgerAsync("alice");
            await StoredRows.OverwriteAsync(cluster.Database, "audio", damage);

            await store.AddChunkAsync("c2", await store.Audio.UploadAsync(clips[1]));
            clock.MoveOn(AudioCluster.PastGrace);
            await cluster.CollectAllAsync("alice");
            Assert.Equal(clips[0], await store.Audio.DownloadAsync(AudioCluster.HashOf(clips[0])));
            Assert.Equal(clips[1], await store.Audio.DownloadAsync(AudioCluster.HashOf(clips[1])));
        }
        Assert.Equal(3, (await StoredRows.NamesAsync(cluster.Database)).Count(row => row.StartsWith("audio-unreadable-", StringComparison.Ordinal)));

        // Sessions say again what they refer to, so that it counts.
        await store.DisposeAsync();
        await cluster.DeactivateAsync("alice");
        store = await cluster.OpenAsync("alice");
        await AudioCluster.UntilAsync(() => store.Persistence.GetStorageInfoAsync().Result.Audio is { ReferencedClips: 2, ReferencedBytes: 2000 });
    }

    [Fact(DisplayName = "[A2] [M3] a ledger that a newer silo has written is left as it is, keeps nobody from anything, and has nothing deleted")]
    public async Task A_newer_ledger()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var dropped = await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 1));
        await cluster.ReloadLedgerAsync("alice");
        var newer = SliceFrame.Encode("""{"clips":{"later":"this is laid out otherwise"}}"""u8, 2, 1024);
        await StoredRows.OverwriteAsync(cluster.Database, "audio", newer);

        var clip = AudioCluster.Bytes(1000, 2);
        var audio = await store.Audio.UploadAsync(clip);
        await store.AddChunkAsync("c", audio);
        await store.LetGoAsync(store.RemoveChunkAsync("c"));
        clock.MoveOn(AudioCluster.PastGrace);

        Assert.Equal(0, await cluster.CollectAllAsync("alice"));
        Assert.NotNull(await store.Audio.DownloadAsync(dropped.Hash));
        Assert.NotNull(await store.Audio.DownloadAsync(audio.Hash));
        Assert.Equal(newer, await StoredRows.ReadAsync(cluster.Database, "audio"));
    }

    [Fact(DisplayName = "[A2] a clip that cannot be deleted keeps no other from going, and goes later")]
    public async Task One_failure_is_one()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var clips = new List<AudioRef>();
        for (var seed = 1; seed <= 3; seed++) clips.Add(await store.Audio.UploadAsync(AudioCluster.Bytes(1000, seed)));
        clock.MoveOn(AudioCluster.PastUploads);
        cluster.Probe.OnChange((grain, _) => grain.Key.ToString() == AudioClipKey.For("alice", clips[1].Hash) ? Fault.BeforeCommit : Fault.None);

        Assert.Equal(2, await cluster.Ledger("alice").CollectAsync(forRoomIn: null));
        cluster.Probe.Heal();
        Assert.NotNull(await store.Audio.DownloadAsync(clips[1].Hash));
        clock.MoveOn(AudioCluster.PastUploads);
        Assert.Equal(1, await cluster.CollectAllAsync("alice"));
        Assert.Empty(cluster.ClipRows("alice"));
    }

    [Fact(DisplayName = "[A2] [A3] an upload that is refused, or whose length cannot be true, leaves nothing behind and takes no room")]
    public async Task Refused_uploads_leave_nothing()
    {
        var (cluster, _) = await AudioCluster.StartAsync();
        await using var __ = cluster;
        var store = await cluster.OpenAsync("alice");
        var audio = await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 1));
        await store.AddChunkAsync("c", audio);

        var lie = await cluster.Clip("alice", audio.Hash).BeginUploadAsync(new(SessionId.DefaultStore, 1, "audio/wav"));
        Assert.Contains("1000 bytes", lie.Refused!.Message, StringComparison.Ordinal);
        var nonsense = await cluster.Clip("alice", new string('Z', 64)).BeginUploadAsync(new(SessionId.DefaultStore, 1, "audio/wav"));
        Assert.Contains("user/sha256", nonsense.Refused!.Message, StringComparison.Ordinal);
        foreach (var length in (int[])[1000, AudioPieces.Bytes + 1])
        {
            var other = cluster.Clip("alice", AudioCluster.HashOf(AudioCluster.Bytes(length, 2)));
            Assert.Contains("SHA-256", (await other.PutAsync(new(AudioCluster.Bytes(length, 3)), "audio/wav")).Refused!.Message, StringComparison.Ordinal);
        }

        AudioStorage Usage() => cluster.Ledger("alice").GetUsageAsync(SessionId.DefaultStore).Result;
        await AudioCluster.UntilAsync(() => Usage().PendingClips == 0);
        Assert.Equal((1, 1000L, 0), (Usage().ReferencedClips, Usage().ReferencedBytes, Usage().UnreferencedClips));
        Assert.Equal(["clip"], cluster.ClipRows("alice"));
    }

    private static async Task<(int, long)> PendingAsync(ChatterboxCluster cluster)
    {
        var usage = await cluster.Ledger("alice").GetUsageAsync(SessionId.DefaultStore);
        return (usage.PendingClips, usage.PendingBytes);
    }
}
