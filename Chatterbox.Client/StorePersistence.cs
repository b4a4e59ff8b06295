namespace Chatterbox.Client;

/// <summary>Saving, loading and clearing of a store's session.</summary>
public class StorePersistence
{
    private readonly AppStore _store;

    internal StorePersistence(AppStore store) => _store = store;

    /// <summary>
    /// Saved, saving, or failing, with time and reason. Own unsent changes count as saving.
    /// </summary>
    public SaveStatus Status => _store.SaveStatus;

    /// <summary>The changes that are not durable yet, and the limits.</summary>
    public OutboxStatus Outbox => _store.OutboxStatus;

    /// <summary>Why the session cannot be reached at present; null when it can.</summary>
    public Exception? Unreachable => _store.Unreachable;

    /// <summary>Raised when <see cref="Status"/> or <see cref="Unreachable"/> may have changed.</summary>
    public event Action? StatusChanged
    {
        add => _store.SyncChanged += value;
        remove => _store.SyncChanged -= value;
    }

    /// <summary>Returns once every change made on this store so far is durable.</summary>
    /// <exception cref="IOException">Storage is failing. Saving is retried automatically.</exception>
    public Task FlushAsync(CancellationToken cancellationToken = default) => _store.FlushAsync(cancellationToken);

    /// <summary>
    /// Saves, then reloads the session from storage. Meanwhile the store shows its previous state and accepts changes, which stay
    /// on top.
    /// </summary>
    /// <exception cref="IOException">Storage is failing. The store keeps its state.</exception>
    public async Task RehydrateAsync(CancellationToken cancellationToken = default)
    {
        var hydration = _store.BeginHydration();
        var loaded = false;
        try
        {
            await FlushAsync(cancellationToken);
            Throw(await _store.CallAsync(grain => grain.RehydrateAsync(), cancellationToken));
            // Until this store, too, stands on the new epoch.
            await FlushAsync(cancellationToken);
            loaded = true;
        }
        finally
        {
            _store.EndHydration(hydration, loaded);
        }
    }

    /// <summary>Resets the session to the initial state, here and in storage, for all its clients.</summary>
    /// <exception cref="IOException">Storage is failing, or the session is read-only.</exception>
    public async Task ClearPersistedStateAsync(CancellationToken cancellationToken = default)
    {
        _store.SupersedeHydration();
        await FlushAsync(cancellationToken);
        Throw(await _store.OperateAsync((grain, name) => grain.ClearPersistedStateAsync(name), cancellationToken));
        // Until this store, too, stands on the new epoch.
        await FlushAsync(cancellationToken);
    }

    /// <summary>The schema version in storage; null when nothing is stored.</summary>
    public async Task<int?> GetPersistedVersionAsync(CancellationToken cancellationToken = default) =>
        (await GetStatusAsync(cancellationToken)).PersistedVersion;

    /// <summary>The session's stored sizes, including audio, and its save statistics.</summary>
    public Task<StorageInfo> GetStorageInfoAsync(CancellationToken cancellationToken = default) =>
        _store.QueryAsync(grain => grain.GetStorageInfoAsync(), cancellationToken);

    public Task<SessionStatus> GetStatusAsync(CancellationToken cancellationToken = default) =>
        _store.QueryAsync(grain => grain.GetStatusAsync(), cancellationToken);

    private static void Throw(FlushReply reply)
    {
        if (reply.Failure is { } failure) throw new IOException(failure);
    }
}

/// <summary>Saving, loading and clearing of a store whose state is a <typeparamref name="TState"/>.</summary>
public sealed class StorePersistence<TState> : StorePersistence where TState : SessionState
{
    private readonly AppStore _store;

    internal StorePersistence(AppStore store) : base(store) => _store = store;

    /// <summary>
    /// Called when a hydration starts, with the state before it. The first one starts when the store is opened: subscribe in
    /// <see cref="StoreOptions.Configure"/> to observe it.
    /// </summary>
    public IDisposable OnHydrate(Action<TState> listener) => OnStep(StoreStep.HydrationBegun, listener);

    /// <summary>
    /// Called when a hydration has finished, with the loaded state. Not called for one that failed or was superseded by another
    /// or by a clear.
    /// </summary>
    public IDisposable OnFinishHydration(Action<TState> listener) => OnStep(StoreStep.Hydrated, listener);

    private IDisposable OnStep(StoreStep step, Action<TState> listener) => _store.Add(update =>
    {
        if (update.Step == step) listener((TState)update.State);
    });
}
