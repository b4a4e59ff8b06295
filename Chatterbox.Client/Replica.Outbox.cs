using Chatterbox.Client.Outbox;

namespace Chatterbox.Client;

/// <summary>The outbox: own changes from when they are made until they are durable.</summary>
internal sealed partial class Replica
{
    /// <summary>Bytes of changes in one call, but for a single larger one.</summary>
    private const int BatchBytes = 1024 * 1024;

    private readonly OutboxQueue _outbox = new();
    private readonly List<long> _gone = [];

    private long _nextSequence = firstSequence;

    /// <summary>How many changes of the outbox are never stored.</summary>
    private int _runtime;

    /// <summary>The last sequence sent since the last attach.</summary>
    private long _sent;

    public OutboxQueue Outbox => _outbox;

    /// <summary>Sequences that have left the outbox since somebody last looked, in order.</summary>
    public List<long> Gone => _gone;

    /// <summary>Why changes that an earlier run left are not sent; null when they are.</summary>
    public string? Held { get; private set; }

    public long LastSequence => _nextSequence - 1;

    /// <summary>The first sequence the session will hear of next: the oldest not durable.</summary>
    public long FirstOutstanding => _outbox.Count > 0 ? _outbox[0].Sequence : _nextSequence;

    /// <summary>What an earlier run has left: older than anything of this one.</summary>
    public void Recover(IEnumerable<OutboxEntry> entries)
    {
        foreach (var entry in entries) _outbox.Add(entry);
        _visible = null;
    }

    /// <param name="shown">What the user sees once this change, and others that follow it at once, are on top; null to find out.</param>
    public OutboxEntry Enqueue(AppStateChange change, int size = 0, AppState? shown = null)
    {
        var entry = new OutboxEntry(_nextSequence++, change, size);
        _outbox.Add(entry);
        if (change.Slice is Slice.Runtime) _runtime++;
        if (shown is not null) _visible = shown;
        else if (_visible is not null) _visible = Shown(_visible, entry);
        return entry;
    }

    /// <summary>Whether there may be changes to send.</summary>
    public bool HasUnsent => _outbox.Count > 0 && _outbox[^1].Sequence > _sent;

    /// <summary>The next changes to send, or null when all have been sent.</summary>
    public ChangeBatch? NextBatch()
    {
        var changes = new List<SequencedChange>();
        var bytes = 0L;
        for (var index = _outbox.IndexAfter(_sent); index < _outbox.Count && changes.Count < Limits.ChangesPerBatch; index++)
        {
            var entry = _outbox[index];
            if (Held is not null && entry.IsRecovered) continue;
            if (changes.Count > 0 && bytes + entry.Size > BatchBytes) break;
            bytes += entry.Size;
            changes.Add(new(entry.Sequence, entry.Change));
        }
        return changes.Count == 0 ? null : new(client, Epoch, _sent, changes.ToValueList());
    }

    /// <summary>The session has answered a batch. Refused changes leave the outbox.</summary>
    public (Need Need, IReadOnlyList<(OutboxEntry Entry, Rejection Rejection)> Rejected) Replied(ChangeBatch batch, ApplyReply reply)
    {
        if (reply.Result is not ApplyResult.Done || reply.Epoch != Epoch) return (Need.Attach, []);
        _sent = Math.Max(_sent, batch.Changes[^1].Sequence);
        var rejected = new List<(OutboxEntry, Rejection)>();
        for (var index = 0; index < batch.Changes.Count; index++)
        {
            if (_outbox.Find(batch.Changes[index].Sequence) is not { } entry) continue;
            var (revision, rejection) = reply.Outcomes[index];
            if (rejection is null) Confirm(entry, revision);
            else rejected.Add((entry, rejection));
            // Until the state holds it, it is shown on top as before.
            if (rejection is not null || IsInState(entry)) _visible = null;
        }
        Remove(rejected);
        BecameDurable(reply.DurableRevision);
        return (Need.Nothing, rejected);
    }

    /// <summary>
    /// The session takes none of a batch, and would not if it were sent again. Whoever made a change is told; what an earlier run
    /// left nobody could be told of, so it stays until the session takes changes again.
    /// </summary>
    public IReadOnlyList<(OutboxEntry Entry, Rejection Rejection)> Withdraw(ChangeBatch batch, Rejection rejection)
    {
        var withdrawn = new List<(OutboxEntry, Rejection)>();
        foreach (var change in batch.Changes)
        {
            if (_outbox.Find(change.Sequence) is not { } entry) continue;
            if (entry.IsRecovered) Held = rejection.Message;
            else withdrawn.Add((entry, rejection));
        }
        Remove(withdrawn);
        _sent = Math.Max(_sent, batch.After);
        _visible = null;
        return withdrawn;
    }

    /// <summary>The session does not serve this client. Nothing is left to send or to show on top.</summary>
    public IReadOnlyList<OutboxEntry> Refuse()
    {
        OutboxEntry[] left = [.. _outbox.All];
        _outbox.RemoveAll([.. left]);
        _visible = null;
        return left;
    }

    public void BecameDurable(long revision)
    {
        DurableRevision = Math.Max(DurableRevision, revision);
        SettleDurable();
    }

    private static void Confirm(OutboxEntry entry, long revision)
    {
        entry.Revision ??= revision;
        entry.IsConfirmed = true;
        entry.Applied.TrySetResult(entry.Revision.Value);
    }

    // In order, and not before the confirmed state holds it: the user would see it vanish for a moment.
    private void SettleDurable()
    {
        while (_outbox.Count > 0 && _outbox[0] is { IsConfirmed: true, Revision: { } revision } && revision <= DurableRevision && revision <= Revision)
        {
            var entry = _outbox.RemoveFirst();
            if (entry.Change.Slice is Slice.Runtime) _runtime--;
            _gone.Add(entry.Sequence);
            entry.Durable.TrySetResult();
        }
        SettleRuntime();
    }

    /// <summary>What is never stored is done once it is applied: it neither waits for others to be stored nor is sent again.</summary>
    private void SettleRuntime()
    {
        if (_runtime == 0) return;
        HashSet<OutboxEntry> done = [.. _outbox.All.Where(entry => entry.Change.Slice is Slice.Runtime && entry.IsConfirmed && IsInState(entry))];
        if (done.Count == 0) return;
        _runtime -= done.Count;
        _outbox.RemoveAll(done);
        foreach (var entry in done)
        {
            _gone.Add(entry.Sequence);
            entry.Durable.TrySetResult();
        }
        _gone.Sort();
    }

    private void Remove(List<(OutboxEntry Entry, Rejection)> refused)
    {
        if (refused.Count == 0) return;
        _runtime -= refused.Count(each => each.Entry.Change.Slice is Slice.Runtime);
        _outbox.RemoveAll([.. refused.Select(each => each.Entry)]);
        _gone.AddRange(refused.Select(each => each.Entry.Sequence));
    }
}
