using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Grains.Session;

/// <summary>
/// Keeps a session's log and its rows in step. Whatever writes or reads the rows of a session that is loaded does so in here, as
/// one save: a load between the writes of another would take for the truth what is half of it.
/// </summary>
internal sealed partial class SessionSaver(SessionLog log, SessionStore store, TimeProvider clock, ILogger logger)
{
    private string? _loadAgain;

    /// <summary>What the recovery row is to say of a state.</summary>
    public Func<AppState, WorkInHand> Marker { get; init; } = _ => WorkInHand.None;

    /// <summary>Runs before a moment is written; what it throws fails the save, once the rows are written.</summary>
    public Func<SessionMoment, Task> BeforeWrite { get; init; } = _ => Task.CompletedTask;

    /// <summary>Runs once a moment is durable; what it throws has the save done again.</summary>
    public Func<SessionMoment, Task> AfterWrite { get; init; } = _ => Task.CompletedTask;

    public Action<SessionEvent> Publish { get; init; } = _ => { };

    /// <summary>Says that there is something to save.</summary>
    public required Action Changed { get; init; }

    /// <summary>The state on its way to storage; null when none is. It may not be the session's any more.</summary>
    public AppState? Saving { get; private set; }

    /// <summary>One save, of everything there is to save. One at a time: <see cref="WriteBehind"/> sees to that.</summary>
    public async Task SaveAsync()
    {
        var moment = log.Moment;
        try
        {
            await WriteAsync(moment);
        }
        catch (SessionConflictException conflict)
        {
            LogConflict(conflict.Message);
            ChatterboxInstruments.Conflicts.Add(1);
            await LoadAsync(conflict.Message);
            moment = log.Moment;
            await WriteAsync(moment);
        }
        if (store.ReadOnly is null) await DurableAsync(moment);
        if (_loadAgain is not { } reason) return;
        _loadAgain = null;
        await LoadAsync(reason);
    }

    /// <summary>Has the rows loaded again once everything is saved.</summary>
    public void LoadAgain(string reason)
    {
        _loadAgain = reason;
        Changed();
    }

    /// <summary>Another state in place of this one. Whatever is being written meanwhile, this is what is stored in the end.</summary>
    public void Replace(AppState state, string reason, bool isCleared = false)
    {
        log.Replace(state, NewEpoch(), isCleared);
        Announce(reason);
    }

    // Later than every epoch before it, on any silo whose clock is not behind; clients compare for equality only.
    public long NewEpoch() => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task WriteAsync(SessionMoment moment)
    {
        if (store.ReadOnly is not null) return;
        Saving = moment.State;
        try
        {
            var before = BeforeWrite(moment);
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            // Even if that failed: while the database is away, this is how the rows get into the fallback file.
            await store.SaveAsync(moment);
            await store.Marker.WriteAsync(Marker(moment.State));
            await before;
        }
        finally
        {
            Saving = null;
        }
    }

    private async Task DurableAsync(SessionMoment moment)
    {
        if (moment.Revision > log.DurableRevision) ChatterboxInstruments.ChangesPerSave.Record(moment.Revision - log.DurableRevision);
        log.MarkDurable(moment.Revision);
        Publish(new BecameDurable(log.DurableRevision));
        await AfterWrite(moment);
    }

    private async Task LoadAsync(string reason)
    {
        var stored = await store.LoadAsync();
        if (store.WentBack && store.ReadOnly is null)
        {
            await KeepMemoryAsync(stored);
            return;
        }
        // What somebody else has written is about to be replaced without ever having been seen here.
        if (log.IsReplaced) await store.KeepBeforeAsync(stored, (await store.ReadBeforeAsync())?.Reason ?? "it was replaced");
        log.Rebase(stored, NewEpoch());
        Announce(reason);
    }

    /// <summary>What memory holds is newer than storage, and nobody else has written: it is stored again, and what was found is kept.</summary>
    private async Task KeepMemoryAsync(SessionMoment stored)
    {
        const string Reason = "the database was set back to an older state";
        LogConflict(Reason);
        await store.KeepBeforeAsync(stored, Reason);
        store.Notice($"While the session was in use, {Reason}: what the session held is stored again; what was found is kept as a copy.");
        log.Replace(log.State, NewEpoch());
        Announce(Reason);
    }

    private void Announce(string reason)
    {
        Changed();
        Publish(new SessionReset(reason));
    }

    [LoggerMessage(LogLevel.Warning, "Loading the rows of a session again: {Reason}")]
    private partial void LogConflict(string reason);
}
