using System.Diagnostics.CodeAnalysis;
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
/// </list>
/// A frame that meets a conflict and is not what is stored goes to a quarantine row in the database, never away.
/// </remarks>
internal sealed partial class FallbackGrainStorage(
    IGrainStorage primary, Func<Exception, bool> isAway, FallbackFile file, TimeProvider clock, ILogger<FallbackGrainStorage> logger)
    : IGrainStorage, IStorageStatus, ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    /// <summary>For sessions that are alive to get through by themselves: longer than they wait between two tries.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private static readonly GrainId Probe = GrainId.Create("session", "fallback-probe");

    private readonly Circuit circuit = new(clock, Random.Shared.NextDouble);
    private readonly SemaphoreSlim replaying = new(1);
    private readonly CancellationTokenSource stopping = new();
    private Task replay = Task.CompletedTask;

    public DateTimeOffset? DegradedSince => circuit.OpenSince;

    public int PendingFrames => file.Count;

    public void Participate(ISiloLifecycle lifecycle)
    {
        // Open before the primary takes writes, closed after it took the last.
        lifecycle.Subscribe(nameof(FallbackGrainStorage), ServiceLifecycleStage.ApplicationServices - 1, StartAsync, CloseAsync);
        (primary as ILifecycleParticipant<ISiloLifecycle>)?.Participate(lifecycle);
        lifecycle.Subscribe(nameof(FallbackGrainStorage), ServiceLifecycleStage.ApplicationServices + 1, StartReplayAsync, StopReplayAsync);
    }

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (file.Contains(stateName, grainId))
            await ReplayAsync(await file.ListAsync(stateName, grainId));
        await AskAsync(() => primary.ReadStateAsync(stateName, grainId, grainState));
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        // The etag as it was before: a storage may have set it when the failure came.
        var etag = grainState.ETag;
        try
        {
            await AskAsync(() => primary.WriteStateAsync(stateName, grainId, grainState));
        }
        catch (Exception failure) when (IsAway(failure) && grainState.State is StoredFrame)
        {
            await KeepAsync(stateName, grainId, etag, ((StoredFrame)(object)grainState.State!).Bytes);
            throw;
        }
        if (file.Contains(stateName, grainId))
            await file.ForgetAsync(stateName, grainId);
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await AskAsync(() => primary.ClearStateAsync(stateName, grainId, grainState));
        if (file.Contains(stateName, grainId))
            await file.ForgetAsync(stateName, grainId);
    }

    /// <summary>Brings frames to the database, oldest first; stops at the first that finds it away.</summary>
    internal async Task ReplayAsync(IEnumerable<FallbackFrame> frames)
    {
        await replaying.WaitAsync(stopping.Token);
        try
        {
            foreach (var frame in frames)
                await ReplayAsync(frame);
        }
        finally
        {
            replaying.Release();
        }
    }

    private async Task ReplayAsync(FallbackFrame frame)
    {
        if (!await IsStillHereAsync(frame))
            return;
        var state = new GrainState<StoredFrame>(new StoredFrame { Bytes = frame.Bytes }, frame.ETag!);
        try
        {
            await AskAsync(() => primary.WriteStateAsync(frame.StateName, frame.Grain, state));
            LogReplayed(frame.StateName, frame.Grain);
        }
        catch (InconsistentStateException)
        {
            var stored = new GrainState<StoredFrame>(new StoredFrame());
            await AskAsync(() => primary.ReadStateAsync(frame.StateName, frame.Grain, stored));
            // The same bytes: the write whose outcome was unknown had got through after all. Gone from here: the session got through
            // by itself in the meantime, with all that the frame holds.
            if (!stored.State!.Bytes.AsSpan().SequenceEqual(frame.Bytes) && await IsStillHereAsync(frame))
                await QuarantineAsync(frame);
        }
        await file.RemoveAsync(frame);
    }

    private async Task<bool> IsStillHereAsync(FallbackFrame frame) =>
        (await file.ListAsync(frame.StateName, frame.Grain)).Exists(here => here.Number == frame.Number);

    private async Task QuarantineAsync(FallbackFrame frame)
    {
        var name = $"fallback-quarantine/{frame.StateName}/{clock.GetUtcNow():yyyyMMddHHmmssfff}-{frame.Number}";
        await AskAsync(() => primary.WriteStateAsync(
            name, frame.Grain, new GrainState<StoredFrame>(new StoredFrame { Bytes = frame.Bytes })));
        LogQuarantined(frame.StateName, frame.Grain, name);
    }

    /// <summary>Asks the database unless it is known to be away, and notes what came of it.</summary>
    private async Task AskAsync(Func<Task> ask)
    {
        if (!circuit.TryEnter())
            throw new StorageUnavailableException($"The database has been away since {circuit.OpenSince:u} and is tried again shortly.");
        try
        {
            await ask();
        }
        catch (Exception failure) when (isAway(failure))
        {
            circuit.Failed();
            throw;
        }
        catch
        {
            // A conflict is an answer too.
            circuit.Succeeded();
            throw;
        }
        circuit.Succeeded();
    }

    private bool IsAway(Exception failure) => failure is StorageUnavailableException || isAway(failure);

    [SuppressMessage("Design", "CA1031", Justification = "The caller gets the database's failure; that of the file must not hide it.")]
    private async Task KeepAsync(string stateName, GrainId grainId, string? etag, byte[] bytes)
    {
        try
        {
            await file.SaveAsync(stateName, grainId, etag, bytes);
        }
        catch (Exception failure)
        {
            LogNotKept(failure, stateName, grainId);
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
    /// are alive come first. Whether the database is back is asked by reading, or the first frame would jump that queue.
    /// </summary>
    internal async Task ReplayIfDueAsync()
    {
        if (circuit.OpenSince is not null)
            await AskAsync(() => primary.ReadStateAsync("fallback-probe", Probe, new GrainState<StoredFrame>(new StoredFrame())));
        if (circuit.ClosedAt is { } back && clock.GetUtcNow() - back < Grace)
            return;
        if (file.Count > 0)
            await ReplayAsync(await file.ListAsync());
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} frames that the database did not take are in the fallback file.")]
    private partial void LogFound(int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Brought {StateName} of {Grain} from the fallback file to the database.")]
    private partial void LogReplayed(string stateName, GrainId grain);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{StateName} of {Grain} in the fallback file was overtaken; it is kept in the database as {Name}.")]
    private partial void LogQuarantined(string stateName, GrainId grain, string name);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} frames stay in the fallback file for now: {Reason}")]
    private partial void LogReplayFailed(int count, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Neither the database nor the fallback file took {StateName} of {Grain}.")]
    private partial void LogNotKept(Exception failure, string stateName, GrainId grain);
}
