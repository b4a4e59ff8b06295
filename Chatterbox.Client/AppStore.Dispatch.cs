using Chatterbox.Client.Outbox;

namespace Chatterbox.Client;

/// <summary>Making changes: they enter the outbox as soon as it has room.</summary>
public partial class AppStore
{
    /// <summary>Changes that wait for room, oldest first. Null until the first one waits.</summary>
    private Queue<Waiting>? _waiting;

    /// <summary>
    /// Makes a change: visible at once, applied when the task completes, stored when the receipt's task completes. It first waits
    /// for room if the outbox is full.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait for room. A change already in the outbox stays.</param>
    /// <exception cref="ChangeRejectedException">The change is not allowed; nothing has changed.</exception>
    /// <exception cref="OutboxFullException">There was no room in time; nothing has changed.</exception>
    /// <exception cref="OutboxUnavailableException">The outbox on disk could not be written; nothing has changed.</exception>
    public async Task<ChangeReceipt> DispatchAsync(SessionChange change, CancellationToken cancellationToken = default) =>
        await ReceiptAsync((await TakeAsync([change], cancellationToken))[0]);

    /// <summary>
    /// Makes several changes, all or none: each is checked on top of those before it, and if one is not allowed none is made.
    /// </summary>
    /// <inheritdoc cref="DispatchAsync(SessionChange, CancellationToken)"/>
    public async Task<IReadOnlyList<ChangeReceipt>> DispatchAsync(IReadOnlyList<SessionChange> changes,
        CancellationToken cancellationToken = default) =>
        await Task.WhenAll((await TakeAsync(changes, cancellationToken)).Select(ReceiptAsync));

    /// <summary>
    /// Makes a change without waiting for the session: returns once it shows and is in the outbox, on disk if configured. From
    /// then on it cannot be lost.
    /// </summary>
    /// <inheritdoc cref="DispatchAsync(SessionChange, CancellationToken)"/>
    public async Task<PendingChange> EnqueueAsync(SessionChange change, CancellationToken cancellationToken = default)
    {
        var entry = (await TakeAsync([change], cancellationToken))[0];
        return new(entry.Applied.Task, entry.Durable.Task);
    }

    private static async Task<ChangeReceipt> ReceiptAsync(OutboxEntry entry) => new(await entry.Applied.Task, entry.Durable.Task);

