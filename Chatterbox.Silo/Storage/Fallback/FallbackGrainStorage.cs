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
/// <item>When the session gets through, its frame holds all that the ones here do, so they are forgotten. Replay first leaves live
/// sessions time to do so.</item>
/// <item>If replay is faster all the same, the session meets the conflict. It then reads again, finds by <c>applied</c> what is in, and
/// writes the rest.</item>
/// <item>A session that is loaded while frames of it are here gets them replayed first, so it starts from the last it had. Where the
/// database can be read and not written, a reader that says so (<see cref="StoredFrame.AcceptsPending"/>) gets the pending frame that
/// belongs on the stored row, marked as not saved.</item>
/// <item>A frame is for one database, known by an id that is stored in it, and one service. Before frames are replayed the database is
/// asked for its id: nothing is replayed into another one.</item>
/// <item>A row that holds what was sent earlier under the frame's etag holds less than the frame, which is then written over it.</item>
/// </list>
/// A frame that meets any other conflict goes to the session's history; it is never dropped.
/// </remarks>
internal sealed partial class FallbackGrainStorage : IGrainStorage, IStorageStatus, ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    /// <summary>For live sessions to get through by themselves: longer than they wait between two tries by default.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>How often a row may change under a replay before its frame is taken for overtaken.</summary>
    private const int Tries = 3;

    private readonly IGrainStorage primary;
    private readonly Func<Exception, bool> isUnavailable;
    private readonly Func<Task<FallbackOwner>> readOwner;
    private readonly FallbackFile file;
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

    /// <param name="isUnavailable">Whether a failure of the primary says that the database is unavailable.</param>
    /// <param name="readOwner">Asks the database for its id.</param>
    public FallbackGrainStorage(
        IGrainStorage primary, Func<Exception, bool> isUnavailable, Func<Task<FallbackOwner>> readOwner, FallbackFile file,
        TimeProvider clock, ILogger<FallbackGrainStorage> logger)
    {
        (this.primary, this.isUnavailable, this.readOwner) = (primary, isUnavailable, readOwner);
        (this.file, this.clock, this.logger) = (file, clock, logger);
        (reads, writes) = (new(clock, Random.Shared.NextDouble), new(clock, Random.Shared.NextDouble));
        file.SetAside += LogSetAside;
    }

    public DateTimeOffset? DegradedSince =>
        (reads.OpenSince, writes.OpenSince) is ({ } read, { } written) ? (read < written ? read : written) : reads.OpenSince ?? writes.OpenSince;

    public int PendingFrames => file.Count;

    public int ForeignFrames => file.ForeignCount;

    public string? FallbackFailure => Volatile.Read(ref otherDatabase) ?? Volatile.Read(ref fallbackFailure);

    public int PendingFramesOf(GrainId grain) => file.CountOf(grain);

    public void Participate(ISiloLifecycle lifecycle)
    {
        // Open before the primary takes writes, closed after it took the last.
        lifecycle.Subscribe(nameof(FallbackGrainStorage), ServiceLifecycleStage.ApplicationServices - 1, StartAsync, CloseAsync);
        (primary as ILifecycleParticipant<ISiloLifecycle>)?.Participate(lifecycle);
        lifecycle.Subscribe(nameof(FallbackGrainStorage), ServiceLifecycleStage.ApplicationServices + 1, StartReplayAsync, StopReplayAsync);
    }

    /// <exception cref="StorageUnavailableException">The database is unavailable.</exception>
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        try
        {
            if (file.Contains(stateName, grainId) && !await TryReplayAsync(stateName, grainId, grainState))
                return;
            await AskAsync(reads, () => primary.ReadStateAsync(stateName, grainId, grainState));
        }
        catch (Exception failure) when (isUnavailable(failure))
        {
            throw Unavailable(failure.Message);
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

    /// <summary>The frame whose write would be no conflict: it was to replace what is stored, or what is stored is an earlier try.</summary>
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
            await KeepAsync(stateName, grainId, etag, ((StoredFrame)(object)grainState.State!).Bytes, isSent: failure is not StorageUnavailableException);
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
    /// Writes frames to the database, oldest first; stops at the first that finds it unavailable. One that it refuses for what it is
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
            await KeepInHistoryAsync(frame, "it was not saved, and the database held something later when it was available again");
    }

    private async Task KeepInHistoryAsync(FallbackFrame frame, string reason)
    {
        await AskAsync(writes, () => new History(primary, frame.Grain, HistoryRetention.Default, clock).KeepAsync(new(
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
        catch (Exception failure) when (isUnavailable(failure))
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
        $"The database has been unavailable since {DegradedSince ?? clock.GetUtcNow():u}: {reason}."
        + (Volatile.Read(ref fallbackFailure) is { } failure ? $" The fallback file cannot be written either: {failure}." : ""));

    private bool IsUnavailable(Exception failure) => failure is StorageUnavailableException || isUnavailable(failure);

    [SuppressMessage("Design", "CA1031", Justification = "The caller gets the database's failure; that of the file must not hide it.")]
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

    [SuppressMessage("Design", "CA1031", Justification = "The write is committed. A frame that stays meets a conflict when it is replayed.")]
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

    [SuppressMessage("Design", "CA1031", Justification = "A file that cannot be read must not lock a user out; the etag guards what is stored.")]
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

    internal async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            owner = await readOwner();
        }
        catch (Exception failure) when (isUnavailable(failure))
        {
            // Without the database's id nothing can be kept for it: a frame might be replayed into another one.
            throw new StorageUnavailableException($"The silo cannot start while the database is unavailable: {failure.Message}");
        }
        await file.OpenAsync(owner);
        if (file.Count > 0)
            LogFound(file.Count, file.Location);
        if (file.ForeignCount > 0)
            LogForeign(file.ForeignCount, file.Location, owner.Database, owner.Service);
    }

    private Task StartReplayAsync(CancellationToken cancellationToken)
    {
        replay = Task.Run(ReplayWhenBackAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    private async Task StopReplayAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        await replay;
    }

    private Task CloseAsync(CancellationToken cancellationToken)
    {
        if (file.Count > 0)
            LogLeft(file.Count, file.Location);
        file.Close();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        file.Dispose();
        replaying.Dispose();
        stopping.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "The loop goes on after any failure; frames stay in the file until they are in the database.")]
    private async Task ReplayWhenBackAsync()
    {
        using var timer = new PeriodicTimer(Pause, clock);
        try
        {
            do
            {
                try
                {
                    await ReplayIfDueAsync();
                }
                catch (Exception failure) when (failure is not OperationCanceledException)
                {
                    if (file.Count > 0)
                        LogReplayFailed(file.Count, failure.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(stopping.Token));
        }
        catch (OperationCanceledException)
        {
            // The silo stops; the next start replays the rest.
        }
    }

    /// <summary>
    /// Frames from before the start have no live session on this silo that would save them, so they are replayed at once; later on, live
    /// sessions come first. Whether the database is available is asked with a row of its own, or the first frame would jump that queue.
    /// </summary>
    internal async Task ReplayIfDueAsync()
    {
        if (reads.OpenSince is not null || writes.OpenSince is not null)
            await ProbeAsync();
        if (writes.ClosedFor < Grace || file.Count == 0)
            return;
        await EnsureOwnDatabaseAsync();
        await ReplayAsync(await file.ListAsync());
    }

    private async Task ProbeAsync()
    {
        var probe = new StoredRow(primary, GrainId.Create("chatterbox.fallback", "probe"), "probe");
        await AskAsync(reads, () => probe.ReadAsync());
        try
        {
            await AskAsync(writes, () => probe.WriteAsync([]));
        }
        catch (InconsistentStateException)
        {
            // Another silo asks as well.
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} frames that are not in the database yet are in the fallback file {Path}.")]
    private partial void LogFound(int count, string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} frames in the fallback file {Path} are for another database or service than "
        + "{Database}, {Service}. They stay there, and are replayed by a silo that uses this file with theirs.")]
    private partial void LogForeign(int count, string path, string database, string service);

    [LoggerMessage(Level = LogLevel.Error, Message = "Nothing is replayed: {Reason}.")]
    private partial void LogOtherDatabase(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The silo stops with {Count} rows that are not in the database. They are in the fallback "
        + "file {Path}; the next start with this file and this database replays them.")]
    private partial void LogLeft(int count, string path);

    [LoggerMessage(Level = LogLevel.Information, Message = "Replayed {StateName} of {Grain} from the fallback file into the database.")]
    private partial void LogReplayed(string stateName, GrainId grain);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{StateName} of {Grain} from the fallback file is in the history: {Reason}.")]
    private partial void LogKept(string stateName, GrainId grain, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Frame {Number} of the fallback file cannot be replayed and stays there.")]
    private partial void LogNotReplayed(Exception failure, long number);

    [LoggerMessage(Level = LogLevel.Error, Message = "The fallback file is damaged and was moved to {Path}: {Reason}.")]
    private partial void LogSetAside(string path, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{StateName} of {Grain} is in the database, but could not be removed from the fallback file.")]
    private partial void LogNotForgotten(Exception failure, string stateName, GrainId grain);

    [LoggerMessage(Level = LogLevel.Error, Message = "The fallback file cannot be read; {StateName} of {Grain} starts from what is in the database.")]
    private partial void LogNotRead(Exception failure, string stateName, GrainId grain);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} frames stay in the fallback file for now: {Reason}")]
    private partial void LogReplayFailed(int count, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{StateName} of {Grain} could be written neither to the database nor to the fallback file.")]
    private partial void LogNotKept(Exception failure, string stateName, GrainId grain);
}
