using Chatterbox.Client.Outbox;

namespace Chatterbox.Client;

/// <summary>The outbox: own changes that are not durable yet.</summary>
internal sealed partial class Replica
{
    /// <summary>The most bytes of changes in one call, except for a single larger change.</summary>
    private const int BatchBytes = 1024 * 1024;

    private readonly OutboxQueue _outbox = new();
    private readonly List<long> _gone = [];

    private long _nextSequence = firstSequence;

    /// <summary>The number of changes in the outbox that are never stored.</summary>
    private int _runtime;

    /// <summary>The last sequence sent since the last attach.</summary>
    private long _sent;

    public OutboxQueue Outbox => _outbox;

    /// <summary>Sequences removed from the outbox since the last read, in order.</summary>
    public List<long> Gone => _gone;

    /// <summary>Why changes of an earlier run are held back; null when they are sent.</summary>
    public string? Held { get; private set; }

    public long LastSequence => _nextSequence - 1;

    /// <summary>The first sequence of the next batch after an attach: the oldest that is not durable.</summary>
    public long FirstOutstanding => _outbox.Count > 0 ? _outbox[0].Sequence : _nextSequence;

    /// <summary>Adds the changes of an earlier run: they precede all changes of this run.</summary>
    public void Recover(IEnumerable<OutboxEntry> entries)
    {
        foreach (var entry in entries) _outbox.Add(entry);
        _visible = null;
    }

    /// <param name="shown">The state with this change, and others made with it, on top; null computes it.</param>
    public OutboxEntry Enqueue(SessionChange change, int size = 0, SessionState? shown = null)
    {
        var entry = new OutboxEntry(_nextSequence++, change, size);
        _outbox.Add(entry);
        if (!change.Slice.IsStored) _runtime++;
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
    public (Need Need, IReadOnlyList<(OutboxEntry Entry, Rejection Rejection)> Rejected) Replied(ChangeBatch batch,
        ApplyReply reply)
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
            // Shown on top until the confirmed state includes it.
            if (rejection is not null || IsInState(entry)) _visible = null;
        }
        Remove(rejected);
        BecameDurable(reply.DurableRevision);
        return (Need.Nothing, rejected);
    }

    /// <summary>
    /// The session refuses the whole batch, and would refuse it again. Each caller gets the refusal. Changes of an earlier run
    /// have no caller, so they stay until the session accepts changes again.
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

    /// <summary>The session does not serve this client. All changes are dropped.</summary>
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

    // In order, and only once the confirmed state includes it: otherwise the change would briefly disappear.
    private void SettleDurable()
    {
        while (_outbox.Count > 0 && _outbox[0] is { IsConfirmed: true, Revision: { } revision } && revision <= DurableRevision
            && revision <= Revision)
        {
            var entry = _outbox.RemoveFirst();
            if (!entry.Change.Slice.IsStored) _runtime--;
            _gone.Add(entry.Sequence);
            entry.Durable.TrySetResult();
        }
        SettleRuntime();
    }

    /// <summary>
    /// Changes that are never stored are done once applied: they do not wait for saves and are not sent again.
    /// </summary>
    private void SettleRuntime()
    {
        if (_runtime == 0) return;
        HashSet<OutboxEntry> done =
            [.. _outbox.All.Where(entry => !entry.Change.Slice.IsStored && entry.IsConfirmed && IsInState(entry))];
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
        _runtime -= refused.Count(each => !each.Entry.Change.Slice.IsStored);
        _outbox.RemoveAll([.. refused.Select(each => each.Entry)]);
        _gone.AddRange(refused.Select(each => each.Entry.Sequence));
    }
}
