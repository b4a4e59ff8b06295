using System.Collections.Concurrent;
using Chatterbox.Client.Connections;
using Chatterbox.Client.Outbox;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Client;

/// <summary>
/// One client process: opens stores, subscribes to the one event stream of all their sessions, and renews their leases.
/// </summary>
public sealed partial class ChatterboxClient : IAsyncDisposable
{
    private readonly IClusterClient _cluster;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, AppStore[]> _stores = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _closing = new();
    private readonly OutboxFolder? _outboxes;
    private readonly ConcurrentDictionary<AppDefinition, bool> _checkedApps = new();

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public ChatterboxClient(IClusterClient cluster, ChatterboxClientOptions options, TimeProvider clock,
        ILogger<ChatterboxClient> logger)
    {
        options.EnsureValid();
        (_cluster, Options, Clock, _logger) = (cluster, options, clock, logger);
        _outboxes = options.OutboxDirectory is null ? null : new(options, clock);
        _heartbeats = BeatAsync();
    }

    internal ChatterboxClientOptions Options { get; }

    internal TimeProvider Clock { get; }

    internal ILogger Logger => _logger;

    /// <summary>Null when the Orleans client was created elsewhere, with its own gateway list.</summary>
    internal SilentGateways? SilentGateways { get; init; }

    /// <summary>Names this process's stream.</summary>
    internal string Process { get; } = NewId();

    /// <summary>
    /// Opens a store without waiting: <see cref="AppStore.HasHydrated"/> turns true once the session has answered.
    /// </summary>
    /// <param name="app">The app whose state the session's store holds.</param>
    /// <exception cref="ArgumentException">The user or store name, or an option, is not allowed.</exception>
    /// <exception cref="InvalidOperationException">The app's definition has a mistake.</exception>
    /// <exception cref="OutboxUnavailableException">The folder of the outbox on disk cannot be used.</exception>
    public AppStore<TState> Open<TState, TChange>(
        SessionId session, AppDefinition<TState, TChange> app, StoreOptions? options = null)
        where TState : SessionState
        where TChange : Change<TState> =>
        Open(session, app, options, context => new AppStore<TState>(context));

    /// <summary>Opens a store and waits until it shows the session's state.</summary>
    /// <inheritdoc cref="Open{TState, TChange}(SessionId, AppDefinition{TState, TChange}, StoreOptions?)"/>
    /// <exception cref="SessionRefusedException">The session does not serve this client.</exception>
    public Task<AppStore<TState>> OpenAsync<TState, TChange>(
        SessionId session, AppDefinition<TState, TChange> app, StoreOptions? options = null,
        CancellationToken cancellationToken = default)
        where TState : SessionState
        where TChange : Change<TState> =>
        OpenAsync(session, app, options, context => new AppStore<TState>(context), cancellationToken);

    /// <inheritdoc cref="OpenUntypedAsync"/>
    public AppStore OpenUntyped(SessionId session, AppDefinition app) =>
        Open(session, app, options: null, context => new AppStore(context));

    /// <summary>Opens a store of any app, for what needs no type of its state: status, history, backup, recovery.</summary>
    /// <inheritdoc cref="OpenAsync{TState, TChange}(SessionId, AppDefinition{TState, TChange}, StoreOptions?,
    /// CancellationToken)"/>
    public Task<AppStore> OpenUntypedAsync(SessionId session, AppDefinition app, CancellationToken cancellationToken = default) =>
        OpenAsync(session, app, options: null, context => new AppStore(context), cancellationToken);

    internal TStore Open<TStore>(
        SessionId session, AppDefinition app, StoreOptions? options, Func<StoreContext, TStore> make) where TStore : AppStore
    {
        if (_checkedApps.TryAdd(app, true)) app.EnsureValid();
        options = (options ?? StoreOptions.Default).EnsureValid(app);
        var outbox = _outboxes?.Open(session.EnsureValid(), app);
        var store = Start(make(new(this, app, session.EnsureValid(), options, outbox)));
        if (_outboxes is not null) SendLeftBehind(session, app);
        return store;
    }

    internal async Task<TStore> OpenAsync<TStore>(
        SessionId session, AppDefinition app, StoreOptions? options, Func<StoreContext, TStore> make,
        CancellationToken cancellationToken)
        where TStore : AppStore
    {
        var store = Open(session, app, options, make);
        try
        {
            await store.Hydrated.WaitAsync(cancellationToken);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>The clip, verified against its hash; null when the user has no such clip.</summary>
    /// <exception cref="InvalidDataException">The stored clip is damaged.</exception>
    public async Task<byte[]?> DownloadAudioAsync(string userId, string hash, CancellationToken cancellationToken = default)
    {
        using var clip = new MemoryStream();
        return await new ClipTransfer(this, userId).DownloadAsync(hash, clip, progress: null, cancellationToken)
            ? clip.ToArray() : null;
    }

    internal IUserSessionGrain Session(SessionId session) => _cluster.GetGrain<IUserSessionGrain>(session.Key);

    internal IAudioClipGrain Clip(string userId, string hash) =>
        _cluster.GetGrain<IAudioClipGrain>(AudioClipKey.For(userId, hash));

    /// <summary>
    /// The failure of the last attempt to connect. It says more than the failure of a call without a connection.
    /// </summary>
    internal Exception? NotConnected { get; set; }

    internal int OpenStores => AllStores().Count();

    internal void Remove(AppStore store)
    {
        var key = store.Session.Key;
        while (_stores.TryGetValue(key, out var open))
        {
            AppStore[] left = [.. open.Where(each => each != store)];
            if (left.Length == 0 ? _stores.TryRemove(new(key, open)) : _stores.TryUpdate(key, left, open)) return;
        }
    }

    /// <summary>
    /// Waits for a call that may be repeated. After a quarter of the timeout its gateway may be silent: the gateways are probed.
    /// </summary>
    /// <exception cref="TimeoutException">The call was given up; it may still be executed.</exception>
    internal async Task<T> AttemptAsync<T>(Task<T> call, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        await AttemptAsync((Task)call, timeout, cancellationToken);
        return await call;
    }

    /// <inheritdoc cref="AttemptAsync{T}(Task{T}, TimeSpan, CancellationToken)"/>
    internal async Task AttemptAsync(Task call, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        try
        {
            await call.WithinAsync(timeout / 4, Clock, cancellationToken);
        }
        catch (TimeoutException) when (!call.IsCompleted)
        {
            SilentGateways?.Suspect();
            await call.WithinAsync(timeout - timeout / 4, Clock, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested) return;
        await Task.WhenAll(AllStores().Select(store => store.DisposeAsync().AsTask()));
        await _closing.CancelAsync();
        await _heartbeats;
        await UnsubscribeAsync();
    }

    /// <summary>Kept short, since it is stored with each slice that the client changes.</summary>
    internal static string NewId() => Guid.NewGuid().ToString("N")[..16];

    private IEnumerable<AppStore> AllStores() => _stores.Values.SelectMany(open => open);

    private TStore Start<TStore>(TStore store) where TStore : AppStore
    {
        foreach (var notice in store.File?.Notices ?? []) LogDamagedOutbox(notice);
        _stores.AddOrUpdate(store.Session.Key, _ => [store], (_, open) => [.. open, store]);
        try
        {
            store.Start();
            return store;
        }
        catch
        {
            Remove(store);
            store.File?.Dispose();
            throw;
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Notice}")]
    private partial void LogDamagedOutbox(string notice);
}
