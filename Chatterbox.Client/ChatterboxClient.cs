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
    private readonly ConcurrentDictionary<string, ChatterboxStore[]> _stores = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _closing = new();
    private readonly OutboxFolder? _outboxes;

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
    /// Opens a store without waiting: <see cref="ChatterboxStore.HasHydrated"/> turns true once the session has answered.
    /// </summary>
    /// <exception cref="ArgumentException">The user or store name, or an option, is not allowed.</exception>
    /// <exception cref="OutboxUnavailableException">The folder of the outbox on disk cannot be used.</exception>
    public ChatterboxStore Open(SessionId session, StoreOptions? options = null)
    {
        options = (options ?? StoreOptions.Default).EnsureValid();
        var outbox = _outboxes?.Open(session.EnsureValid());
        var store = Start(session.EnsureValid(), options, outbox);
        if (_outboxes is not null) SendLeftBehind(session);
        return store;
    }

    /// <summary>Opens a store and waits until it shows the session's state.</summary>
    /// <exception cref="SessionRefusedException">The session does not serve this client.</exception>
    /// <exception cref="OutboxUnavailableException">The folder of the outbox on disk cannot be used.</exception>
    public Task<ChatterboxStore> OpenAsync(SessionId session, CancellationToken cancellationToken = default) =>
        OpenAsync(session, StoreOptions.Default, cancellationToken);

    /// <inheritdoc cref="OpenAsync(SessionId, CancellationToken)"/>
    public async Task<ChatterboxStore> OpenAsync(SessionId session, StoreOptions options,
        CancellationToken cancellationToken = default)
    {
        var store = Open(session, options);
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

    internal void Remove(ChatterboxStore store)
    {
        var key = store.Session.Key;
        while (_stores.TryGetValue(key, out var open))
        {
            ChatterboxStore[] left = [.. open.Where(each => each != store)];
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

    private IEnumerable<ChatterboxStore> AllStores() => _stores.Values.SelectMany(open => open);

    private ChatterboxStore Start(SessionId session, StoreOptions options, OutboxFile? outbox)
    {
        foreach (var notice in outbox?.Notices ?? []) LogDamagedOutbox(notice);
        var store = new ChatterboxStore(this, session, options, outbox);
        _stores.AddOrUpdate(session.Key, _ => [store], (_, open) => [.. open, store]);
        try
        {
            store.Start();
            return store;
        }
        catch
        {
            Remove(store);
            outbox?.Dispose();
            throw;
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Notice}")]
    private partial void LogDamagedOutbox(string notice);
}
