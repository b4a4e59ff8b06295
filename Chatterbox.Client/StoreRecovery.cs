namespace Chatterbox.Client;

/// <summary>Coming back from crashes and mistakes.</summary>
public sealed class StoreRecovery
{
    private readonly ChatterboxStore _store;

    internal StoreRecovery(ChatterboxStore store) => _store = store;

    /// <summary>Work that a crash has interrupted, as of the last hydration; null when none was.</summary>
    public CrashInfo? Crash => _store.Crash;

    /// <summary>Whether a crash has interrupted work that has been neither recovered nor dropped.</summary>
    public bool CrashDetected => Crash is not null;

    /// <summary>
    /// Puts interrupted work back as interrupted, ready to run again; undoes a clear that nothing has followed. Doing it again does
    /// nothing.
    /// </summary>
    /// <exception cref="ArgumentException">The session is read-only.</exception>
    public async Task<RecoveryReport> RecoverFromCrashAsync(CancellationToken cancellationToken = default) =>
        await DoneAsync(await _store.CallAsync(grain => grain.RecoverFromCrashAsync(), cancellationToken), cancellationToken);

    /// <summary>Lets go of interrupted work. Doing it again does nothing.</summary>
    /// <exception cref="IOException">Storage is failing, or the session is read-only.</exception>
    public async Task ClearRecoveryStateAsync(CancellationToken cancellationToken = default)
    {
        var reply = await _store.CallAsync(grain => grain.ClearRecoveryStateAsync(), cancellationToken);
        if (reply.Failure is { } failure) throw new IOException(failure);
        await DoneAsync(new RecoveryReport(), cancellationToken);
    }

    internal async Task<RecoveryReport> DoneAsync(RecoveryReport report, CancellationToken cancellationToken)
    {
        if (report.Refused is { } why) throw new ArgumentException(why.Message);
        _store.Crash = null;
        // Until this store, too, stands on what was put back.
        await _store.CaughtUpAsync(cancellationToken);
        return report;
    }
}
