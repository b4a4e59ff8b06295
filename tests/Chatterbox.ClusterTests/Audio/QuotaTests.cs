using System.Diagnostics.Metrics;
using Chatterbox.ClusterTests.Storage;
using Chatterbox.Silo.Storage;
using static Chatterbox.Silo.Storage.DatabaseProvider;

namespace Chatterbox.ClusterTests.Audio;

/// <summary>What is stored, and what is done when it becomes too much.</summary>
public abstract class QuotaTests(DatabaseProvider database)
{
    /// <summary>Of which three fit beside the slices, and four do not.</summary>
    private const int ClipBytes = 300_000;

    [ContractFact(DisplayName = "[A3] what is said to be stored is what the database holds")]
    public async Task Numbers()
    {
        var (cluster, _) = await AudioCluster.StartAsync(database);
        await using var __ = cluster;
        var store = await cluster.OpenAsync("alice");
        for (var number = 0; number < 20; number++) await store.UpsertChunkAsync(TestData.Chunk($"c{number}"));
        await store.AddChunkAsync("held", await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 1)));
        await store.AddChunkAsync("same", await store.Audio.UploadAsync(AudioCluster.Bytes(1000, 1)));
        await store.AddChunkAsync("dropped", await store.Audio.UploadAsync(AudioCluster.Bytes(700, 3)));
        await store.AddChunkAsync("large", await store.Audio.UploadAsync(AudioCluster.Bytes(AudioPieces.Bytes + 5, 2)));
        await store.RemoveChunkAsync("dropped").DurablyAsync();
        await store.Audio.UploadAsync(AudioCluster.Bytes(300, 4));

        var info = await store.Persistence.GetStorageInfoAsync();

        var rows = await StoredRows.LengthsAsync(cluster.Database);
        foreach (var slice in info.Slices)
        {
            Assert.Equal(rows.Where(row => row.Key == new SessionId("alice").Key
                && row.Row.Equals($"{slice.Slice}", StringComparison.OrdinalIgnoreCase))
                .Sum(row => row.Bytes), slice.StoredBytes);
        }
        var chunks = info.Slices.Single(slice => slice.Slice is TtsSlice.Chunks);
        Assert.Equal(23, chunks.Items);
        Assert.InRange(chunks.Bytes, 2 * chunks.StoredBytes, 100_000);
        Assert.Equal((double)info.Slices.Sum(slice => slice.Bytes) / info.Slices.Sum(slice => slice.StoredBytes),
            info.CompressionRatio);

        var audio = info.Audio;
        Assert.Equal((2, 1000L + AudioPieces.Bytes + 5), (audio.ReferencedClips, audio.ReferencedBytes));
        Assert.Equal((1, 300L, 1, 700L),
            (audio.PendingClips, audio.PendingBytes, audio.UnreferencedClips, audio.UnreferencedBytes));
        // A clip's row says its media type beside its bytes, and one in pieces has a head.
        var clips = rows.Where(row => row.Key.StartsWith(AudioClipKey.For("alice", ""), StringComparison.Ordinal)
            && row.Row.StartsWith("clip", StringComparison.Ordinal)).ToArray();
        Assert.Equal(6, clips.Length);
        Assert.InRange(clips.Sum(row => row.Bytes) - audio.TotalBytes, 0, 500);
        Assert.Equal(info.Slices.Sum(slice => slice.StoredBytes) + audio.TotalBytes, info.UsedBytes);
        Assert.Equal(1L << 30, info.QuotaBytes);

        var status = await store.Persistence.GetStatusAsync();
        Assert.Equal((status.Changes, status.RowWrites), (info.Changes, info.Writes));
        Assert.Equal(25, info.Changes);
        Assert.Equal((double)info.Changes / info.Writes, info.ChangesPerWrite);
        Assert.Equal(cluster.Probe.Writes.Count(write => write.Row is "chunks"), info.Writes);
        Assert.NotNull(info.LastSaved);
    }

    [ContractFact(DisplayName =
        "[A4] without room the oldest work sessions lose their audio, keep text, parameters and seed, "
        + "and clients and metrics are told")]
    public async Task Clean_up()
    {
        var (cluster, _) = await AudioCluster.StartAsync(database);
        await using var __ = cluster;
        using var metrics = new CleanUps();
        var store = await FullAsync(cluster);
        var looking = await cluster.OpenAsync("alice", AudioCluster.SmallStore);
        var told = new TaskCompletionSource<QuotaCleanedUp>();
        looking.Audio.QuotaCleanedUp += cleaned => told.TrySetResult(cleaned);
        var before = store.State;

        var clip = AudioCluster.Bytes(ClipBytes, 4);
        var audio = await store.Audio.UploadAsync(clip);
        var cleaned = await told.Task.WaitAsync(ChatterboxCluster.Patience);

        await store.ShowsAsync(state => state.Chunks.Find("c1")!.Audio is null);
        Assert.Equal(before.Chunks.Find("c1")! with { Status = WorkStatus.Pending, Audio = null }, store.State.Chunks.Find("c1"));
        Assert.Equal(77, store.State.Chunks.Find("c1")!.Parameters.Seed);
        Assert.Equal(before.Chunks.Where(chunk => chunk.Id != "c1"), store.State.Chunks.Where(chunk => chunk.Id != "c1"));
        Assert.Equal(before.WorkSessions, store.State.WorkSessions);
        var session = Assert.Single(cleaned.Cleaned);
        Assert.Equal(("s1", ClipBytes, AudioCluster.Quota), (session.Id, (int)session.Bytes, (int)cleaned.QuotaBytes));
        Assert.Equal(["c1"], session.ChunkIds);
        Assert.Equal((1L, (long)ClipBytes), metrics.Seen);

        Assert.Null(await store.Audio.DownloadAsync(before.Chunks.Find("c1")!.Audio!.Hash));
        foreach (var chunk in store.State.Chunks.Where(chunk => chunk.Audio is not null))
        {
            Assert.NotNull(await store.Audio.DownloadAsync(chunk.Audio!.Hash));
        }
        Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));
        var info = await store.Persistence.GetStorageInfoAsync();
        Assert.Equal((2, 1, 0), (info.Audio.ReferencedClips, info.Audio.PendingClips, info.Audio.UnreferencedClips));
        Assert.InRange(info.UsedBytes, 3 * ClipBytes, AudioCluster.Quota);
        Assert.InRange(cleaned.UsedBytes, 2 * ClipBytes, info.UsedBytes - ClipBytes);

        // Of the state from before, everything is restored but the audio that had to go.
        await store.History.UndoAsync();
        Assert.Equal(WorkStatus.Interrupted, store.State.Chunks.Find("c1")!.Status);
        Assert.Equal(before.Chunks.Where(chunk => chunk.Id != "c1"), store.State.Chunks.Where(chunk => chunk.Id != "c1"));
    }

    [ContractFact(DisplayName =
        "[A4] where even a clean-up would not make room, the upload is refused with what is used, needed and allowed, and "
        + "nothing is lost or left behind")]
    public async Task Refused()
    {
        var (cluster, _) = await AudioCluster.StartAsync(database);
        await using var __ = cluster;
        var store = await FullAsync(cluster);
        var (before, rows) = (store.State, cluster.ClipRows("alice").Order().ToArray());
        var info = await store.Persistence.GetStorageInfoAsync();

        // The two old work sessions have 600,000 bytes; the current one keeps its own.
        foreach (var length in (int[])[ClipBytes + ClipBytes + (ClipBytes / 2), AudioCluster.Quota + 1])
        {
            var full =
                await Assert.ThrowsAsync<QuotaExceededException>(() => store.Audio.UploadAsync(AudioCluster.Bytes(length, 9)));
            Assert.Equal(new QuotaExceeded(info.UsedBytes, length, AudioCluster.Quota), full.Quota);
            Assert.Contains($"{length} needed", full.Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, store.State);
        Assert.Equal(rows, cluster.ClipRows("alice").Order());
        Assert.Equal(info, await store.Persistence.GetStorageInfoAsync());
        foreach (var chunk in store.State.Chunks) Assert.NotNull(await store.Audio.DownloadAsync(chunk.Audio!.Hash));
    }

    [ContractFact(DisplayName =
        "[A4] clips that nothing refers to are deleted first, and a clip that is stored already needs no room")]
    public async Task Spare_goes_first()
    {
        var (cluster, _) = await AudioCluster.StartAsync(database);
        await using var __ = cluster;
        var store = await FullAsync(cluster);
        await store.RemoveChunkAsync("c2").DurablyAsync();
        await store.AddChunkAsync("c4", await store.Audio.UploadAsync(AudioCluster.Bytes(ClipBytes, 4)));

        var kept = AudioCluster.Bytes(ClipBytes, 1);
        Assert.Equal(store.State.Chunks.Find("c1")!.Audio, await store.Audio.UploadAsync(kept));

        Assert.Equal(["c1", "c3", "c4"], store.State.Chunks.Where(chunk => chunk.Audio is not null).Select(chunk => chunk.Id));
        Assert.Equal(3, cluster.ClipRows("alice").Count);
    }

    [ContractFact(DisplayName =
        "[A4] chunks in no work session lose their audio when their turn comes, clients are told, and nothing is refused "
        + "that they have room for")]
    public async Task Loose_chunks()
    {
        var (cluster, _) = await AudioCluster.StartAsync(database);
        await using var __ = cluster;
        var store = await FullAsync(cluster);
        // Their work sessions are removed: the chunks stay, in none.
        await store.RemoveWorkSessionAsync("s1").DurablyAsync();
        await store.RemoveWorkSessionAsync("s2").DurablyAsync();
        var told = new TaskCompletionSource<QuotaCleanedUp>();
        store.Audio.QuotaCleanedUp += cleaned => told.TrySetResult(cleaned);
        var loose = store.State.Chunks.Where(chunk => chunk.Id is "c1" or "c2").OrderBy(chunk => chunk.CreatedAt)
            .ThenBy(chunk => chunk.Id).Select(chunk => chunk.Id).ToArray();
        Assert.Equal(2, loose.Length);

        await store.AddChunkAsync("c4", await store.Audio.UploadAsync(AudioCluster.Bytes(ClipBytes, 4)));

        var cleaned = await told.Task.WaitAsync(ChatterboxCluster.Patience);
        Assert.Empty(cleaned.Cleaned);
        Assert.Equal(loose[..1], cleaned.LooseChunkIds);
        Assert.Equal(ClipBytes, cleaned.FreedBytes);
        await store.ShowsAsync(state => state.Chunks.Find(loose[0])! is { Status: WorkStatus.Pending, Audio: null });
        Assert.NotNull(store.State.Chunks.Find("c3")!.Audio);
        Assert.Equal(3, cluster.ClipRows("alice").Count);
    }

    [ContractFact(DisplayName =
        "[A4] [R4] an import for whose audio there is no room changes nothing and costs nothing that is there")]
    public async Task Imports_make_no_room()
    {
        var (cluster, _) = await AudioCluster.StartAsync(database);
        await using var __ = cluster;
        var other = await cluster.OpenAsync("bob");
        await other.AddChunkAsync("c1", await other.Audio.UploadAsync(AudioCluster.Bytes(ClipBytes, 1)));
        await other.AddChunkAsync("c9", await other.Audio.UploadAsync(AudioCluster.Bytes(ClipBytes, 9)));
        using var document = new MemoryStream();
        await other.Backup.ExportAsync(document);
        var store = await FullAsync(cluster);
        var (before, rows) = (store.State, cluster.ClipRows("alice").Count);

        foreach (var dryRun in (bool[])[true, false])
        {
            document.Position = 0;
            var full = await Assert.ThrowsAsync<QuotaExceededException>(() => store.Backup.ImportAsync(document, dryRun));
            Assert.Equal((ClipBytes, AudioCluster.Quota), ((int)full.Quota.Needed, (int)full.Quota.Allowed));
        }

        Assert.Equal(before, store.State);
        Assert.Equal(rows, cluster.ClipRows("alice").Count);
        await store.Persistence.ClearPersistedStateAsync();
        document.Position = 0;
        Assert.Null((await store.Backup.ImportAsync(document)).Refused);
        Assert.Equal(other.State.Chunks, store.State.Chunks);
    }

    [ContractFact(DisplayName = "[A4] a clean-up that storage fails goes on with the next try, and the upload gets through")]
    public async Task Faults()
    {
        var (cluster, _) = await AudioCluster.StartAsync(database);
        await using var __ = cluster;
        var store = await FullAsync(cluster);
        var changes = 0;
        Fault[] faults = [Fault.BeforeCommit, Fault.None, Fault.AfterCommit, Fault.None, Fault.StaleEtag, Fault.None];
        cluster.Probe.OnChange((_, _) => faults[Interlocked.Increment(ref changes) % faults.Length]);

        var clip = AudioCluster.Bytes(ClipBytes, 4);
        AudioRef? audio = null;
        while (audio is null)
        {
            try
            {
                audio = await store.Audio.UploadAsync(clip).WaitAsync(ChatterboxCluster.Patience);
            }
            catch (IOException failing) when (failing is not QuotaExceededException)
            {
                // Storage fails every other time: a client may give up, and its user tries again.
            }
        }
        cluster.Probe.Heal();
        await store.AddChunkAsync("c4", audio);

        Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));
        Assert.NotNull(store.State.Chunks.Find("c3")!.Audio);
        await AudioCluster.UntilAsync(() =>
            store.Persistence.GetStorageInfoAsync().Result is { Audio.PendingClips: 0 } info
            && info.UsedBytes <= AudioCluster.Quota);
        foreach (var chunk in store.State.Chunks.Where(chunk => chunk.Audio is not null))
        {
            Assert.NotNull(await store.Audio.DownloadAsync(chunk.Audio!.Hash));
        }
    }

    /// <summary>Three work sessions with a clip each, the last of them the current one, and no room for a fourth.</summary>
    private static async Task<ChatterboxStore> FullAsync(ChatterboxCluster cluster)
    {
        var store = await cluster.OpenAsync("alice", AudioCluster.SmallStore);
        for (var number = 1; number <= 3; number++)
        {
            var chunk = TestData.Chunk($"c{number}");
            await store.UpsertWorkSessionAsync(new()
            {
                Id = $"s{number}", Name = $"Session {number}", ChunkIds = [chunk.Id],
                UpdatedAt = DateTimeOffset.UnixEpoch.AddDays(number),
            });
            await store.UpsertChunkAsync(chunk with
            {
                Status = WorkStatus.Completed,
                Audio = await store.Audio.UploadAsync(AudioCluster.Bytes(ClipBytes, number)),
                Parameters = chunk.Parameters with { Seed = 77 },
            });
        }
        await store.SelectWorkSessionAsync("s3").DurablyAsync();
        return store;
    }

    private sealed class CleanUps : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _count, _bytes;

        public CleanUps()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument is { Meter.Name: "Chatterbox" }
                    && instrument.Name.StartsWith("chatterbox.quota.", StringComparison.Ordinal))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
            {
                if (instrument.Name == "chatterbox.quota.cleanups") Interlocked.Add(ref _count, value);
                else if (instrument.Name == "chatterbox.quota.freed") Interlocked.Add(ref _bytes, value);
            });
            _listener.Start();
        }

        public (long Count, long Bytes) Seen => (Interlocked.Read(ref _count), Interlocked.Read(ref _bytes));

        public void Dispose() => _listener.Dispose();
    }
}

// One after the other: both listen to the one meter.
[Collection("quota")]
[OnDatabase(Sqlite)]
public class QuotaOnSqlite() : QuotaTests(Sqlite);

[Collection("quota")]
[OnDatabase(PostgreSql)]
public class QuotaOnPostgreSql() : QuotaTests(PostgreSql);
