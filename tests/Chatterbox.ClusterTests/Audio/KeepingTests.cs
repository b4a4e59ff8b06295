using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;

namespace Chatterbox.ClusterTests.Audio;

/// <summary>How long clips are kept, and for whom.</summary>
public sealed class KeepingTests
{
    [Fact(DisplayName =
        "[A2] a clip is deleted once nothing has referred to it for the grace period, and not before; one that is referred "
        + "to stays for ever")]
    public async Task Clips_go_in_time()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var kept = await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 1));
        var dropped = await store.Audio.UploadAsync(AudioCluster.Bytes((2 * AudioPieces.Bytes) + 1, 2));
        await store.AddChunkAsync("kept", kept);
        await store.AddChunkAsync("dropped", dropped);
        clock.MoveOn(AudioCluster.PastUploads);
        Assert.Equal(0, await cluster.SweepAllAsync("alice"));
        await store.SetChunkStatusAsync("dropped", WorkStatus.Pending).DurablyAsync();

        // The references are looked for again after the grace period, and then the clip has one more.
        clock.MoveOn(AudioCluster.PastGrace);
        Assert.Equal(0, await cluster.SweepAllAsync("alice"));
        clock.MoveOn(AudioCluster.PastUploads);
        Assert.Equal(0, await cluster.SweepAllAsync("alice"));
        clock.MoveOn(AudioCluster.PastGrace);
        Assert.Equal(1, await cluster.SweepAllAsync("alice"));

        Assert.Null(await store.Audio.DownloadAsync(dropped.Hash));
        Assert.Equal(["clip"], cluster.ClipRows("alice"));
        clock.MoveOn(TimeSpan.FromDays(365));
        Assert.Equal(0, await cluster.SweepAllAsync("alice"));
        Assert.NotNull(await store.Audio.DownloadAsync(kept.Hash));
    }

    [Fact(DisplayName =
        "[A2] clips of users who never return are deleted by themselves, also after all silos have been killed; ledgers stay "
        + "in memory for none of it")]
    public async Task By_itself()
    {
        var (cluster, clock) = await AudioCluster.StartAsync(sweeps: true);
        await using var _ = cluster;
        var kept = new Dictionary<string, AudioRef>();
        foreach (var user in (string[])["alice", "bob"])
        {
            await using var store = await cluster.OpenAsync(user);
            // Never referred to, one of them not completed; and one that is dropped.
            await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 1));
            var broken = AudioCluster.Bytes((2 * AudioPieces.Bytes) + 1, 2);
            await cluster.Clip(user, AudioCluster.HashOf(broken))
                .BeginUploadAsync(new(SessionId.DefaultStore, broken.Length, "audio/wav"));
            await store.AddChunkAsync("dropped", await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 3)));
            await store.AddChunkAsync("kept", kept[user] = await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 4)));
            await store.RemoveChunkAsync("dropped").DurablyAsync();
        }
        await cluster.CrashAsync();
        Assert.Equal(8, kept.Keys.Sum(user => cluster.ClipRows(user).Count));

        clock.MoveOn(AudioCluster.PastUploads);
        await AudioCluster.UntilAsync(() => kept.Keys.All(user => cluster.ClipRows(user).Count == 2));
        await cluster.CrashAsync();
        for (var looks = 0; looks < 2; looks++)
        {
            clock.MoveOn(AudioCluster.PastGrace);
            await AudioCluster.UntilAsync(() =>
                kept.Keys.All(user => cluster.EntriesAsync(user).Result
                    .All(entry => clock.GetUtcNow() - entry.Seen < AudioCluster.PastGrace)));
        }

        foreach (var user in kept.Keys)
        {
            Assert.Single(cluster.ClipRows(user));
            Assert.Equal(kept[user].Hash, Assert.Single(await cluster.EntriesAsync(user)).Hash);
            Assert.NotNull(await (await cluster.OpenAsync(user)).Audio.DownloadAsync(kept[user].Hash));
        }
        var management = cluster.Cluster.Client.GetGrain<IManagementGrain>(0);
        await AudioCluster.UntilAsync(() =>
        {
            management.ForceActivationCollection(TimeSpan.Zero).Wait();
            return management.GetDetailedGrainStatistics().Result
                .All(grain => !grain.GrainType.Contains("AudioLedger", StringComparison.Ordinal));
        });
    }

    [Fact(DisplayName = "[A2] [D4] with rows waiting in the fallback file nothing is deleted, since they may refer to clips")]
    public async Task Pending_frames()
    {
        var status = new Frames();
        var (cluster, clock) =
            await AudioCluster.StartAsync(configure: silo => silo.Services.AddSingleton<IStorageStatus>(status));
        await using var _ = cluster;
        await (await cluster.OpenAsync("alice")).Audio.UploadAsync(AudioCluster.Bytes(1000, 1));
        clock.MoveOn(AudioCluster.PastUploads);

        status.PendingFrames = 1;
        Assert.Equal(0, await cluster.SweepAllAsync("alice"));
        await Assert.ThrowsAsync<IOException>(() =>
            cluster.Ledger("alice").FreeAsync(SessionId.DefaultStore, [], history: false));
        status.PendingFrames = 0;
        Assert.Equal(1, await cluster.SweepAllAsync("alice"));
    }

    [Fact(DisplayName = "[A2] [I4] a user has 20,000 clips at most; uploading one of them again is not refused")]
    public async Task Too_many_clips()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var clip = AudioCluster.Bytes(1000, 1);
        await store.AddChunkAsync("c", await store.Audio.UploadAsync(clip));
        var now = clock.GetUtcNow();
        var others = Enumerable.Range(1, AudioLedgerGrain.MostClips - 1)
            .Select(number => new LedgerEntry { Hash = $"{number:x64}", Seen = now, Stores = ["other"] });
        await cluster.ReloadLedgerAsync("alice");
        var full = AudioLedger.Of([.. await cluster.EntriesAsync("alice"), .. others]);
        await StoredRows.OverwriteAsync(cluster.Database, AudioLedger.RowName, full.Encode());

        await store.Audio.UploadAsync(clip);
        var refused = await Assert.ThrowsAsync<ClipRefusedException>(() => store.Audio.UploadAsync(AudioCluster.Bytes(1000, 2)));
        Assert.Contains("at most 20000 clips", refused.Message, StringComparison.Ordinal);
    }

    [Fact(DisplayName =
        "[A2] a user whose clips cannot be swept, for a session that cannot be asked, loses none and holds up no other")]
    public async Task One_user_fails()
    {
        var (cluster, clock) = await AudioCluster.StartAsync(sweeps: true);
        await using var _ = cluster;
        foreach (var user in (string[])["alice", "bob"])
        {
            await (await cluster.OpenAsync(user)).Audio.UploadAsync(AudioCluster.Bytes(1000, 1));
        }
        foreach (var user in (string[])["alice", "bob"]) await cluster.DeactivateAsync(user);
        var alice = new SessionId("alice", AudioCluster.OtherStore).Key;
        cluster.Probe.OnReadOf((grain, _) => grain.Key.ToString() == alice ? Fault.Read : Fault.None);

        clock.MoveOn(AudioCluster.PastUploads);
        await AudioCluster.UntilAsync(() => cluster.ClipRows("bob").Count == 0);
        await Assert.ThrowsAnyAsync<Exception>(() => cluster.Ledger("alice").SweepAsync());
        Assert.Single(cluster.ClipRows("alice"));

        cluster.Probe.Heal();
        await AudioCluster.UntilAsync(() => cluster.ClipRows("alice").Count == 0);
    }

    [Fact(DisplayName =
        "[A2] the clips that a store has uploaded that is not registered are kept, and those of no other; registered again, "
        + "it is asked")]
    public async Task A_store_that_is_not_registered()
    {
        var isRegistered = true;
        var (cluster, clock) = await AudioCluster.StartAsync(otherStore: () => isRegistered);
        await using var _ = cluster;
        AudioRef used, unused;
        await using (var other = await cluster.OpenAsync("alice", AudioCluster.OtherStore))
        {
            used = await other.Audio.UploadAsync(AudioCluster.Bytes(1000, 1));
            await other.AddChunkAsync("c", used);
            unused = await other.Audio.UploadAsync(AudioCluster.Bytes(1000, 2));
            await (await cluster.OpenAsync("alice")).Audio.UploadAsync(AudioCluster.Bytes(1000, 3));
        }
        isRegistered = false;
        await cluster.CrashAsync();
        await cluster.OpenAsync("alice");

        Assert.Equal(1, await cluster.SweepPastGraceAsync(clock, "alice"));
        Assert.Equal(0, await cluster.SweepPastGraceAsync(clock, "alice"));
        Assert.Equal(new[] { used.Hash, unused.Hash }.Order(), (await cluster.EntriesAsync("alice")).Select(entry => entry.Hash));
        Assert.Equal(2, cluster.ClipRows("alice").Count);

        isRegistered = true;
        await cluster.CrashAsync();
        await cluster.OpenAsync("alice");
        Assert.Equal(1, await cluster.SweepPastGraceAsync(clock, "alice"));
        var after = await cluster.OpenAsync("alice", AudioCluster.OtherStore);
        Assert.NotNull(await after.Audio.DownloadAsync(used.Hash));
        Assert.Null(await after.Audio.DownloadAsync(unused.Hash));
    }

    [Fact(DisplayName = "[A2] a clip that two stores refer to stays until neither does")]
    public async Task Stores_share_clips()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var (one, other) = (await cluster.OpenAsync("alice"), await cluster.OpenAsync("alice", AudioCluster.OtherStore));
        var clip = AudioCluster.Bytes(1000, 1);
        var audio = await one.Audio.UploadAsync(clip);
        await one.AddChunkAsync("c", audio);
        await other.AddChunkAsync("c", await other.Audio.UploadAsync(clip));

        await one.RemoveChunkAsync("c").DurablyAsync();
        Assert.Equal(0, await cluster.SweepPastGraceAsync(clock, "alice"));
        Assert.Equal(AudioCluster.OtherStore, Assert.Single(Assert.Single(await cluster.EntriesAsync("alice")).Stores));
        Assert.Equal(clip, await other.Audio.DownloadAsync(audio.Hash));

        await other.RemoveChunkAsync("c").DurablyAsync();
        Assert.Equal(1, await cluster.SweepPastGraceAsync(clock, "alice"));
        Assert.Empty(cluster.ClipRows("alice"));
    }

    [Fact(DisplayName =
        "[A2] as long as the slice that dropped it is not durable, a clip stays, and is there when the slice is loaded again")]
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
        Assert.Equal(0, await cluster.SweepPastGraceAsync(clock, "alice"));
        await store.DisposeAsync();
        await cluster.CrashAsync();
        cluster.Probe.Heal();

        var after = await cluster.OpenAsync("alice");
        Assert.Equal(audio, after.State.Chunks.Find("c")?.Audio);
        Assert.Equal(clip, await after.Audio.DownloadAsync(audio.Hash));
    }

    [Fact(DisplayName =
        "[A2] a clip that is uploaded again stays, whether its sweep is asking, or has claimed it, or is deleting it")]
    public async Task Uploads_race_with_a_sweep()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var clip = AudioCluster.Bytes((2 * AudioPieces.Bytes) + 1, 1);
        // The rows read by the session that is asked; the claim; the first write of the deletion itself.
        foreach (var (row, isWrite) in ((string, bool)[])[("chunks", false), (AudioLedger.RowName, true), ("clip", true)])
        {
            await store.Audio.UploadAsync(clip);
            clock.MoveOn(AudioCluster.PastUploads);
            var uploading = Task.FromResult<AudioRef>(null!);
            await cluster.DuringSweepAsync("alice", row, isWrite, () =>
            {
                uploading = store.Audio.UploadAsync(clip);
                // While the row of the ledger or the clip is being written, the upload waits.
                return isWrite ? Task.CompletedTask : uploading;
            });
            var audio = await uploading.WaitAsync(ChatterboxCluster.Patience);

            await store.AddChunkAsync("c", audio);
            Assert.Equal(0, await cluster.SweepPastGraceAsync(clock, "alice"));
            Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));
            await store.RemoveChunkAsync("c").DurablyAsync();
            Assert.Equal(1, await cluster.SweepPastGraceAsync(clock, "alice"));
        }
    }

    [Fact(DisplayName =
        "[A2] a reference to a clip that is already being deleted is undone: the chunk is interrupted, ready to run again")]
    public async Task References_race_with_a_sweep()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var clip = AudioCluster.Bytes((2 * AudioPieces.Bytes) + 1, 1);
        var audio = await store.Audio.UploadAsync(clip);
        await store.UpsertChunkAsync(TestData.Chunk("c")).DurablyAsync();

        // Before the sessions are asked, the reference keeps the clip.
        clock.MoveOn(AudioCluster.PastUploads);
        await cluster.DuringSweepAsync("alice", "clip", isWrite: false, () => store.CompleteChunkAsync("c", audio));
        Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));
        await store.SetChunkStatusAsync("c", WorkStatus.Pending).DurablyAsync();
        clock.MoveOn(AudioCluster.PastGrace);
        Assert.Equal(0, await cluster.SweepAllAsync("alice"));

        clock.MoveOn(AudioCluster.PastGrace);
        await cluster.DuringSweepAsync("alice", "clip", isWrite: true, () => store.CompleteChunkAsync("c", audio));
        await store.ShowsAsync(state => state.Chunks.Find("c") is { Status: WorkStatus.Interrupted, Audio: null });
        Assert.Null(await store.Audio.DownloadAsync(audio.Hash));

        await store.CompleteChunkAsync("c", await store.Audio.UploadAsync(clip)).DurablyAsync();
        Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));
    }

    [Fact(DisplayName = "[A2] silos die after a deletion and before its sessions are told of it: the next sweep tells them")]
    public async Task Told_after_a_crash()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var clip = AudioCluster.Bytes((2 * AudioPieces.Bytes) + 1, 1);
        var audio = await store.Audio.UploadAsync(clip);
        await store.UpsertChunkAsync(TestData.Chunk("c")).DurablyAsync();
        clock.MoveOn(AudioCluster.PastUploads);
        // The last step of the deletion is done, and its caller does not hear of it.
        cluster.Probe.OnClear(row => row == "clip" ? Fault.AfterCommit : Fault.None);
        await cluster.DuringSweepAsync("alice", "clip", isWrite: true, () => store.CompleteChunkAsync("c", audio).DurablyAsync());
        await cluster.CrashAsync();
        cluster.Probe.Heal();
        Assert.Equal(audio, (await cluster.OpenAsync("alice")).State.Chunks.Find("c")!.Audio);

        await cluster.SweepAllAsync("alice");

        var chunk = (await cluster.OpenAsync("alice")).State.Chunks.Find("c")!;
        Assert.Equal((WorkStatus.Interrupted, null), (chunk.Status, chunk.Audio));
        Assert.Empty(await cluster.EntriesAsync("alice"));
    }

    [Fact(DisplayName =
        "[A2] a clip that only a copy of an earlier state refers to stays as long as the copy, and is restored with it")]
    public async Task Copies_keep_clips()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var clip = AudioCluster.Bytes(1000, 1);
        var audio = await store.Audio.UploadAsync(clip);
        await store.AddChunkAsync("c", audio);
        await store.Persistence.ClearPersistedStateAsync();

        Assert.Equal(0, await cluster.SweepPastGraceAsync(clock, "alice"));
        var report = await store.History.UndoAsync();

        Assert.Single(report.Restored);
        Assert.Equal((WorkStatus.Completed, audio), (store.State.Chunks[0].Status, store.State.Chunks[0].Audio));
        Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));
    }

    [Fact(DisplayName =
        "[A2] [R3] a state that is restored is checked against the stored clips: chunks without theirs are interrupted, "
        + "voices have no recording")]
    public async Task What_is_restored_is_checked()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var __ = cluster;
        var store = await cluster.OpenAsync("alice");
        var (gone, there) = (await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 1)),
            await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 2)));
        await store.AddChunkAsync("gone", gone);
        await store.AddChunkAsync("there", there);
        await store.UpsertVoiceAsync(new()
        {
            Id = "v", Name = "V", Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox), Prompt = gone,
        }).DurablyAsync();
        await store.Persistence.ClearPersistedStateAsync();
        await store.AddChunkAsync("new", there);
        clock.MoveOn(AudioCluster.PastUploads);
        // For room, copies do not count in the end.
        ValueList<ClipUse> used = [new(there.Hash, there.Length)];
        Assert.Equal(0, await cluster.Ledger("alice").FreeAsync(SessionId.DefaultStore, used, history: true));
        Assert.Equal(1, await cluster.Ledger("alice").FreeAsync(SessionId.DefaultStore, used, history: false));

        var report = await store.History.UndoAsync();

        Assert.Equal(3, report.Restored.Count);
        Assert.Equal((WorkStatus.Interrupted, null),
            (store.State.Chunks.Find("gone")!.Status, store.State.Chunks.Find("gone")!.Audio));
        Assert.Equal((WorkStatus.Completed, there),
            (store.State.Chunks.Find("there")!.Status, store.State.Chunks.Find("there")!.Audio));
        Assert.Null(store.State.SavedVoices[0].Prompt);
        await store.Persistence.FlushAsync();
        await cluster.CrashAsync();
        Assert.Equal(store.State, (await cluster.OpenAsync("alice")).State);
    }

    [Fact(DisplayName = "[A2] a slice that cannot be read keeps every clip until its bytes are dropped from the history")]
    public async Task Unreadable_rows_keep_clips()
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
        await store.UpsertChunkAsync(TestData.Chunk("d")).DurablyAsync();
        var item = Assert.Single(await store.History.ListAsync(), entry => entry.Reason == "unreadable");

        Assert.Equal(0, await cluster.SweepPastGraceAsync(clock, "alice"));
        Assert.NotNull(await store.Audio.DownloadAsync(audio.Hash));

        await store.History.DropAsync(item.Id);
        Assert.Equal(1, await cluster.SweepPastGraceAsync(clock, "alice"));
    }

    [Fact(DisplayName = "[A2] a deletion that a crash interrupted is not resumed where something refers to the clip by then")]
    public async Task Claims_are_lifted()
    {
        var (cluster, _) = await AudioCluster.StartAsync();
        await using var __ = cluster;
        var store = await cluster.OpenAsync("alice");
        var clip = AudioCluster.Bytes(1000, 1);
        var audio = await store.Audio.UploadAsync(clip);
        await store.AddChunkAsync("c", audio);
        // Only the copy of the state from before refers to it, so that it is spare.
        await store.Persistence.ClearPersistedStateAsync();
        var version = await cluster.Keeping("alice", audio.Hash).GetVersionAsync();
        await cluster.ReloadLedgerAsync("alice");
        var entry = Assert.Single(await cluster.EntriesAsync("alice")) with { Mark = ClipMark.Deleting };
        await StoredRows.OverwriteAsync(cluster.Database, AudioLedger.RowName, AudioLedger.Of([entry]).Encode());

        Assert.Equal(0, await cluster.Ledger("alice").FreeAsync(SessionId.DefaultStore, [], history: true));
        Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));
        Assert.Equal(0, await cluster.Ledger("alice").SweepAsync());

        Assert.Equal(ClipMark.Referenced, Assert.Single(await cluster.EntriesAsync("alice")).Mark);
        // What the interrupted deletion may still send comes too late.
        Assert.False(await cluster.Keeping("alice", audio.Hash).DeleteAsync(version));
        Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));
    }

    [Fact(DisplayName =
        "[A2] [X3] a damaged ledger costs no clip and locks nobody out, is filled again by the next upload, and its bytes "
        + "are kept")]
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
            SliceFrame.Encode("""[{"hash":"a","seen":"2026-01-01T00:00:00Z"},null]"""u8, 1, 1024),
            SliceFrame.Encode("""[{"hash":"a","stores":null,"length":-1}]"""u8, 1, 1024),
        ];
        foreach (var damage in damages)
        {
            await cluster.ReloadLedgerAsync("alice");
            await StoredRows.OverwriteAsync(cluster.Database, AudioLedger.RowName, damage);

            await store.AddChunkAsync("c2", await store.Audio.UploadAsync(clips[1]));
            Assert.Equal(clips[..2].Select(AudioCluster.HashOf).Order(), (await cluster.EntriesAsync("alice"))
                .Select(entry => entry.Hash));
            Assert.Equal(0, await cluster.SweepPastGraceAsync(clock, "alice"));
            Assert.Equal(clips[0], await store.Audio.DownloadAsync(AudioCluster.HashOf(clips[0])));
            Assert.Equal(clips[1], await store.Audio.DownloadAsync(AudioCluster.HashOf(clips[1])));
        }
        Assert.Equal(3, (await StoredRows.NamesAsync(cluster.Database)).Count(row =>
            row.StartsWith($"{AudioLedger.RowName}-damaged-", StringComparison.Ordinal)));
        var usage = (await store.Persistence.GetStorageInfoAsync()).Audio;
        Assert.Equal((2, 2000L), (usage.ReferencedClips, usage.ReferencedBytes));
    }

    [Fact(DisplayName =
        "[A2] [M3] a ledger that a newer silo has written is left as it is, refuses no upload, and has nothing deleted")]
    public async Task A_newer_ledger()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var dropped = await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 1));
        await cluster.ReloadLedgerAsync("alice");
        var newer = SliceFrame.Encode("""{"clips":{"later":"this is laid out otherwise"}}"""u8, 2, 1024);
        await StoredRows.OverwriteAsync(cluster.Database, AudioLedger.RowName, newer);

        var clip = AudioCluster.Bytes(1000, 2);
        var audio = await store.Audio.UploadAsync(clip);
        await store.AddChunkAsync("c", audio);
        await store.RemoveChunkAsync("c").DurablyAsync();

        Assert.Equal(0, await cluster.SweepPastGraceAsync(clock, "alice"));
        Assert.NotNull(await store.Audio.DownloadAsync(dropped.Hash));
        Assert.NotNull(await store.Audio.DownloadAsync(audio.Hash));
        Assert.Equal(newer, await StoredRows.ReadAsync(cluster.Database, AudioLedger.RowName));
    }

    [Fact(DisplayName = "[A2] one undeletable clip does not block the others and is retried")]
    public async Task One_failure_is_one()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var clips = new List<AudioRef>();
        for (var seed = 1; seed <= 3; seed++) clips.Add(await store.Audio.UploadAsync(AudioCluster.Bytes(1000, seed)));
        clock.MoveOn(AudioCluster.PastUploads);
        cluster.Probe.OnChange((grain, _) =>
            grain.Key.ToString() == AudioClipKey.For("alice", clips[1].Hash) ? Fault.BeforeCommit : Fault.None);

        Assert.Equal(2, await cluster.Ledger("alice").SweepAsync());
        cluster.Probe.Heal();
        Assert.NotNull(await store.Audio.DownloadAsync(clips[1].Hash));
        Assert.Equal(1, await cluster.SweepAllAsync("alice"));
        Assert.Empty(cluster.ClipRows("alice"));
    }

    [Fact(DisplayName =
        "[A2] [A3] an upload that is refused, or whose length cannot be true, stores nothing, and takes no room once it has "
        + "expired")]
    public async Task Refused_uploads_leave_nothing()
    {
        var (cluster, clock) = await AudioCluster.StartAsync();
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        var audio = await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 1));
        await store.AddChunkAsync("c", audio);

        var lie = await cluster.Clip("alice", audio.Hash).BeginUploadAsync(new(SessionId.DefaultStore, 1, "audio/wav"));
        Assert.Contains("1000 bytes", lie.Refused!.Message, StringComparison.Ordinal);
        var nonsense = await cluster.Clip("alice", new string('Z', 64))
            .BeginUploadAsync(new(SessionId.DefaultStore, 1, "audio/wav"));
        Assert.Contains("user/sha256", nonsense.Refused!.Message, StringComparison.Ordinal);
        foreach (var length in (int[])[1000, AudioPieces.Bytes + 1])
        {
            var other = cluster.Clip("alice", AudioCluster.HashOf(AudioCluster.Bytes(length, 2)));
            Assert.Contains("SHA-256", (await other.PutAsync(new(AudioCluster.Bytes(length, 3)), "audio/wav")).Refused!.Message,
                StringComparison.Ordinal);
        }

        Assert.Equal(["clip"], cluster.ClipRows("alice"));
        clock.MoveOn(AudioCluster.PastUploads);
        Assert.Equal(2, await cluster.SweepAllAsync("alice"));
        Assert.Equal(new AudioStorage { ReferencedClips = 1, ReferencedBytes = 1000 },
            (await store.Persistence.GetStorageInfoAsync()).Audio);
    }

    private sealed class Frames : IStorageStatus
    {
        public int PendingFrames { get; set; }

        public int ForeignFrames => 0;

        public DateTimeOffset? DegradedSince => null;

        public string? FallbackFailure => null;

        public int PendingFramesOf(GrainId grain) => 0;
    }
}
