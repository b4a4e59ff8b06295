using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Chatterbox.Grains.Persistence;
using Orleans.Storage;

namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>
/// Keeps in a local file what the database did not take, and brings it there when it is back. The write still fails to its caller:
/// what lies on one machine's disk is not saved, and nobody is told so.
/// </summary>
/// <remarks>
/// Why this is safe with a session that goes on trying by itself:
/// <list type="bullet">
/// <item>A frame is replayed under the etag it was written with. If the session, here or on another silo, has got through since,
/// the etag has moved on and the replay is a conflict; it never overwrites.</item>
/// <item>When the session gets through, its frame holds all that the ones here do, so they are forgotten. Replay leaves sessions that are
/// alive time to do so.</item>
/// <item>If replay is faster all the same, the session meets the conflict. It then reads again, finds by <c>applied</c> what is in, and
/// writes the rest.</item>
/// <item>A session that is loaded while frames of it lie here gets them replayed first, so it starts from the last it had.</item>
/// <item>A row that holds what was sent earlier under the frame's etag holds less than the frame, which is then written over it.</item>
/// </list>
/// A frame that meets any other conflict goes to the session's quarantine, never away.
/// </remarks>
internal sealed partial class FallbackGrainStorage : IGrainStorage, IStorageStatus, ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    /// <summary>For sessions that are alive to get through by themselves: longer than they wait between two tries.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>How often a row may change under a replay before its frame is taken for overtaken.</summary>
    private const int Tries = 3;

    private readonly IGrainStorage primary;
    private readonly Func<Exception, bool> isAway;
    private readonly FallbackFile file;
    private readonly TimeProvider clock;
    private readonly ILogger<FallbackGrainStorage> logger;

    // A database may be readable and take no writes.
    private readonly Circuit reads;
    private readonly Circuit writes;

    private readonly SemaphoreSlim replaying = new(1);
    private readonly CancellationTokenSource stopping = new();
    private Task replay = Task.CompletedTask;
    private string? fallbackFailure;

    public FallbackGrainStorage(
        IGrainStorage primary, Func<Exception, bool> isAway, FallbackFile file, TimeProvider clock, ILogger<FallbackGrainStorage> logger)
    {
        (this.primary, this.isAway, this.file, this.clock, this.logger) = (primary, isAway, file, clock, logger);
        (reads, writes) = (new(clock, Random.Shared.NextDouble), new(clock, Random.Shared.NextDouble));
        file.SetAside += LogSetAside;
    }

    public DateTimeOffset? DegradedSince =>
        (reads.OpenSince, writes.OpenSince) is ({ } read, { } written) ? (read < written ? read : written) : reads.OpenSince ?? writes.OpenSince;

    public int PendingFrames => file.Count;

    public string? FallbackFailure => Volatile.Read(ref fallbackFailure);

    public int PendingFramesOf(GrainId grain) => file.CountOf(grain);

    public void Participate(ISiloLifecycle lifecycle)
    {
        // Open before the primary takes writes, closed after it took the last.
        lifecycle.Subscribe(nameof(FallbackGrainStorage), ServiceLifecycleStage.ApplicationServices - 1, StartAsync, CloseAsync);
        (primary as ILifecycleParticipant<ISiloLifecycle>)?.Participate(lifecycle);
        lifecycle.Subscribe(nameof(FallbackGrainStorage), ServiceLifecycleStage.ApplicationServices + 1, StartReplayAsync, StopReplayAsync);
    }

    /// <exception cref="StorageUnavailableException">The database is away.</exception>
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        try
        {
            if (file.Contains(stateName, grainId))
                await ReplayAsync(await ListAsync(stateName, grainId));
            await AskAsync(reads, () => primary.ReadStateAsync(stateName, grainId, grainState));
        }
        catch (Exception failure) when (isAway(failure))
        {
            throw Unavailable(failure.Message);
        }
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        // The etag as it was before: a storage may have set it when the failure came.
        var etag = grainState.ETag;
        try
        {
            await AskAsync(writes, () => primary.WriteStateAsync(stateName, grainId, grainState));
        }
        catch (Exception failure) when (IsAway(failure) && grainState.State is StoredFrame)
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
    /// Brings frames to the database, oldest first; stops at the first that finds it away. One that it refuses for what it is stays
    /// here, and holds up no other.
    /// </summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever one frame meets, the next is another's.")]
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
            catch (Exception failure) when (failure is not OperationCanceledException && !IsAway(failure))
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
            await QuarantineAsync(frame, "its bytes were damaged in the fallback file");
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
            await QuarantineAsync(frame, "the database did not take it, and held something later when it was back");
    }

    private async Task QuarantineAsync(FallbackFrame frame, string reason)
    {
        await AskAsync(writes, () => new Quarantine(primary, frame.Grain, clock)
            .KeepAsync(frame.StateName, frame.Bytes, QuarantineKind.Overtaken, $"saved at {frame.SavedAt}: {reason}"));
        LogQuarantined(frame.StateName, frame.Grain, reason);
        await file.RemoveAsync(frame);
    }

    /// <summary>Asks the database unless it is known to be away, and notes what came of it.</summary>
    private async Task AskAsync(Circuit circuit, Func<Task> ask)
    {
        if (!circuit.TryEnter(out var entered))
            throw Unavailable("it is tried again shortly");
        try
        {
            await ask();
        }
        catch (Exception failure) when (isAway(failure))
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
        $"The database has been away since {DegradedSince ?? clock.GetUtcNow():u}: {reason}."
        + (FallbackFailure is { } failure ? $" The fallback file takes nothing either: {failure}." : ""));

    private bool IsAway(Exception failure) => failure is StorageUnavailableException || isAway(failure);

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

    [SuppressMessage("Design", "CA1031", Justification = "The write is in. A frame that stays meets a conflict when it is replayed.")]
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

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        await file.OpenAsync();
        if (file.Count > 0)
            LogFound(file.Count);
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
        file.Close();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        file.Dispose();
        replaying.Dispose();
        stopping.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "The loop goes on whatever happens; frames stay where they are until they are in.")]
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
            // The silo stops; what is left waits for its next start.
        }
    }

    /// <summary>
    /// What lies here from before the start has no session on this silo that would bring it, so it goes at once; later on, sessions that
    /// are alive come first. Whether the database is back is asked with a row of its own, or the first frame would jump that queue.
    /// </summary>
    internal async Task ReplayIfDueAsync()
    {
        if (reads.OpenSince is not null || writes.OpenSince is not null)
            await ProbeAsync();
        if (writes.ClosedAt is { } back && clock.GetUtcNow() - back < Grace)
            return;
        if (file.Count > 0)
            await ReplayAsync(await file.ListAsync());
    }

    private async Task ProbeAsync()
    {
        var probe = new StoredRow(primary, GrainId.Create("chatterbox.fallback", "probe"), "probe");
        await AskAsync(reads, probe.ReadAsync);
        try
        {
            await AskAsync(writes, () => probe.WriteAsync([]));
        }
        catch (InconsistentStateException)
        {
            // Another silo asks as well.
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} frames that the database did not take are in the fallback file.")]
    private partial void LogFound(int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Brought {StateName} of {Grain} from the fallback file to the database.")]
    private partial void LogReplayed(string stateName, GrainId grain);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{StateName} of {Grain} from the fallback file is in quarantine: {Reason}.")]
    private partial void LogQuarantined(string stateName, GrainId grain, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Frame {Number} of the fallback file cannot be brought to the database and stays where it is.")]
    private partial void LogNotReplayed(Exception failure, long number);

    [LoggerMessage(Level = LogLevel.Error, Message = "The fallback file is damaged and was set aside as {Path}: {Reason}.")]
    private partial void LogSetAside(string path, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{StateName} of {Grain} is in the database, and stays in the fallback file.")]
    private partial void LogNotForgotten(Exception failure, string stateName, GrainId grain);

    [LoggerMessage(Level = LogLevel.Error, Message = "The fallback file cannot be read; {StateName} of {Grain} starts from what is in the database.")]
    private partial void LogNotRead(Exception failure, string stateName, GrainId grain);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} frames stay in the fallback file for now: {Reason}")]
    private partial void LogReplayFailed(int count, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Neither the database nor the fallback file took {StateName} of {Grain}.")]
    private partial void LogNotKept(Exception failure, string stateName, GrainId grain);
}
