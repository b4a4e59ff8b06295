using Orleans.Concurrency;

namespace Chatterbox.ClusterTests.Audio;

public sealed class UploadTests
{
    private const int ThreePieces = (2 * AudioPieces.Bytes) + 1000;

    [Fact(DisplayName = "[A1] a clip of several pieces comes back as it was, with progress on both ways")]
    public async Task Clips_come_back()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var store = await cluster.OpenAsync("alice");
        var clip = AudioCluster.Bytes(ThreePieces, 1);
        var (up, down) = (new Recorded(), new Recorded());

        var audio = await store.Audio.UploadAsync(clip, "audio/flac", up);
        var back = await store.Audio.DownloadAsync(audio.Hash, down);

        Assert.Equal((AudioCluster.HashOf(clip), clip.Length, "audio/flac"), (audio.Hash, audio.Length, audio.MediaType));
        Assert.Equal(clip, back);
        Assert.Equal(new AudioProgress(clip.Length, clip.Length), up.Last);
        Assert.Equal(new AudioProgress(clip.Length, clip.Length), down.Last);
        Assert.Null(await store.Audio.DownloadAsync(new string('0', 64)));
        Assert.All(cluster.Probe.Writes, write => Assert.InRange(write.Bytes.Length, 1, AudioPieces.Bytes));
    }

    [Theory(DisplayName = "[A1] a clip that the user has stored is not sent again")]
    [InlineData(1000)]
    [InlineData(ThreePieces)]
    public async Task Clips_are_stored_once(int length)
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var clip = AudioCluster.Bytes(length, 1);
        var first = await (await cluster.OpenAsync("alice")).Audio.UploadAsync(clip);
        cluster.Probe.Writes.Clear();

        using var stream = new MemoryStream(clip);
        var again = await (await cluster.OpenAsync("alice")).Audio.UploadAsync(stream);

        Assert.Equal(first, again);
        Assert.DoesNotContain(cluster.Probe.Writes, write => write.Row.StartsWith("clip", StringComparison.Ordinal));
    }

    [Theory(DisplayName = "[A1] pieces that are not the clip in the key are refused and leave nothing behind")]
    [InlineData(1000)]
    [InlineData(ThreePieces)]
    public async Task A_wrong_hash_is_refused(int length)
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var (clip, other) = (AudioCluster.Bytes(length, 1), AudioCluster.Bytes(length, 2));
        var grain = cluster.Clip("alice", AudioCluster.HashOf(clip));

        Rejection? refused = null;
        foreach (var piece in (await BeginAsync(grain, length)).Missing)
        {
            refused = (await grain.PutPieceAsync(piece, other.Piece(piece).AsImmutable())).Refused;
        }
        refused ??= (await grain.CompleteUploadAsync()).Refused;

        Assert.Contains("SHA-256", refused!.Message, StringComparison.Ordinal);
        Assert.Null(await grain.DescribeAsync());
        Assert.Empty(cluster.ClipRows("alice"));
        await (await cluster.OpenAsync("alice")).Audio.UploadAsync(clip);
        Assert.Equal(clip, (await grain.GetAsync()).Clip);
    }

    [Fact(DisplayName = "[A1] pieces may come in any order and twice; one that is lost is asked for")]
    public async Task Order_does_not_matter()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var clip = AudioCluster.Bytes(ThreePieces, 1);
        var grain = cluster.Clip("alice", AudioCluster.HashOf(clip));

        Assert.Equal([0, 1, 2], (await BeginAsync(grain, clip.Length)).Missing);
        foreach (var piece in (int[])[2, 0, 2])
        {
            Assert.Equal(new PutPieceReply(), await grain.PutPieceAsync(piece, clip.Piece(piece).AsImmutable()));
        }
        var early = await grain.CompleteUploadAsync();
        Assert.Equal([1], early.Missing);
        Assert.Null(early.Audio);
        Assert.Equal([1], (await BeginAsync(grain, clip.Length)).Missing);
        await grain.PutPieceAsync(1, clip.Piece(1).AsImmutable());
        var completed = await grain.CompleteUploadAsync();

        Assert.Equal(completed, await grain.CompleteUploadAsync());
        Assert.Equal(new PutPieceReply(), await grain.PutPieceAsync(1, clip.Piece(1).AsImmutable()));
        Assert.Equal(clip, (await grain.GetAsync()).Clip);
        Assert.Equal(3, cluster.Probe.Writes.Count(write => write.Row.StartsWith("clip-", StringComparison.Ordinal)));
    }

    [Fact(DisplayName = "[A1] a piece out of place, of another length, or of an upload that was not begun is not stored")]
    public async Task Wrong_pieces_are_refused()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var clip = AudioCluster.Bytes(ThreePieces, 1);
        var grain = cluster.Clip("alice", AudioCluster.HashOf(clip));

        Assert.True((await grain.PutPieceAsync(0, clip.Piece(0).AsImmutable())).Unknown);
        Assert.True((await grain.CompleteUploadAsync()).Unknown);
        await BeginAsync(grain, clip.Length);

        Assert.Contains("0 to 2", (await grain.PutPieceAsync(3, clip.Piece(0).AsImmutable())).Refused!.Message,
            StringComparison.Ordinal);
        Assert.Contains("1000 bytes", (await grain.PutPieceAsync(2, clip.Piece(0).AsImmutable())).Refused!.Message,
            StringComparison.Ordinal);
        Assert.Contains($"{Limits.ClipBytes}", (await BeginAsync(grain, Limits.ClipBytes + 1L)).Refused!.Message,
            StringComparison.Ordinal);
        Assert.Equal(["clip"], cluster.ClipRows("alice"));
    }

    [Fact(DisplayName = "[A1] an upload whose silo is killed goes on with the pieces that were not stored yet")]
    public async Task Uploads_survive_a_crash()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var store = await cluster.OpenAsync("alice");
        var clip = AudioCluster.Bytes((8 * AudioPieces.Bytes) + 1, 1);
        var (pieces, reached) = (0, new TaskCompletionSource());
        cluster.Probe.OnWrite(row =>
        {
            if (!row.StartsWith("clip-", StringComparison.Ordinal) || Interlocked.Increment(ref pieces) <= 5) return Fault.None;
            reached.TrySetResult();
            return Fault.BeforeCommit;
        });

        var uploading = store.Audio.UploadAsync(clip);
        await reached.Task.WaitAsync(ChatterboxCluster.Patience);
        await cluster.CrashAsync();
        cluster.Probe.Heal();
        var audio = await uploading.WaitAsync(ChatterboxCluster.Patience);

        Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));
        Assert.Equal(9, cluster.Probe.Writes.Count(write => write.Row.StartsWith("clip-", StringComparison.Ordinal)));
    }

    [Fact(DisplayName = "[A1] a clip that is damaged in storage is told, and mended by uploading it again")]
    public async Task Damage_is_mended()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var store = await cluster.OpenAsync("alice");
        var clip = AudioCluster.Bytes(ThreePieces, 1);
        var audio = await store.Audio.UploadAsync(clip);
        var piece = cluster.Probe.Writes.Last(write =>
            write.Row.StartsWith("clip-", StringComparison.Ordinal) && write.Row.EndsWith("-1", StringComparison.Ordinal));
        await StoredRows.OverwriteAsync(cluster.Database, piece.Row, AudioCluster.Bytes(AudioPieces.Bytes, 9));

        await Assert.ThrowsAsync<InvalidDataException>(() => store.Audio.DownloadAsync(audio.Hash));
        await store.Audio.UploadAsync(clip);

        Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));
    }

    private static Task<BeginUploadReply> BeginAsync(IAudioClipGrain grain, long length) =>
        grain.BeginUploadAsync(new(SessionId.DefaultStore, length, "audio/wav"));

    private sealed class Recorded : IProgress<AudioProgress>
    {
        public AudioProgress Last { get; private set; }

        public void Report(AudioProgress value)
        {
            Assert.InRange(value.Done, Last.Done, value.Total);
            Last = value;
        }
    }
}
