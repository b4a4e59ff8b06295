using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Chatterbox.Grains.Persistence;
using Orleans.Storage;

namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>
/// Keeps frames in a local file while the database is unavailable, and replays them when it is available again. The write still
/// fails to its caller: what is on one machine's disk is not saved, and no client is told that it is.
/// </summary>
/// <remarks>
/// Why this is safe with a session that goes on trying by itself:
/// <list type="bullet">
/// <item>A frame is replayed under the etag it was written with. If the session, here or on another silo, has got through since,
/// the etag has moved on and the replay is a conflict; it never overwrites.</item>
/// <item>When the session gets through, its frame holds all that the ones here do, so they are forgotten. Replay first leaves
/// live
/// sessions time to do so.</item>
/// <item>If replay is faster all the same, the session meets the conflict. It then reads again, finds by <c>applied</c> what is
/// in, and
/// writes the rest.</item>
/// <item>A session that is loaded while frames of it are here gets them replayed first, so it starts from the last it had. Where
/// the
/// database can be read and not written, a reader that says so (<see cref="StoredFrame.AcceptsPending"/>) gets the pending frame
/// that
/// belongs on the stored row, marked as not saved.</item>
/// <item>A frame is for one database, known by an id that is stored in it, and one service. Before frames are replayed the
/// database is
/// asked for its id: nothing is replayed into another one.</item>
/// <item>A row that holds what was sent earlier under the frame's etag holds less than the frame, which is then written over
/// it.</item>
/// </list>
/// A frame that meets any other conflict goes to the session's history; it is never dropped.
/// </remarks>
internal sealed partial class FallbackGrainStorage : IGrainStorage, IStorageStatus
{
    /// <summary>For live sessions to get through by themselves: longer than they wait between two tries by default.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>How often a row may change under a replay before its frame is taken for overtaken.</summary>
    private const int Tries = 3;

    private const string UnavailableSince = "The database has been unavailable since";

    private readonly IGrainStorage primary;
    private readonly Func<Task<FallbackOwner>> readOwner;
    private readonly FallbackFile file;
    private readonly HistoryRetention retention;
    private readonly TimeProvider clock;
    private readonly ILogger<FallbackGrainStorage> logger;

    // A database may be readable and take no writes.
    private readonly Circuit reads;
    private readonly Circuit writes;

    private readonly SemaphoreSlim replaying = new(1);
    private readonly CancellationTokenSource stopping = new();
    private Task replay = Task.CompletedTask;
    private FallbackOwner? owner;
    private string? fallbackFailure;
    private string? otherDatabase;

    /// <param name="primary">Fails with the product's exceptions.</param>
    /// <param name="readOwner">Asks the database for its id; fails likewise.</param>
    /// <param name="retention">Of the histories that overtaken frames go to.</param>
    public FallbackGrainStorage(
        IGrainStorage primary, Func<Task<FallbackOwner>> readOwner, FallbackFile file, HistoryRetention retention,
        TimeProvider clock, ILogger<FallbackGrainStorage> logger)
    {
        (this.primary, this.readOwner, this.file, this.retention) = (primary, readOwner, file, retention);
        (this.clock, this.logger) = (clock, logger);
        (reads, writes) = (new(clock, Random.Shared.NextDouble), new(clock, Random.Shared.NextDouble));
        file.Moved += LogDamaged;
    }

    public DateTimeOffset? DegradedSince =>
        (reads.OpenSince, writes.OpenSince) is ({ } read, { } written)
            ? (read < written ? read : written)
            : reads.OpenSince ?? writes.OpenSince;

    public int PendingFrames => file.Count;

    public int ForeignFrames => file.ForeignCount;

    public string? FallbackFailure => Volatile.Read(ref otherDatabase) ?? Volatile.Read(ref fallbackFailure);

    public int PendingFramesOf(GrainId grain) => file.CountOf(grain);

