namespace Chatterbox.Client;

/// <summary>What is kept of a session beside its state: earlier states, originals from before a migration, unreadable rows.</summary>
public sealed class StoreHistory
{
    private readonly ChatterboxStore _store;

    internal StoreHistory(ChatterboxStore store) => _store = store;

    /// <summary>The entries, newest first.</summary>
    public async Task<IReadOnlyList<HistoryItem>> ListAsync(CancellationToken cancellationToken = default) =>
        await _store.CallAsync(grain => grain.ListHistoryAsync(), cancellationToken);

    /// <summary>An entry with what it holds; null when there is none of this id.</summary>
    public Task<HistoryContent?> ReadAsync(string id, CancellationToken cancellationToken = default) =>
        _store.CallAsync(grain => grain.ReadHistoryAsync(id), cancellationToken);

    /// <summary>
    /// Restores the slices of an entry. The state from before is kept in the history: <see cref="UndoAsync"/> brings it back.
    /// </summary>
    /// <exception cref="ArgumentException">There is no such entry, it cannot be read, or the session is read-only.</exception>
    public async Task<RecoveryReport> RestoreAsync(string id, CancellationToken cancellationToken = default) =>
        await RestoreOrUndoAsync(id ?? throw new ArgumentNullException(nameof(id)), cancellationToken);

    /// <summary>Restores the newest state from before a clear, import, restore, clean-up or expiry. Doing it again undoes the undo.</summary>
    /// <exception cref="ArgumentException">There is none, it cannot be read, or the session is read-only.</exception>
    public Task<RecoveryReport> UndoAsync(CancellationToken cancellationToken = default) => RestoreOrUndoAsync(id: null, cancellationToken);

    /// <summary>Deletes an entry, for good. False when there is none of this id.</summary>
    /// <exception cref="ArgumentException">The session is read-only.</exception>
    public Task<bool> DropAsync(string id, CancellationToken cancellationToken = default) =>
        _store.CallAsync(grain => grain.DropHistoryAsync(id), cancellationToken);

    private async Task<RecoveryReport> RestoreOrUndoAsync(string? id, CancellationToken cancellationToken) => await _store.Recovery.DoneAsync(
        await _store.OperateAsync((grain, name) => grain.RestoreHistoryAsync(id, name), cancellationToken), cancellationToken);
}
