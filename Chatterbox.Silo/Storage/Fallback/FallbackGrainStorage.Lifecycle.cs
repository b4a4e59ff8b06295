using System.Diagnostics.CodeAnalysis;
using Chatterbox.Grains.Persistence;
using Orleans.Storage;

namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>Start, stop, and the loop that replays frames once the database is available again.</summary>
internal sealed partial class FallbackGrainStorage : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    public void Participate(ISiloLifecycle lifecycle)
    {
        // Open before the primary takes writes, closed after it took the last.
        lifecycle.Subscribe(nameof(FallbackGrainStorage), ServiceLifecycleStage.ApplicationServices - 1, StartAsync, CloseAsync);
        (primary as ILifecycleParticipant<ISiloLifecycle>)?.Participate(lifecycle);
        lifecycle.Subscribe(
            nameof(FallbackGrainStorage), ServiceLifecycleStage.ApplicationServices + 1, StartReplayAsync, StopReplayAsync);
    }

    internal async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            owner = await readOwner();
        }
        catch (Exception failure) when (IsUnavailable(failure))
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
        replay = Task.Run(ReplayLoopAsync, CancellationToken.None);
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

    [SuppressMessage("Design", "CA1031",
        Justification = "The loop goes on after any failure; frames stay in the file until they are in the database.")]
    private async Task ReplayLoopAsync()
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
    /// Frames from before the start have no live session on this silo that would save them, so they are replayed at once; later
    /// on, live
    /// sessions come first. Whether the database is available is asked with a row of its own, or the first frame would jump that
    /// queue.
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
}
