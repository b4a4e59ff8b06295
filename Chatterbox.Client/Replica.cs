using Chatterbox.Client.Outbox;

namespace Chatterbox.Client;

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
internal sealed class Replica(string client, long firstSequence = 1)
{
    /// <summary>Bytes of changes in one call, but for a single larger one.</summary>
    private const int BatchBytes = 1024 * 1024;

    private const int RememberedEpochs = 16;

    private readonly OutboxQueue _outbox = new();
    private readonly List<long> _gone = [];

    /// <summary>Epochs that are over, the last few: what is still heard of them is old.</summary>
    private readonly Queue<long> _pastEpochs = new();
    private long _lastEpoch;

    private long _nextSequence = firstSequence;

    /// <summary>How many changes of the outbox are never stored.</summary>
    private int _runtime;

    /// <summary>The last sequence sent since the last attach.</summary>
    private long _sent;

    /// <summary>Everything of the outbox up to this sequence is in the confirmed state.</summary>
    private long _inState;

    private AppState _confirmed = AppState.Initial;
    private AppState? _visible;

    /// <summary>What the user sees: the confirmed state with every own change on top that is not in it yet.</summary>
    public AppState Visible => _visible ??= Overlay();

    public AppState Confirmed => _confirmed;

    public long Epoch { get; private set; }

    public long Revision { get; private set; }

    public long DurableRevision { get; private set; }

    public OutboxQueue Outbox => _outbox;

    /// <summary>Sequences that have left the outbox since somebody last looked, in order.</summary>
    public List<long> Gone => _gone;

    /// <summary>The slices that are kept in sync; null is all.</summary>
    public ValueList<Slice>? Slices { get; private set; }

    /// <summary>Why changes that an earlier run left are not sent; null when they are.</summary>
    public string? Held { get; private set; }

    public long LastSequence => _nextSequence - 1;

    /// <summary>The first sequence the session will hear of next: the oldest not durable.</summary>
    public long FirstOutstanding => _outbox.Count > 0 ? _outbox[0].Sequence : _nextSequence;

    /// <summary>
    /// Whether this is an epoch that this replica has left. Epochs have no order: they are named by the clocks of silos, of which one may
    /// be behind.
    /// </summary>
    public bool IsPast(long epoch) => epoch != Epoch && _pastEpochs.Contains(epoch);

    /// <summary>Other slices from now on. What is shown is no copy of them until the next attach has brought the whole state.</summary>
    public void Select(ValueList<Slice>? slices)
    {
        Slices = slices;
        Epoch = 0;
    }

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

    /// <summary>
    /// The session has taken this client in; everything not durable is sent again. False when more has been seen since it was asked:
    /// it has to be asked again, so that revisions only grow.
    /// </summary>
    /// <param name="seenRevision">What the session was told has been seen.</param>
    public bool Attached(AttachReply reply, long seenRevision)
    {
        var sameEpoch = reply.State.Epoch == Epoch;
        // A session that goes on below what it was told knows why, and asking again would not change it.
        if (!sameEpoch && reply.State.Revision < Revision && seenRevision < Revision) return false;
        EnterEpoch(reply.State.Epoch);
        _sent = FirstOutstanding - 1;
        _inState = 0;
        Held = null;
        if (!sameEpoch)
        {
            // What the new epoch does not hold has to be applied again, at another revision.
            foreach (var entry in _outbox.All) (entry.Revision, entry.IsConfirmed) = (null, false);
            DurableRevision = 0;
        }
        CaughtUp(reply.State);
        foreach (var entry in _outbox.All)
        {
            // In, or refused with a later one in: not to be shown twice, and the answer to sending it again says which.
            if (reply.Applied.Any(applied => applied.Slice == entry.Change.Slice && applied.Sequence >= entry.Sequence)) entry.Revision ??= Revision;
        }
        _visible = null;
        return true;
    }

    private void EnterEpoch(long epoch)
    {
        if (epoch == _lastEpoch) return;
        if (_lastEpoch != 0) _pastEpochs.Enqueue(_lastEpoch);
        if (_pastEpochs.Count > RememberedEpochs) _pastEpochs.Dequeue();
        _lastEpoch = epoch;
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

    /// <summary>Whether changes of this slice are shown here.</summary>
    public bool Syncs(Slice slice) => Slices is null || Slices.Contains(slice);

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
            if (Syncs(applied.Change.Slice))
            {
                var (state, rejection) = AppStateReducer.Apply(_confirmed, applied.Change, Slices);
                if (rejection is not null)
                {
                    // The copies differ. Without an epoch the next attach brings the whole state.
                    Epoch = 0;
                    return false;
                }
                _confirmed = state;
            }
            if (applied.Client == client && _outbox.Find(applied.Sequence) is { } own) Confirm(own, applied.Revision);
        }
        return true;
    }

    private AppState Overlay()
    {
        var state = _confirmed;
        var index = _outbox.IndexAfter(_inState);
        for (; index < _outbox.Count && IsInState(_outbox[index]); index++) _inState = _outbox[index].Sequence;
        for (; index < _outbox.Count; index++)
        {
            if (!IsInState(_outbox[index])) state = Shown(state, _outbox[index]);
        }
        return state;
    }

    private AppState Shown(AppState state, OutboxEntry entry) =>
        Syncs(entry.Change.Slice) ? AppStateReducer.Apply(state, entry.Change, Slices).State : state;

    private bool IsInState(OutboxEntry entry) => entry.Revision is { } revision && revision <= Revision;

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
