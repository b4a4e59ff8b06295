namespace Chatterbox.Client;

/// <summary>
/// The history of a session: earlier states, originals from before a migration, unreadable rows.
/// </summary>
public sealed class StoreHistory
{
    private readonly AppStore _store;

    internal StoreHistory(AppStore store) => _store = store;

    /// <summary>The entries, newest first.</summary>
    public async Task<IReadOnlyList<HistoryItem>> ListAsync(CancellationToken cancellationToken = default) =>
        await _store.CallAsync(grain => grain.ListHistoryAsync(), cancellationToken);

    /// <summary>An entry with its content; null for an unknown id.</summary>
    public Task<HistoryContent?> ReadAsync(string id, CancellationToken cancellationToken = default) =>
        _store.CallAsync(grain => grain.ReadHistoryAsync(id), cancellationToken);

    /// <summary>
    /// Restores the slices of an entry. The replaced state is kept in the history: <see cref="UndoAsync"/> restores it.
    /// </summary>
    /// <exception cref="ArgumentException">There is no such entry, it cannot be read, or the session is read-only.</exception>
    public async Task<RecoveryReport> RestoreAsync(string id, CancellationToken cancellationToken = default) =>
        await RestoreOrUndoAsync(id ?? throw new ArgumentNullException(nameof(id)), cancellationToken);

    /// <summary>
    /// Restores the newest state from before a clear, import, restore, clean-up or expiry. A second call undoes the first.
    /// </summary>
    /// <exception cref="ArgumentException">There is none, it cannot be read, or the session is read-only.</exception>
    public Task<RecoveryReport> UndoAsync(CancellationToken cancellationToken = default) =>
        RestoreOrUndoAsync(id: null, cancellationToken);

    /// <summary>Deletes an entry permanently. False for an unknown id.</summary>
    /// <exception cref="ArgumentException">The session is read-only.</exception>
    public Task<bool> DropAsync(string id, CancellationToken cancellationToken = default) =>
        _store.CallAsync(grain => grain.DropHistoryAsync(id), cancellationToken);

    private async Task<RecoveryReport> RestoreOrUndoAsync(string? id, CancellationToken cancellationToken) =>
        await _store.Recovery.DoneAsync(
            await _store.OperateAsync((grain, name) => grain.RestoreHistoryAsync(id, name), cancellationToken),
            cancellationToken);
}
