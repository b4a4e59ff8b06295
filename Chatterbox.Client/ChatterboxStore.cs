using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Chatterbox.Client.Backup;

namespace Chatterbox.Client;

/// <summary>
/// A user's session as a client sees it: the state, changes that show at once, and subscriptions. Own changes are kept until
/// they are durable and sent again whatever dies in between. Safe to use from any thread.
/// </summary>
public sealed partial class ChatterboxStore : IAsyncDisposable
{
    private readonly ChatterboxClient _client;
    private readonly ClientId _id;
    private readonly Replica _replica;
    private readonly Subscriptions _subscriptions;
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _hydrated = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal ChatterboxStore(ChatterboxClient client, SessionId session)
    {
        (_client, Session, _id) = (client, session, new ClientId(client.Process, ChatterboxClient.NewId()));
        _replica = new(_id.Client);
        _subscriptions = new(client.Logger);
        Persistence = new(this);
        Audio = new(this);
        Backup = new(this);
        Recovery = new(this);
    }

    public SessionId Session { get; }

    /// <summary>What the user sees now. The initial state, with own changes, until the store has hydrated.</summary>
    public AppState State { get { lock (_lock) return _replica.Visible; } }

    /// <summary>The session's revision that <see cref="State"/> stands on; 0 until the store has hydrated.</summary>
    public long Revision { get { lock (_lock) return _replica.Revision; } }

    /// <summary>Whether <see cref="State"/> stands on what is stored.</summary>
    public bool HasHydrated => _hydrated.Task.IsCompletedSuccessfully;

    /// <summary>Completes when the store has hydrated; fails when the session does not serve this client.</summary>
    public Task Hydrated => _hydrated.Task;

    /// <summary>Saving, loading and clearing.</summary>
    public StorePersistence Persistence { get; }

    /// <summary>Audio clips.</summary>
    public StoreAudio Audio { get; }

    /// <summary>Export and import.</summary>
    public StoreBackup Backup { get; }

    /// <summary>Coming back from crashes and mistakes.</summary>
    public StoreRecovery Recovery { get; }

    /// <summary>What was found wrong when the session was loaded.</summary>
    public IReadOnlyList<string> Notices { get; private set; } = [];

    /// <summary>Why the session takes no changes; null when it does.</summary>
    public string? ReadOnly { get; private set; }

    /// <summary>Raised when the session refused a change, after it has been taken back. Also thrown to whoever made it.</summary>
    public event Action<ChangeRejectedException>? ChangeRejected;

    internal ClientId Id => _id;

    internal IUserSessionGrain Grain => _client.Session(Session);

    internal ChatterboxClient Client => _client;

    internal int OutboxCount { get { lock (_lock) return _replica.Outbox.Count; } }

    /// <summary>Makes a change: visible at once, applied when the task completes, stored when the receipt's task does.</summary>
    /// <exception cref="ChangeRejectedException">The change is not allowed; nothing has changed.</exception>
    public Task<ChangeReceipt> DispatchAsync(AppStateChange change)
    {
        OutboxEntry entry;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            // Before hydration only the session can tell.
            if (HasHydrated && AppStateReducer.Apply(_replica.Visible, change).Rejection is { } wrong)
            {
                return Task.FromException<ChangeReceipt>(new ChangeRejectedException(change, wrong));
            }
            entry = _replica.Enqueue(change);
            _subscriptions.Publish(Update([]));
        }
        Pump();
        return ReceiptAsync(entry);
    }

    /// <summary>Listens to a part of the state: called with the new and the previous value whenever it changes.</summary>
    /// <param name="comparer">What counts as the same; by default equality.</param>
    public IDisposable Subscribe<T>(Func<AppState, T> selector, Action<T, T> listener, IEqualityComparer<T>? comparer = null)
    {
        comparer ??= EqualityComparer<T>.Default;
        lock (_lock)
        {
            var shown = selector(_replica.Visible);
            return _subscriptions.Add(update =>
            {
                var (value, previous) = (selector(update.State), shown);
                if (comparer.Equals(value, previous)) return;
                shown = value;
                listener(value, previous);
            });
        }
    }

    /// <summary>A part of the state as a sequence: its value now, then each new one.</summary>
    public async IAsyncEnumerable<T> Watch<T>(
        Func<AppState, T> selector, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var comparer = EqualityComparer<T>.Default;
        var first = true;
        var shown = default(T);
        await foreach (var update in WatchUpdates(cancellationToken))
        {
            var value = selector(update.State);
            if (!first && comparer.Equals(value, shown)) continue;
            (first, shown) = (false, value);
            yield return value;
        }
    }

    /// <summary>Every step of the store, from the present one on.</summary>
    public async IAsyncEnumerable<StoreUpdate> WatchUpdates([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var updates = Channel.CreateUnbounded<StoreUpdate>(new UnboundedChannelOptions { SingleReader = true });
        IDisposable subscription;
        lock (_lock)
        {
            updates.Writer.TryWrite(Update([]));
            subscription = _subscriptions.Add(update => updates.Writer.TryWrite(update));
        }
        using (subscription)
        {
            await foreach (var update in updates.Reader.ReadAllAsync(cancellationToken)) yield return update;
        }
    }

    private StoreUpdate Update(IReadOnlyList<AppliedChange> changes) =>
        new(_replica.Visible, _replica.Revision, changes, _replica.Confirmed);

    private static async Task<ChangeReceipt> ReceiptAsync(OutboxEntry entry) => new(await entry.Applied.Task, entry.Durable.Task);

    private void Reject(IReadOnlyList<(OutboxEntry Entry, Rejection Rejection)> rejected)
    {
        foreach (var (entry, rejection) in rejected)
        {
            var refused = new ChangeRejectedException(entry.Change, rejection);
            entry.Applied.TrySetException(refused);
            entry.Durable.TrySetCanceled();
            Raise(() => ChangeRejected?.Invoke(refused));
        }
    }
}