    /// <exception cref="StorageUnavailableException">The database is unavailable.</exception>
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        try
        {
            if (file.Contains(stateName, grainId) && !await TryReplayAsync(stateName, grainId, grainState))
                return;
            await AskAsync(reads, () => primary.ReadStateAsync(stateName, grainId, grainState));
        }
        catch (Exception failure) when (IsUnavailable(failure))
        {
            // Where the database was not even asked, that is said already.
            throw failure.Message.StartsWith(UnavailableSince, StringComparison.Ordinal) ? failure : Unavailable(failure.Message);
        }
    }

    /// <summary>False where the row's pending frame was read instead, since the database takes no writes.</summary>
    private async Task<bool> TryReplayAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await EnsureOwnDatabaseAsync();
        var numbers = await ListAsync(stateName, grainId);
        try
        {
            await ReplayAsync(numbers);
            return true;
        }
        catch (Exception failure) when (
            IsUnavailable(failure) && reads.OpenSince is null && grainState.State is StoredFrame { AcceptsPending: true })
        {
            await AskAsync(reads, () => primary.ReadStateAsync(stateName, grainId, grainState));
            if (await PendingOnAsync((IGrainState<StoredFrame>)grainState, numbers) is { } pending)
            {
                ((IGrainState<StoredFrame>)grainState).State = new StoredFrame { Bytes = pending.Bytes, IsPending = true };
                grainState.RecordExists = true;
            }
            return false;
        }
    }

    /// <summary>
    /// The frame whose write would be no conflict: it was to replace what is stored, or what is stored is an earlier try.
    /// </summary>
    private async Task<FallbackFrame?> PendingOnAsync(IGrainState<StoredFrame> stored, List<long> numbers)
    {
        var etag = string.IsNullOrEmpty(stored.ETag) ? null : stored.ETag;
        var digest = stored.RecordExists ? SHA256.HashData(stored.State!.Bytes) : null;
        FallbackFrame? earlier = null;
        foreach (var number in Enumerable.Reverse(numbers))
        {
            if (await file.FindAsync(number) is not { IsDamaged: false } frame)
                continue;
            if (frame.ETag == etag)
                return frame;
            if (digest is not null && frame.Sent.Any(sent => sent.AsSpan().SequenceEqual(digest)))
                earlier ??= frame;
        }
        return earlier is not null && earlier.Bytes.AsSpan().SequenceEqual(stored.State!.Bytes) ? null : earlier;
    }

    /// <exception cref="StorageUnavailableException">The database at this address is another one than at the start.</exception>
    private async Task EnsureOwnDatabaseAsync()
    {
        FallbackOwner? found = null;
        await AskAsync(reads, async () => found = await readOwner());
        if (found == owner)
        {
            Volatile.Write(ref otherDatabase, null);
            return;
        }
        var reason = $"the database at the configured address is not the one that this silo started with (id {found!.Database}, "
            + $"expected {owner?.Database}): connect that one again, or restart the silo to use this one";
        if (Interlocked.Exchange(ref otherDatabase, reason) is null)
            LogOtherDatabase(reason);
        throw Unavailable(reason);
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        // The etag as it was before: a storage may have set it when the failure came.
        var etag = grainState.ETag;
        try
        {
            await AskAsync(writes, () => primary.WriteStateAsync(stateName, grainId, grainState));
        }
        catch (Exception failure) when (IsUnavailable(failure) && grainState.State is StoredFrame)
        {
            await KeepAsync(stateName, grainId, etag, ((StoredFrame)(object)grainState.State!).Bytes,
                isSent: failure is not StorageUnavailableException);
            throw;
        }
        await ForgetAsync(stateName, grainId);
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await AskAsync(writes, () => primary.ClearStateAsync(stateName, grainId, grainState));
        await ForgetAsync(stateName, grainId);
    }

    /// <summary>
    /// Writes frames to the database, oldest first; stops at the first that finds it unavailable. One that it refuses for what it
    /// is
    /// stays here, and delays no other.
    /// </summary>
    [SuppressMessage("Design", "CA1031", Justification = "A failure of one frame says nothing about the next.")]
    internal async Task ReplayAsync(IEnumerable<long> numbers)
    {
        foreach (var number in numbers)
        {
            // A turn for each: a session that is being loaded waits for its own frames only.
            await replaying.WaitAsync(stopping.Token);
            try
            {
                if (await file.FindAsync(number) is { } frame)
                    await ReplayAsync(frame);
            }
            catch (Exception failure) when (failure is not OperationCanceledException && !IsUnavailable(failure))
            {
                LogNotReplayed(failure, number);
            }
            finally
            {
                replaying.Release();
            }
        }
    }

    private async Task ReplayAsync(FallbackFrame frame)
    {
        if (frame.IsDamaged)
        {
            await KeepInHistoryAsync(frame, "its bytes were damaged in the fallback file");
            return;
        }
        var etag = frame.ETag;
        for (var attempt = 1; attempt <= Tries; attempt++)
        {
            try
            {
                await AskAsync(writes, () => primary.WriteStateAsync(
                    frame.StateName, frame.Grain, new GrainState<StoredFrame>(new StoredFrame { Bytes = frame.Bytes }, etag!)));
                LogReplayed(frame.StateName, frame.Grain);
                await file.RemoveAsync(frame);
                return;
            }
            catch (InconsistentStateException)
            {
                var stored = new GrainState<StoredFrame>(new StoredFrame());
                await AskAsync(reads, () => primary.ReadStateAsync(frame.StateName, frame.Grain, stored));
                var digest = SHA256.HashData(stored.State!.Bytes);
                // The write whose outcome was unknown had got through after all.
                if (digest.AsSpan().SequenceEqual(SHA256.HashData(frame.Bytes)))
                {
                    await file.RemoveAsync(frame);
                    return;
                }
                if (!frame.Sent.Any(sent => sent.AsSpan().SequenceEqual(digest)))
                    break;
                etag = stored.ETag;
            }
        }
        // Gone from here: the session got through by itself in the meantime, with all that the frame holds.
        if (await file.FindAsync(frame.Number) is not null)
            await KeepInHistoryAsync(frame,
                "it was not saved, and the database held something later when it was available again");
    }

    private async Task KeepInHistoryAsync(FallbackFrame frame, string reason)
    {
        await AskAsync(writes, () => new History(primary, frame.Grain, retention, clock).KeepAsync(new(
            HistoryReason.Overtaken, $"saved at {frame.SavedAt}: {reason}", clock.GetUtcNow(), SchemaVersion: 0, Revision: 0,
            [new(frame.StateName, frame.Bytes)])));
        LogKept(frame.StateName, frame.Grain, reason);
        await file.RemoveAsync(frame);
    }

    /// <summary>Asks the database unless it is known to be unavailable, and notes the outcome.</summary>
    private async Task AskAsync(Circuit circuit, Func<Task> ask)
    {
        if (!circuit.TryEnter(out var entered))
            throw Unavailable("the next try is due shortly");
        try
        {
            await ask();
        }
        catch (Exception failure) when (IsUnavailable(failure))
        {
            circuit.Failed(entered);
            throw;
        }
        catch
        {
            // A conflict is an answer too.
            circuit.Succeeded(entered);
            throw;
        }
        circuit.Succeeded(entered);
    }

    private StorageUnavailableException Unavailable(string reason) => new(
        $"{UnavailableSince} {DegradedSince ?? clock.GetUtcNow():u}: {reason.TrimEnd('.')}."
        + (Volatile.Read(ref fallbackFailure) is { } failure ? $" The fallback file cannot be written either: {failure}." : ""));

    // Disposed: the silo stops, and this late write is for its next start.
    private static bool IsUnavailable(Exception failure) =>
        failure is StorageUnavailableException or WriteOutcomeUnknownException or ObjectDisposedException;

    [SuppressMessage("Design", "CA1031",
        Justification = "The caller gets the database's failure; that of the file must not hide it.")]
    private async Task KeepAsync(string stateName, GrainId grainId, string? etag, byte[] bytes, bool isSent)
    {
        try
        {
            await file.SaveAsync(stateName, grainId, etag, bytes, isSent);
            Volatile.Write(ref fallbackFailure, null);
        }
        catch (Exception failure)
        {
            Volatile.Write(ref fallbackFailure, failure.Message);
            LogNotKept(failure, stateName, grainId);
        }
    }

    [SuppressMessage("Design", "CA1031",
        Justification = "The write is committed. A frame that stays meets a conflict when it is replayed.")]
    private async Task ForgetAsync(string stateName, GrainId grainId)
    {
        if (!file.Contains(stateName, grainId))
            return;
        try
        {
            await file.ForgetAsync(stateName, grainId);
        }
        catch (Exception failure)
        {
            LogNotForgotten(failure, stateName, grainId);
        }
    }

    [SuppressMessage("Design", "CA1031",
        Justification = "A file that cannot be read must not lock a user out; the etag guards what is stored.")]
    private async Task<List<long>> ListAsync(string stateName, GrainId grainId)
    {
        try
        {
            return await file.ListAsync(stateName, grainId);
        }
        catch (Exception failure)
        {
            LogNotRead(failure, stateName, grainId);
            return [];
        }
    }
}
