using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Session;

/// <summary>Recovery from a crash of a client or a silo.</summary>
internal sealed partial class Session
{
    /// <summary>Unfinished work of clients that are not attached and have not left; null when there is none.</summary>
    public CrashInfo? Crash => _work.FindInterrupted(Log.State, _setup.IsAttached) is { Count: > 0 } interrupted
        ? _setup.Config.App.Describe(interrupted)
        : null;

    /// <summary>
    /// Marks interrupted work as such, ready to run again; without any, undoes a clear that nothing has followed.
    /// </summary>
    public async Task<RecoveryReport> RecoverFromCrashAsync()
    {
        if (ReadOnlyRejection is { } why) return new() { Refused = why };
        if (Crash is not { } crash) return await UndoClearAsync();

        EndCrash(_setup.Config.App.Interrupt);
        return new() { Chunks = crash.Chunks, BatchItems = crash.BatchItems, Unsaved = (await FlushAsync()).Failure };
    }

    /// <summary>Removes interrupted work. The state from before is kept in the history.</summary>
    public async Task<FlushReply> ClearRecoveryStateAsync()
    {
        if (ReadOnly is null && Crash is not null)
        {
            Keep(HistoryReason.BeforeClear, "before interrupted work was dropped", Log.State, Log.Revision);
            EndCrash(_setup.Config.App.Discard);
        }
        return await FlushAsync();
    }

    private async Task<RecoveryReport> UndoClearAsync()
    {
        // Once anything has followed the clear, restoring the old state would cost that.
        return IsInitial
            && (await History.ListAsync())
                .FirstOrDefault(each => each.Reason.IsBefore()) is { Reason: HistoryReason.BeforeClear } clear
            && IsInitial ? await RestoreAsync(clear.Id, operation: null) : new RecoveryReport();
    }

    private void EndCrash(Func<string, string, SessionChange?> end)
    {
        var interrupted = _work.FindInterrupted(Log.State, _setup.IsAttached);
        ApplyOwn([.. interrupted.SelectMany(work => work.Ids.Select(id => end(work.Kind, id))).OfType<SessionChange>()]);
        _work.Remove(client => !_setup.IsAttached(client));
        // The recovery row has to be written even if the state does not change.
        Writer.Changed();
    }
}
