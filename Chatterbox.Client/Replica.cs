using Chatterbox.Client.Outbox;

namespace Chatterbox.Client;

/// <summary>
/// One client's copy of a session: the state as the session has confirmed it, and this client's own changes on top. Pure: no
/// clock, no threads, no calls.
/// </summary>
internal sealed partial class Replica(AppDefinition app, string client, long firstSequence = 1)
{
    private const int RememberedEpochs = 16;

    /// <summary>The last few past epochs: events from them are stale.</summary>
    private readonly Queue<long> _pastEpochs = new();
    private long _lastEpoch;

    /// <summary>All changes of the outbox up to this sequence are in the confirmed state.</summary>
    private long _inState;

    private SessionState _confirmed = app.Initial;
    private SessionState? _visible;

    /// <summary>What the user sees: the confirmed state with all unconfirmed own changes on top.</summary>
    public SessionState Visible => _visible ??= Overlay();

    public SessionState Confirmed => _confirmed;

    public long Epoch { get; private set; }

    public long Revision { get; private set; }

    public long DurableRevision { get; private set; }

    /// <summary>The slices that are kept in sync; null is all.</summary>
    public ValueList<string>? Slices { get; private set; }

    /// <summary>
    /// Whether this is a past epoch. Epochs have no order: silos name them by their clocks, and one may be behind.
    /// </summary>
    public bool IsPast(long epoch) => epoch != Epoch && _pastEpochs.Contains(epoch);

    /// <summary>
    /// Changes the slices to sync. The state does not include them until the next attach has loaded it.
    /// </summary>
    public void Select(ValueList<string>? slices)
    {
        Slices = slices;
        Epoch = 0;
    }

    /// <summary>
    /// The session has accepted the attach; all changes that are not durable are sent again. False when newer events have arrived
    /// since the request: it must be repeated, so that revisions only grow.
    /// </summary>
    /// <param name="seenRevision">The revision sent with the attach request.</param>
    public bool Attached(AttachReply reply, long seenRevision)
    {
        var sameEpoch = reply.State.Epoch == Epoch;
        // The session knowingly answered with a lower revision: asking again would not change it.
        if (!sameEpoch && reply.State.Revision < Revision && seenRevision < Revision) return false;
        EnterEpoch(reply.State.Epoch);
        _sent = FirstOutstanding - 1;
        _inState = 0;
        Held = null;
        if (!sameEpoch)
        {
            // Changes missing from the new epoch are applied again, at another revision.
            foreach (var entry in _outbox.All) (entry.Revision, entry.IsConfirmed) = (null, false);
            DurableRevision = 0;
        }
        CaughtUp(reply.State);
        foreach (var entry in _outbox.All)
        {
            // Applied, or refused before a later one was applied: it must not show twice. The answer to the next send tells
            // which.
            if (reply.Applied.Any(applied => applied.Slice == entry.Change.Slice.Name && applied.Sequence >= entry.Sequence))
                entry.Revision ??= Revision;
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

    /// <summary>The session has sent the changes since the confirmed revision.</summary>
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

    /// <summary>Whether this replica keeps the slice in sync.</summary>
    public bool Syncs(SliceDefinition slice) => Slices is null || Slices.Contains(slice.Name);

    /// <summary>False when a change that the session applied cannot be applied here: the copies differ.</summary>
    private bool ApplyConfirmed(ValueList<AppliedChange> changes)
    {
        foreach (var applied in changes)
        {
            if (applied.Revision <= Revision) continue;
            if (Syncs(applied.Change.Slice))
            {
                var (state, rejection) = app.Apply(_confirmed, applied.Change, Slices);
                if (rejection is not null)
                {
                    // The copies differ. Without an epoch, the next attach loads the whole state.
                    Epoch = 0;
                    return false;
                }
                _confirmed = state;
            }
            if (applied.Client == client && _outbox.Find(applied.Sequence) is { } own) Confirm(own, applied.Revision);
        }
        return true;
    }

    private SessionState Overlay()
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

    private SessionState Shown(SessionState state, OutboxEntry entry) =>
        Syncs(entry.Change.Slice) ? app.Apply(state, entry.Change, Slices).State : state;

    private bool IsInState(OutboxEntry entry) => entry.Revision is { } revision && revision <= Revision;
}
