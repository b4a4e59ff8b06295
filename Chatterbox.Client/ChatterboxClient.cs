using Chatterbox.Client.Connections;
using System.Collections.Concurrent;
using Chatterbox.Client.Outbox;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Chatterbox.Client;

/// <summary>
/// One client process: opens stores, subscribes to the one event stream of all their sessions, and renews their leases.
/// </summary>
public sealed partial class ChatterboxClient : IAsyncDisposable
{
    /// <summary>Stores that attach within this time share one check of the subscription.</summary>
    internal static readonly TimeSpan SubscriptionFresh = TimeSpan.FromSeconds(1);

    /// <summary>The subscription is checked this often: the cluster collects an unused one, by default after 15 min.</summary>
    private static readonly TimeSpan SubscriptionRenewal = TimeSpan.FromMinutes(1);

    private readonly IClusterClient _cluster;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, ChatterboxStore[]> _stores = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _subscribing = new(1);
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _heartbeats;
    private readonly OutboxFolder? _outboxes;
    private StreamSubscriptionHandle<SessionEvents>? _subscription;
    private long? _looked;
    private PeriodicTimer? _heartbeat;

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
    /// Subscribes to this process's stream, again if the cluster has lost the subscription. Does nothing if it was checked within
    /// <paramref name="fresh"/>, or since the call.
    /// </summary>
    internal async Task EnsureSubscribedAsync(TimeSpan fresh)
    {
        var asked = Clock.GetTimestamp();
        await _subscribing.WaitAsync(_closing.Token);
        try
        {
            if (_looked is { } last && Clock.GetElapsedTime(last, asked) < fresh) return;
            var now = Clock.GetTimestamp();
            if (_subscription is { } known && (await Stream.GetAllSubscriptionHandles().WithinAsync(Options.CallTimeout, Clock))
                .Any(each => each.HandleId == known.HandleId))
            {
                _looked = now;
                return;
            }
            _subscription = await Stream.SubscribeAsync((events, _) =>
            {
                Dispatch(events);
                return Task.CompletedTask;
            }).WithinAsync(Options.CallTimeout, Clock);
            _looked = now;
        }
        finally
        {
            _subscribing.Release();
        }
    }

    /// <summary>For tests: the number of this process's subscriptions in the cluster.</summary>
    internal async Task<int> CountSubscriptionsAsync() => (await Stream.GetAllSubscriptionHandles()).Count;

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

    /// <summary>Called with a session's lease duration: leases are renewed three times per duration.</summary>
    internal void HeartbeatWithin(TimeSpan lease)
    {
        if (_heartbeat is { } timer && lease > TimeSpan.Zero && lease / 3 < timer.Period) timer.Period = lease / 3;
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

    /// <summary>The connection to the cluster was lost or found again: every store checks its state.</summary>
    internal void ConnectionChanged()
    {
        _looked = null;
        foreach (var store in AllStores()) store.CheckSoon();
    }

    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested) return;
        await Task.WhenAll(AllStores().Select(store => store.DisposeAsync().AsTask()));
        await _closing.CancelAsync();
        await _heartbeats;
        try
        {
            if (_subscription is not null) await _subscription.UnsubscribeAsync().WithinAsync(Options.CallTimeout, Clock);
        }
        catch (Exception unreachable)
        {
            LogLeftSubscribed(unreachable.Message);
        }
    }

    /// <summary>Kept short, since it is stored with each slice that the client changes.</summary>
    internal static string NewId() => Guid.NewGuid().ToString("N")[..16];

    private IAsyncStream<SessionEvents> Stream =>
        _cluster.GetStreamProvider(ChatterboxStreams.Provider).GetStream<SessionEvents>(ChatterboxStreams.OfProcess(Process));

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

    // Sent with their original client id: the session may already hold some of them.
    private void SendLeftBehind(SessionId session)
    {
        try
        {
            foreach (var outbox in _outboxes!.LeftBehind(session))
            {
                _ = SendAsync(Start(session, new() { Slices = [Slice.Preferences] }, outbox));
            }
        }
        catch (OutboxUnavailableException failure)
        {
            LogLeftBehind(session.Key, failure.Message);
        }
    }

    private async Task SendAsync(ChatterboxStore leftBehind)
    {
        while (!_closing.IsCancellationRequested && leftBehind.OutboxCount > 0)
        {
            try
            {
                await leftBehind.EmptyOutboxAsync(_closing.Token);
            }
            catch (Exception failure)
            {
                // The store stays open and sends the rest as soon as the session accepts changes.
                LogLeftBehind(leftBehind.Session.Key, failure.Message);
                if (leftBehind.Hydrated.IsFaulted) break;
                await Task.Delay(Options.MaxRetryDelay, Clock, CancellationToken.None);
            }
        }
        await leftBehind.DisposeAsync();
    }

    private void Dispatch(SessionEvents events)
    {
        if (!_stores.TryGetValue(events.Session, out var open)) return;
        foreach (var store in open) store.OnEvents(events);
    }

    private async Task BeatAsync()
    {
        using var timer = _heartbeat = new PeriodicTimer(Options.Heartbeat, Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token))
            {
                foreach (var store in AllStores()) store.CheckSoon();
                if (_subscription is not null) await RenewSubscriptionAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // Closing.
        }
    }

    private async Task RenewSubscriptionAsync()
    {
        try
        {
            await EnsureSubscribedAsync(SubscriptionRenewal).WithinAsync(Options.CallTimeout, Clock);
        }
        catch (Exception unreachable) when (!_closing.IsCancellationRequested)
        {
            LogNotRenewed(unreachable.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Notice}")]
    private partial void LogDamagedOutbox(string notice);

    [LoggerMessage(LogLevel.Warning, "Changes that another client left in its outbox of {Session} are not sent yet: {Reason}")]
    private partial void LogLeftBehind(string session, string reason);

    [LoggerMessage(LogLevel.Debug, "The stream subscription could not be checked: {Reason}")]
    private partial void LogNotRenewed(string reason);

    [LoggerMessage(LogLevel.Debug, "The stream subscription could not be removed: {Reason}")]
    private partial void LogLeftSubscribed(string reason);
}
