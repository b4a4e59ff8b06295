using System.Security.Cryptography;
using Chatterbox.Client.Connections;
using Orleans.Concurrency;

namespace Chatterbox.Client;

/// <summary>Progress of an upload or a download, in bytes.</summary>
public readonly record struct AudioProgress(long Done, long Total);

/// <summary>The quota has no room for a clip, even after a clean-up. No stored data is lost.</summary>
public sealed class QuotaExceededException(QuotaExceeded quota) : IOException(quota.ToRejection().Message)
{
    public QuotaExceeded Quota => quota;
}

/// <summary>The clip, or any clip for this session, is refused: do not send it again.</summary>
public sealed class ClipRefusedException(Rejection why) : ArgumentException(why.Message)
{
    public Rejection Rejection => why;
}

/// <summary>
/// Uploads and downloads clips piece by piece. A failed call is repeated, from the position that the silo reports.
/// </summary>
internal sealed class ClipTransfer(ChatterboxClient client, string userId)
{
    /// <summary>The transfer fails after this time without a piece: replacing a silo takes less.</summary>
    private static readonly TimeSpan LongestOutage = TimeSpan.FromMinutes(1);

    /// <summary>A piece takes longer than other calls on a slow line.</summary>
    private static readonly TimeSpan FirstTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(50);

    /// <param name="clip">Seekable; read twice, from its start.</param>
    public async Task<AudioRef> UploadAsync(
        Stream clip, string store, string mediaType, IProgress<AudioProgress>? progress, CancellationToken cancellationToken)
    {
        if (clip.Length is < 1 or > Limits.ClipBytes)
        {
            throw new ClipRefusedException(new("audio", $"{clip.Length}", $"1 to {Limits.ClipBytes} bytes"));
        }
        clip.Position = 0;
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(clip, cancellationToken));
        var grain = client.Clip(userId, hash);
        var failures = new Failures(client);
        while (true)
        {
            try
            {
                var begun =
                    await failures.AttemptAsync(grain.BeginUploadAsync(new(store, clip.Length, mediaType)), cancellationToken);
                if (begun.Stored is null)
                {
                    var missing = Accepted(begun.Refused, begun.Quota, begun.Missing);
                    await SendAsync(grain, clip, missing, progress, failures, cancellationToken);
                }
                var completed = begun.Stored is null
                    ? await failures.AttemptAsync(grain.CompleteUploadAsync(), cancellationToken)
                    : new PutClipReply(begun.Stored, null);
                if (Accepted(completed.Refused, completed.Quota, completed.Audio) is { } audio)
                {
                    progress?.Report(new(clip.Length, clip.Length));
                    return audio;
                }
                // Pieces are missing, or the silo has lost the upload: it is restarted.
                failures.Add(new IOException("The upload was not complete."));
            }
            catch (Exception failure) when (IsPassing(failure, cancellationToken))
            {
                failures.Add(failure);
            }
            await failures.DelayAsync(cancellationToken);
        }
    }

    /// <returns>False when there is no such clip.</returns>
    /// <exception cref="InvalidDataException">The stored clip is damaged.</exception>
    public async Task<bool> DownloadAsync(string hash, Stream output, IProgress<AudioProgress>? progress,
        CancellationToken cancellationToken)
    {
        var grain = client.Clip(userId, hash);
        using var hashed = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (piece, done, total) = (0, 0L, 1L);
        while (done < total)
        {
            var reply = await FetchAsync(grain, piece, cancellationToken);
            if (reply.Refused is { } why) throw new InvalidDataException(why.Message);
            if (reply.Audio is null || reply.Bytes is null)
            {
                return piece == 0 ? false : throw new InvalidDataException($"The clip {hash} was deleted while it was read.");
            }
            await output.WriteAsync(reply.Bytes, cancellationToken);
            hashed.AppendData(reply.Bytes);
            (piece, done, total) = (piece + 1, done + reply.Bytes.Length, reply.Audio.Length);
            progress?.Report(new(done, total));
        }
        return Convert.ToHexStringLower(hashed.GetHashAndReset()) == hash
            ? true
            : throw new InvalidDataException(new Rejection("audio", $"damaged ({hash})", "intact in storage").Message);
    }

    private static async Task SendAsync(
        IAudioClipGrain grain, Stream clip, ValueList<int> missing, IProgress<AudioProgress>? progress, Failures failures,
        CancellationToken cancellationToken)
    {
        var done = clip.Length - missing.Sum(piece => (long)AudioPieces.LengthOf(piece, clip.Length));
        foreach (var piece in missing)
        {
            progress?.Report(new(done, clip.Length));
            var bytes = new byte[AudioPieces.LengthOf(piece, clip.Length)];
            clip.Position = (long)piece * AudioPieces.Bytes;
            await clip.ReadExactlyAsync(bytes, cancellationToken);
            var put = await failures.AttemptAsync(grain.PutPieceAsync(piece, bytes.AsImmutable()), cancellationToken);
            if (put.Unknown) return;
            done += Accepted(put.Refused, quota: null, bytes.Length);
            failures.Clear();
        }
    }

    private async Task<GetPieceReply> FetchAsync(IAudioClipGrain grain, int piece, CancellationToken cancellationToken)
    {
        var failures = new Failures(client);
        while (true)
        {
            try
            {
                return await failures.AttemptAsync(grain.GetPieceAsync(piece), cancellationToken);
            }
            catch (Exception failure) when (IsPassing(failure, cancellationToken))
            {
                failures.Add(failure);
            }
            await failures.DelayAsync(cancellationToken);
        }
    }

    private static T Accepted<T>(Rejection? refused, QuotaExceeded? quota, T value) =>
        quota is not null ? throw new QuotaExceededException(quota)
        : refused is not null ? throw new ClipRefusedException(refused)
        : value;

    private static bool IsPassing(Exception failure, CancellationToken cancellationToken) =>
        !cancellationToken.IsCancellationRequested
        && failure is not (ClipRefusedException or QuotaExceededException or SessionUnknownException or EndOfStreamException);

    private sealed class Failures(ChatterboxClient client)
    {
        private readonly AttemptTimeout _timeout = new(client.Options.CallTimeout, FirstTimeout);
        private int _count;
        private long _progress = client.Clock.GetTimestamp();

        public Task<T> AttemptAsync<T>(Task<T> call, CancellationToken cancellationToken) =>
            client.AttemptAsync(call, _timeout.Current, cancellationToken);

        // Attempts never get shorter again within a transfer.
        public void Clear() => (_count, _progress) = (0, client.Clock.GetTimestamp());

        public void Add(Exception failure)
        {
            _count++;
            _timeout.Failed(failure);
            if (client.Clock.GetElapsedTime(_progress) < LongestOutage) return;
            throw new IOException($"The clip could not be transferred: {failure.Message}", failure);
        }

        public Task DelayAsync(CancellationToken cancellationToken)
        {
            var delay = Math.Min(FirstRetryDelay.Ticks << Math.Min(_count, 16), client.Options.MaxRetryDelay.Ticks);
            return Task.Delay(TimeSpan.FromTicks((long)(delay * (0.5 + Random.Shared.NextDouble() / 2))), client.Clock,
                cancellationToken);
        }
    }
}
