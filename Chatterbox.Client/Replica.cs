namespace Chatterbox.Client;

/// <summary>A change of this client on its way: kept until it is durable.</summary>
internal sealed class OutboxEntry(long sequence, AppStateChange change)
{
    public long Sequence => sequence;

    public AppStateChange Change => change;

    /// <summary>The revision at which it is in the session's state; null until the session has said so.</summary>
    public long? Revision { get; set; }

    /// <summary>The session has said of this very change that it is in, in this epoch; until then it may have been refused.</summary>
    public bool IsConfirmed { get; set; }

    public TaskCompletionSource<long> Applied { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Durable { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>What the replica has to ask the session for next.</summary>
internal enum Need
{
    Nothing,
    CatchUp,
    Attach,
}

/// <summary>
/// One client's copy of a session: the state as the session has confirmed it, this client's own changes on top, and the outbox
/// that holds them until they are durable. Pure: no clock, no threads, no calls.
/// </summary>
internal sealed class Replica(string client)
{
    private readonly List<OutboxEntry> _outbox = [];
    private long _nextSequence = 1;

    /// <summary>The last sequence sent since the last attach.</summary>
    private long _sent;

    private AppState _confirmed = AppState.Initial;
    private AppState? _visible;

    /// <summary>What the user sees: the confirmed state with every own change on top that is not in it yet.</summary>
    public AppState Visible => _visible ??= Overlay();

    public AppState Confirmed => _confirmed;

    public long Epoch { get; private set; }

    public long Revision { get; private set; }

    public long DurableRevision { get; private set; }

    public IReadOnlyList<OutboxEntry> Outbox => _outbox;

    public long LastSequence => _nextSequence - 1;

    /// <summary>The first sequence the session will hear of next: the oldest not durable.</summary>
    public long FirstOutstanding => _outbox.Count > 0 ? _outbox[0].Sequence : _nextSequence;

    public OutboxEntry Enqueue(AppStateChange change)
    {
        var entry = new OutboxEntry(_nextSequence++, change);
        _outbox.Add(entry);
        if (_visible is not null) _visible = AppStateReducer.Apply(_visible, change).State;
        return entry;
    }

    /// <summary>The next changes to send, or null when all have been sent.</summary>
    public ChangeBatch? NextBatch()
    {
        var unsent = _outbox.Where(entry => entry.Sequence > _sent).Take(Limits.ChangesPerBatch)
            .Select(entry => new SequencedChange(entry.Sequence, entry.Change)).ToValueList();
        return unsent.Count == 0 ? null : new(client, Epoch, _sent, unsent);
    }

    /// <summary>The session has taken this client in; everything not durable is sent again.</summary>
    public void Attached(AttachReply reply)
    {
        var sameEpoch = reply.State.Epoch == Epoch;
        _sent = FirstOutstanding - 1;
        if (!sameEpoch)
        {
            // What the new epoch does not hold has to be applied again, at another revision.
            foreach (var entry in _outbox) (entry.Revision, entry.IsConfirmed) = (null, false);
            DurableRevision = 0;
        }
        CaughtUp(reply.State);
        foreach (var entry in _outbox)
        {
            // In, or refused with a later one in: not to be shown twice, and the answer to sending it again says which.
            if (reply.Applied.Any(applied => applied.Slice == entry.Change.Slice && applied.Sequence >= entry.Sequence)) entry.Revision ??= Revision;
        }
        _visible = null;
    }

    /// <summary>The session has said what happened since the confirmed revision.</summary>
    public Need CaughtUp(CatchUp since)
    {
        if (since.Snapshot is null && since.Epoch != Epoch) return Need.Attach;
        if (since.Snapshot is not null)
        {
            if (since.Epoch == Epoch && since.Revision < Revision) return Need.Nothing;
            _confirmed = since.Snapshot;
        }
        else if (!ApplyConfirmed(since.Changes)) return Need.Attach;
        Epoch = since.Epoch;
        Revision = since.Snapshot is null ? Math.Max(Revision, since.Revision) : since.Revision;
        BecameDurable(since.DurableRevision);
        _visible = null;
        return Need.Nothing;
    }

    /// <summary>The session has answered a batch. Refused changes leave the outbox.</summary>
    public (Need Need, IReadOnlyList<(OutboxEntry Entry, Rejection Rejection)> Rejected) Replied(ChangeBatch batch, ApplyReply reply)
    {
        if (reply.Result is not ApplyResult.Done || reply.Epoch != Epoch) return (Need.Attach, []);
        _sent = Math.Max(_sent, batch.Changes[^1].Sequence);
        var rejected = new List<(OutboxEntry, Rejection)>();
        for (var index = 0; index < batch.Changes.Count; index++)
        {
            if (_outbox.Find(each => each.Sequence == batch.Changes[index].Sequence) is not { } entry) continue;
            var (revision, rejection) = reply.Outcomes[index];
            if (rejection is null) Confirm(entry, revision);
            else
            {
                _outbox.Remove(entry);
                rejected.Add((entry, rejection));
            }
        }
        BecameDurable(reply.DurableRevision);
        _visible = null;
        return (Need.Nothing, rejected);
    }

    /// <summary>The session takes none of a batch, and would not if it were sent again.</summary>
    public IReadOnlyList<(OutboxEntry Entry, Rejection Rejection)> Withdraw(ChangeBatch batch, Rejection rejection)
    {
        var withdrawn = _outbox.Where(entry => batch.Changes.Any(change => change.Sequence == entry.Sequence))
            .Select(entry => (entry, rejection)).ToArray();
        foreach (var (entry, _) in withdrawn) _outbox.Remove(entry);
        _sent = Math.Max(_sent, batch.After);
        _visible = null;
        return withdrawn;
    }

    public Need ChangesApplied(ChangesApplied happened)
    {
        if (happened.ToRevision <= Revision) return Need.Nothing;
        if (happened.FromRevision > Revision) return Need.CatchUp;
        if (!ApplyConfirmed(happened.Changes)) return Need.Attach;
        Revision = happened.ToRevision;
        _visible = null;
        SettleDurable();
        return Need.Nothing;
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

    /// <summary>False when a change that the session took cannot be applied here: the copies differ.</summary>
    private bool ApplyConfirmed(ValueList<AppliedChange> changes)
    {
        foreach (var applied in changes)
        {
            if (applied.Revision <= Revision) continue;
            var (state, rejection) = AppStateReducer.Apply(_confirmed, applied.Change);
            if (rejection is not null)
            {
                // The copies differ. Without an epoch the next attach brings the whole state.
                Epoch = 0;
                return false;
            }
            _confirmed = state;
            if (applied.Client == client && _outbox.Find(each => each.Sequence == applied.Sequence) is { } own) Confirm(own, applied.Revision);
        }
        return true;
    }

    private AppState Overlay() => _outbox.Where(entry => entry.Revision is not { } revision || revision > Revision)
        .Aggregate(_confirmed, (state, entry) => AppStateReducer.Apply(state, entry.Change).State);

    // Not before the confirmed state holds it: the user would see it vanish for a moment.
    private void SettleDurable()
    {
        for (var index = 0; index < _outbox.Count;)
        {
            var entry = _outbox[index];
            if (entry is { IsConfirmed: true, Revision: { } revision } && revision <= DurableRevision && revision <= Revision)
            {
                _outbox.RemoveAt(index);
                entry.Durable.TrySetResult();
            }
            else index++;
        }
    }
}