    private async Task<OutboxEntry[]> TakeAsync(IReadOnlyList<SessionChange> changes, CancellationToken cancellationToken)
    {
        var waiting = new Waiting(Weigh(changes));
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closing, this);
            EnsureServed();
            if (waiting.Changes.Length > _client.Options.OutboxChanges || waiting.Bytes > _client.Options.OutboxBytes)
                throw Full(waiting);
            if (_waiting is not { Count: > 0 } && HasRoom(waiting)) waiting.Taken.SetResult(Take(waiting));
            else (_waiting ??= []).Enqueue(waiting);
        }
        if (!waiting.Taken.Task.IsCompleted) await RoomAsync(waiting, cancellationToken);
        Pump();
        return await waiting.Taken.Task;
    }

    // Serializing is the most expensive step here: small changes need it only when the outbox is a file.
    private Weighed[] Weigh(IReadOnlyList<SessionChange> changes)
    {
        var weighed = new Weighed[changes.Count];
        for (var index = 0; index < weighed.Length; index++)
        {
            var change = changes[index] ?? throw new ArgumentNullException(nameof(changes), "A change must not be null.");
            var most = _file is null ? change.MostBytes() : null;
            var json = most is null ? OutboxFormat.Encode(change) : null;
            weighed[index] = new(change, json, most ?? json!.Length);
        }
        return weighed;
    }

    private async Task RoomAsync(Waiting waiting, CancellationToken cancellationToken)
    {
        try
        {
            await waiting.Taken.Task.WaitAsync(_client.Options.OutboxWait, _client.Clock, cancellationToken);
        }
        catch (Exception over) when (over is TimeoutException or OperationCanceledException)
        {
            lock (_lock)
            {
                // The change may have entered the outbox just before.
                if (waiting.Taken.Task.IsCompleted) return;
                waiting.Taken.SetException(over is TimeoutException ? Full(waiting) : over);
                // A later, smaller change may fit.
                Admit();
            }
        }
    }

    private bool HasRoom(Waiting waiting) =>
        _replica.Outbox.Count + waiting.Changes.Length <= _client.Options.OutboxChanges
        && _replica.Outbox.Bytes + waiting.Bytes <= _client.Options.OutboxBytes;

    private OutboxFullException Full(Waiting waiting) => new(
        _replica.Outbox.Count, _replica.Outbox.Bytes, _client.Options.OutboxChanges, _client.Options.OutboxBytes,
        $"{(waiting.Changes.Length == 1 ? "a change" : $"{waiting.Changes.Length} changes")} of {waiting.Bytes} bytes");

    /// <summary>Adds all changes or none: to the file first, so that a change that shows cannot be lost.</summary>
    private OutboxEntry[] Take(Waiting waiting)
    {
        var shown = Allowed(waiting);
        if (_file is not null)
        {
            var sequence = _replica.LastSequence;
            _file.Append([.. waiting.Changes.Select(each => (++sequence, each.Change, each.Json))
                .Where(each => each.Change.Slice.IsStored).Select(each => (each.Item1, each.Json!))]);
        }
        var entries = Array.ConvertAll(waiting.Changes, each => _replica.Enqueue(each.Change, each.Size, shown));
        if (entries.Length > 0 && _subscriptions.Count > 0) _subscriptions.Publish(Update([]));
        return entries;
    }

    /// <summary>The state with the changes on top; null when it is not known yet.</summary>
    private SessionState? Allowed(Waiting waiting)
    {
        // Before hydration only the session can check a change.
        var state = _hydrated.Task.IsCompletedSuccessfully ? _replica.Visible : null;
        foreach (var (change, _, _) in waiting.Changes)
        {
            if (IsNotSynced(change) is { } elsewhere) throw new ChangeRejectedException(change, elsewhere);
            if (state is null) continue;
            (state, var wrong) = App.Apply(state, change, _replica.Slices);
            if (wrong is not null) throw new ChangeRejectedException(change, wrong);
        }
        return state;
    }

    // Its effect could not be shown here.
    private Rejection? IsNotSynced(SessionChange change) =>
        _replica.Syncs(change.Slice) || (_options.FollowUserChoice && !_hydrated.Task.IsCompletedSuccessfully)
            ? null
            : new("slice", $"{change.Slice}", $"one that this store keeps in sync ({string.Join(", ", _replica.Slices!)})");

    /// <summary>
    /// Removes settled changes from the file, and admits waiting changes that now have room.
    /// </summary>
    private void Settle()
    {
        if (_replica.Gone.Count > 0)
        {
            try
            {
                _file?.Remove(_replica.Gone, _replica.Outbox);
            }
            catch (OutboxUnavailableException failure)
            {
                LogNotRemoved(_client.Logger, Session.Key, failure.Message);
            }
            _replica.Gone.Clear();
        }
        Admit();
    }

    private void Admit()
    {
        while (_waiting is { Count: > 0 } && _waiting.Peek() is var next && (next.Taken.Task.IsCompleted || HasRoom(next)))
        {
            _waiting.Dequeue();
            if (next.Taken.Task.IsCompleted) continue;
            try
            {
                next.Taken.SetResult(Take(next));
            }
            catch (Exception refused)
            {
                next.Taken.SetException(refused);
            }
        }
    }

    private void RefuseWaiting(Exception why)
    {
        while (_waiting is { Count: > 0 }) _waiting.Dequeue().Taken.TrySetException(why);
    }

    private readonly record struct Weighed(SessionChange Change, byte[]? Json, int Size);

    private sealed class Waiting(Weighed[] changes)
    {
        public Weighed[] Changes => changes;

        public long Bytes { get; } = changes.Sum(each => (long)each.Size);

        public TaskCompletionSource<OutboxEntry[]> Taken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
