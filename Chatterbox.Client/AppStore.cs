using System.Runtime.CompilerServices;
using Chatterbox.Client.Backup;
using Chatterbox.Client.Listeners;
using Chatterbox.Client.Outbox;

namespace Chatterbox.Client;

/// <summary>
/// A user's session as a client sees it: the state, changes that show at once, and subscriptions. Own changes are kept until they
/// are durable, and sent again after a crash of a silo or the client's connection. Thread-safe.
/// </summary>
public partial class AppStore : IAsyncDisposable
{
    private readonly ChatterboxClient _client;
    private readonly StoreOptions _options;
    private readonly ClientId _id;
    private readonly Replica _replica;
    private readonly Subscriptions<StoreUpdate> _subscriptions;
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _hydrated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly OutboxFile? _file;

    // Created on first use: of ten thousand open stores, few use all of these.
    private StorePersistence? _persistence;
    private StoreAudio? _audio;
    private StoreBackup? _backup;
    private StoreRecovery? _recovery;
    private StoreHistory? _history;
    private Subscriptions<ChangeRejectedException>? _rejected;

    internal AppStore(StoreContext context)
    {
        (_client, App, Session, _options, _file) = (context.Client, context.App, context.Session, context.Options, context.File);
        _id = new(_client.Process, _file?.Head.Client ?? ChatterboxClient.NewId());
        _replica = new(App, _id.Client, _file?.Head.FirstSequence ?? 1);
        _replica.Select(_options.FollowUserChoice ? [App.ChoiceSlice!.Name] : _options.Slices?.ToValueList());
        _replica.Recover(_file?.Recovered ?? []);
        _subscriptions = new(_client.Logger);
        Notices = _file?.Notices ?? [];
    }

    /// <summary>The app whose state it holds.</summary>
    public AppDefinition App { get; }

    public SessionId Session { get; }

    /// <summary>What the user sees now. The initial state, with own changes, until the store has hydrated.</summary>
    public SessionState State { get { lock (_lock) return _replica.Visible; } }

    /// <summary>The session's revision of <see cref="State"/>; 0 until the store has hydrated.</summary>
    public long Revision { get { lock (_lock) return _replica.Revision; } }

    /// <summary>The slices that are kept in sync; null is all. Those of the user's choice once the store has hydrated.</summary>
    public ValueList<string>? Slices { get { lock (_lock) return _replica.Slices; } }

    /// <summary>
    /// Whether <see cref="State"/> is based on the stored state. False again during
    /// <see cref="StorePersistence.RehydrateAsync"/>.
    /// </summary>
    public bool HasHydrated { get { lock (_lock) return _hydrated.Task.IsCompletedSuccessfully && !_hydrating; } }

    /// <summary>
    /// Completes when the store has hydrated for the first time; fails when the session does not serve this client.
    /// </summary>
    public Task Hydrated => _hydrated.Task;

    /// <summary>Saving, loading and clearing.</summary>
    public StorePersistence Persistence => Part(ref _persistence, static store => store.MakePersistence());

    private protected virtual StorePersistence MakePersistence() => new(this);

    /// <summary>Audio clips.</summary>
    public StoreAudio Audio => Part(ref _audio, static store => new(store));

    /// <summary>Export and import.</summary>
    public StoreBackup Backup => Part(ref _backup, static store => new(store));

    /// <summary>Recovery from crashes and mistakes.</summary>
    public StoreRecovery Recovery => Part(ref _recovery, static store => new(store));

    public StoreHistory History => Part(ref _history, static store => new(store));

    /// <summary>Problems found when the session or this device's outbox was loaded.</summary>
    public IReadOnlyList<string> Notices { get; private set; }

    /// <summary>Why the session is read-only; null when it is not.</summary>
    public string? ReadOnly { get; private set; }

    /// <summary>
    /// Raised when the session refused a change, after it has been undone here. The call that made it also throws.
    /// </summary>
    public event Action<ChangeRejectedException>? ChangeRejected
    {
        add { if (value is not null) Lazily(ref _rejected, () => new(_client.Logger)).Add(value, value); }
        remove { if (value is not null) _rejected?.Remove(value); }
    }

    internal OutboxFile? File => _file;

    internal ClientId Id => _id;

    internal IUserSessionGrain Grain => _client.Session(Session);

    internal ChatterboxClient Client => _client;

    internal int OutboxCount { get { lock (_lock) return _replica.Outbox.Count; } }

    /// <summary>For tests: releases the outbox file, as the operating system does when the process is killed.</summary>
    internal void ReleaseOutbox() => _file?.Dispose();

    internal OutboxStatus OutboxStatus
    {
        get
        {
            lock (_lock)
            {
                return new(
                    _replica.Outbox.Count, _replica.Outbox.Bytes, _client.Options.OutboxChanges, _client.Options.OutboxBytes,
                    _replica.Outbox.All.Count(entry => entry.IsRecovered), _file is not null, _replica.Held);
            }
        }
    }

    /// <summary>
    /// Every step of the store, starting with the current one. Ends when the store is closed. A reader more than 4,096 steps
    /// behind loses the oldest.
    /// </summary>
    public async IAsyncEnumerable<StoreUpdate> WatchUpdates(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var (updates, subscription) = WatchFromNow();
        using (subscription)
        {
            await foreach (var update in updates.ReadAllAsync(cancellationToken)) yield return update;
        }
    }

    /// <summary>Adds a listener to a part of the state, with the part as it is now.</summary>
    private protected IDisposable Add<T>(Func<SessionState, T> selector, Func<T, Action<StoreUpdate>> listener)
    {
        lock (_lock) return _subscriptions.Add(listener(selector(_replica.Visible)));
    }

    internal IDisposable Add(Action<StoreUpdate> listener) => _subscriptions.Add(listener);

    private (System.Threading.Channels.ChannelReader<StoreUpdate>, IDisposable) WatchFromNow()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            return _subscriptions.Watch(Update([]));
        }
    }

    private StoreUpdate Update(IReadOnlyList<AppliedChange> changes, StoreStep step = StoreStep.Changed) =>
        Update(_replica.Visible, _replica.Revision, changes, _replica.Confirmed, step);

    private protected virtual StoreUpdate Update(
        SessionState state, long revision, IReadOnlyList<AppliedChange> changes, SessionState confirmed, StoreStep step) =>
        new(state, revision, changes, confirmed) { Step = step };

    private void Reject(IReadOnlyList<(OutboxEntry Entry, Rejection Rejection)> rejected)
    {
        foreach (var (entry, rejection) in rejected)
        {
            var refused = new ChangeRejectedException(entry.Change, rejection);
            entry.Applied.TrySetException(refused);
            entry.Durable.TrySetCanceled();
            if (entry.IsRecovered) LogRefused(_client.Logger, Session.Key, refused.Message);
            _rejected?.Publish(refused);
        }
    }

    private T Part<T>(ref T? part, Func<AppStore, T> make) where T : class => part ?? Lazily(ref part, () => make(this));

    // Two threads may create it at once; all use the first one.
    private static T Lazily<T>(ref T? part, Func<T> make) where T : class =>
        Volatile.Read(ref part) is { } made ? made : Interlocked.CompareExchange(ref part, make(), null) ?? part;
}
