namespace Chatterbox.Client;

/// <summary>Recovery from crashes and mistakes.</summary>
public sealed class StoreRecovery
{
    private readonly AppStore _store;

    internal StoreRecovery(AppStore store) => _store = store;

    /// <summary>Work interrupted by a crash, as of the last hydration; null if none.</summary>
    public CrashInfo? Crash => _store.Crash;

    /// <summary>Whether a crash has interrupted work that has been neither recovered nor dropped.</summary>
    public bool CrashDetected => Crash is not null;

    /// <summary>
    /// Marks interrupted work, ready to run again; undoes a clear that no change has followed. Idempotent.
    /// </summary>
    /// <exception cref="ArgumentException">The session is read-only.</exception>
    public async Task<RecoveryReport> RecoverFromCrashAsync(CancellationToken cancellationToken = default) =>
        await DoneAsync(await _store.CallAsync(grain => grain.RecoverFromCrashAsync(), cancellationToken), cancellationToken);

    /// <summary>Drops interrupted work. Idempotent.</summary>
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
        // Wait until this store shows the restored state.
        await _store.CaughtUpAsync(cancellationToken);
        return report;
    }
}
