namespace Chatterbox.Client;

/// <summary>Coming back from crashes and mistakes.</summary>
public sealed class StoreRecovery
{
    private readonly ChatterboxStore _store;

    internal StoreRecovery(ChatterboxStore store) => _store = store;

    /// <summary>Work that was in hand when a client or its silo died, as of the last hydration; null when nothing was.</summary>
    public CrashInfo? Crash => _store.Crash;

    /// <summary>Whether a crash has interrupted work that has not been come back to.</summary>
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

    /// <summary>Puts back the state from before the last clear, import, clean-up or undo.</summary>
    /// <exception cref="ArgumentException">There is nothing to undo, or the session is read-only.</exception>
    public async Task<RecoveryReport> UndoAsync(CancellationToken cancellationToken = default) =>
        await DoneAsync(await _store.CallAsync(grain => grain.UndoAsync(), cancellationToken), cancellationToken);

    /// <summary>Bytes that were set aside, because they could not be read or before a migration.</summary>
    public async Task<IReadOnlyList<QuarantineItem>> ListQuarantineAsync(CancellationToken cancellationToken = default) =>
        await _store.CallAsync(grain => grain.ListQuarantineAsync(), cancellationToken);

    /// <summary>The bytes; null when there are none of this id.</summary>
    public Task<byte[]?> ReadQuarantineAsync(string id, CancellationToken cancellationToken = default) =>
        _store.CallAsync(grain => grain.ReadQuarantineAsync(id), cancellationToken);

    /// <summary>Puts a slice back from bytes that were set aside.</summary>
    /// <exception cref="ArgumentException">There are none of this id, they cannot be read, or the session is read-only.</exception>
    public async Task<RecoveryReport> RestoreQuarantineAsync(string id, CancellationToken cancellationToken = default) =>
        await DoneAsync(await _store.CallAsync(grain => grain.RestoreQuarantineAsync(id), cancellationToken), cancellationToken);

    /// <summary>Deletes the bytes for good. False when there are none of this id.</summary>
    public Task<bool> DropQuarantineAsync(string id, CancellationToken cancellationToken = default) =>
        _store.CallAsync(grain => grain.DropQuarantineAsync(id), cancellationToken);

    private async Task<RecoveryReport> DoneAsync(RecoveryReport report, CancellationToken cancellationToken)
    {
        if (report.Refused is { } why) throw new ArgumentException(why.Message);
        _store.Crash = null;
        // Until this store, too, stands on what was put back.
        await _store.CaughtUpAsync(cancellationToken);
        return report;
    }
}
