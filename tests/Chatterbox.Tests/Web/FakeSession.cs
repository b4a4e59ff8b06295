namespace Chatterbox.Tests.Web;

/// <summary>A session as clients see it: takes changes, forgets what was not saved when it crashes, and tells what
/// happened.</summary>
internal sealed class FakeSession
{
    private const int Ring = 6;

    private Dictionary<(string Client, string Slice), long> _applied = [];
    private Dictionary<(string Client, string Slice), long> _stored = [];
    private readonly Dictionary<string, long> _heard = [];
    private readonly List<AppliedChange> _ring = [];
    private AppState _storedState = AppState.Initial;

    public AppState State { get; private set; } = AppState.Initial;

    public long Epoch { get; private set; } = 1;

    public long Revision { get; private set; }

    public long Durable { get; private set; }

    /// <summary>What clients are told, in order.</summary>
    public Queue<(long Epoch, SessionEvent Event)> Events { get; } = [];

    public AttachReply Attach(AttachRequest request)
    {
        _heard[request.Client.Client] = request.NextSequence - 1;
        Revision = Math.Max(Revision, request.SeenRevision);
        return new()
        {
            State = Since(request.Epoch, request.SeenRevision, request.Slices),
            Applied = _applied.Where(each => each.Key.Client == request.Client.Client)
                .OrderBy(each => TtsApp.Instance.FindSlice(each.Key.Slice)!.Index)
                .Select(each => new AppliedSequence(each.Key.Slice, each.Value)).ToValueList(),
        };
    }

    public CatchUp Since(long epoch, long revision, ValueList<string>? slices)
    {
        var found = new CatchUp { Epoch = Epoch, Revision = Revision, DurableRevision = Durable };
        return epoch == Epoch && (_ring.Count == 0 ? revision >= Revision : revision >= _ring[0].Revision - 1)
            ? found with { Changes = Wanted(_ring.Where(change => change.Revision > revision), slices) }
            : found with { Snapshot = State };
    }

    public ApplyReply Apply(ChangeBatch batch)
    {
        if (batch.Epoch != Epoch) return new() { Result = ApplyResult.OtherEpoch, Epoch = Epoch };
        if (batch.After > _heard.GetValueOrDefault(batch.Client)) return new() { Result = ApplyResult.Gap, Epoch = Epoch };
        var outcomes = batch.Changes.Select(change => Apply(batch.Client, change.Sequence, (AppStateChange)change.Change))
            .ToValueList();
        _heard[batch.Client] = Math.Max(_heard.GetValueOrDefault(batch.Client), batch.Changes[^1].Sequence);
        return new() { Epoch = Epoch, DurableRevision = Durable, Outcomes = outcomes };
    }

    public ChangeOutcome Apply(string client, long sequence, AppStateChange change)
    {
        if (_applied.GetValueOrDefault((client, change.Slice.Name)) >= sequence) return new(Revision, null);
        var (state, rejection) = AppStateReducer.Apply(State, change);
        if (rejection is not null) return new(0, rejection);
        _applied[(client, change.Slice.Name)] = sequence;
        if (ReferenceEquals(state, State)) return new(Revision, null);
        State = state;
        var applied = new AppliedChange(++Revision, client, sequence, change);
        _ring.Add(applied);
        if (_ring.Count > Ring) _ring.RemoveAt(0);
        Events.Enqueue((Epoch, new ChangesApplied(Revision - 1, Revision, [applied])));
        return new(Revision, null);
    }

    public void Save()
    {
        (_storedState, Durable, _stored) = (State with { Runtime = RuntimeState.Default }, Revision, new(_applied));
        Events.Enqueue((Epoch, new BecameDurable(Revision)));
    }

    public void Crash()
    {
        Epoch += 1000;
        (State, Revision, _applied) = (_storedState, Durable, new(_stored));
        _heard.Clear();
        _ring.Clear();
        Events.Enqueue((Epoch, new SessionReset("crash")));
    }

    public static ValueList<AppliedChange> Wanted(IEnumerable<AppliedChange> changes, ValueList<string>? slices) =>
        changes.Where(change => slices is null || slices.Contains(change.Change.Slice.Name)).ToValueList();
}
