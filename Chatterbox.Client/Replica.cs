using Chatterbox.Client.Outbox;

namespace Chatterbox.Client;

/// <summary>
/// One client's copy of a session: the state as the session has confirmed it, and this client's own changes on top. Pure: no clock, no
/// threads, no calls.
/// </summary>
internal sealed partial class Replica(string client, long firstSequence = 1)
{
    private const int RememberedEpochs = 16;

    /// <summary>Epochs that are over, the last few: what is still heard of them is old.</summary>
    private readonly Queue<long> _pastEpochs = new();
    private long _lastEpoch;

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

    /// <summary>The slices that are kept in sync; null is all.</summary>
    public ValueList<Slice>? Slices { get; private set; }

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

    /// <summary>Whether changes of this slice are shown here.</summary>
    public bool Syncs(Slice slice) => Slices is null || Slices.Contains(slice);

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
}
