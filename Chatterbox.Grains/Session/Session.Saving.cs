using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Grains.Session;

/// <summary>
/// Keeps a session's log and its rows in step. Whatever writes or reads the rows of a session that is loaded does so in here, as
/// one save: a load between the writes of another would take for the truth what is half of it.
/// </summary>
internal sealed partial class Session
{
    private const int EpochsPerMillisecond = 1024;

    private string? _loadAgain;
    private long _saves;
    private bool _saveApplied;

    /// <summary>The state on its way to storage; null when none is. It may not be the session's any more.</summary>
    public SessionState? Saving { get; private set; }

    /// <summary>Called as a moment is about to be written.</summary>
    internal Action? WriteStarting { get; init; }

    /// <summary>
    /// Looks whether another activation has written the rows, and has them loaded again if so. A save finds out by itself, so
    /// nothing is done while one is due. Writes nothing and does not throw.
    /// </summary>
    public async Task CheckRowsAsync()
    {
        if (!Writer.IsIdle) return;
        var saves = _saves;
        try
        {
            // What a save has written meanwhile is this session's own.
            if (!await Rows.IsOvertakenAsync() || saves != _saves) return;
        }
        catch (Exception failure)
        {
            LogNotChecked(_setup.Id, failure.Message);
            return;
        }
        ChatterboxInstruments.Conflicts.Add(1);
        LoadAgain("another activation has written the session's rows");
    }

    /// <summary>Has the rows loaded again once everything is saved.</summary>
    public void LoadAgain(string reason)
    {
        _loadAgain = reason;
        Writer.Changed();
    }

    /// <summary>One save, of everything there is to save. One at a time: <see cref="Writer"/> sees to that.</summary>
    internal async Task SaveAsync()
    {
        _saves++;
        var moment = Log.Moment;
        try
        {
            await WriteAsync(moment);
        }
        catch (SessionConflictException conflict)
        {
            LogLoadedAgain(conflict.Message);
            ChatterboxInstruments.Conflicts.Add(1);
            await LoadRowsAsync(conflict.Message);
            moment = Log.Moment;
            await WriteAsync(moment);
        }
        if (Rows.ReadOnly is null) NoteDurable(moment);
        if (_loadAgain is not { } reason) return;
        _loadAgain = null;
        await LoadRowsAsync(reason);
    }

    private async Task WriteAsync(SessionMoment moment)
    {
        if (Rows.ReadOnly is not null) return;
        (Saving, var withApplied) = (moment.State, _saveApplied);
        try
        {
            WriteStarting?.Invoke();
            var (writes, at) = (Rows.RowWrites, _setup.Clock.GetUtcNow());
            await Rows.SaveAsync(moment, withApplied);
            await Rows.Recovery.WriteAsync(_work.Describe(moment.State));
            if (Rows.RowWrites != writes) _lastSaved = at;
            _saveApplied = false;
        }
        finally
        {
            Saving = null;
        }
    }

    private void NoteDurable(SessionMoment moment)
    {
        if (moment.Revision > Log.DurableRevision)
        {
            ChatterboxInstruments.ChangesPerSave.Record(moment.Revision - Log.DurableRevision);
        }
        Log.MarkDurable(moment.Revision);
        Publish(new BecameDurable(Log.DurableRevision));
    }

    private async Task LoadRowsAsync(string reason)
    {
        var stored = await Rows.LoadAsync();
        if (Rows.WentBack && Rows.ReadOnly is null)
        {
            KeepMemory(stored);
            return;
        }
        // What somebody else has written is about to be replaced without ever having been seen here.
        if (Log.IsReplaced)
        {
            Keep(HistoryReason.Overtaken, "another activation had written it as the state was replaced",
                stored.State, stored.Revision);
        }
        Log.Rebase(stored, NewEpoch());
        Announce(reason);
    }

    /// <summary>
    /// Memory is newer than storage, and nobody else has written: it is stored again, and what was found is kept.
    /// </summary>
    private void KeepMemory(SessionMoment stored)
    {
        const string Reason = "the database was set back to an older state";
        LogLoadedAgain(Reason);
        Keep(HistoryReason.Overtaken, Reason, stored.State, stored.Revision);
        Rows.Notice(
            $"While the session was in use, {Reason}: what the session held is stored again; what was "
            + "found is kept in the history.");
        Log.Replace(Log.State, NewEpoch());
        Announce(Reason);
    }

    private void Announce(string reason)
    {
        Writer.Changed();
        Publish(new SessionReset(reason));
    }

    // Later than every epoch before it, on any silo whose clock is not behind; clients compare for equality only. By chance in
    // its low bits, so that two activations of one millisecond differ; exact as a JSON number until the year 2248.
    private long NewEpoch() =>
        (_setup.Clock.GetUtcNow().ToUnixTimeMilliseconds() * EpochsPerMillisecond) + Random.Shared.Next(EpochsPerMillisecond);

    [LoggerMessage(LogLevel.Debug, "Session {Session} could not check whether its rows are its own: {Reason}")]
    private partial void LogNotChecked(GrainId session, string reason);

    [LoggerMessage(LogLevel.Warning, "Loading the rows of a session again: {Reason}")]
    private partial void LogLoadedAgain(string reason);
}
