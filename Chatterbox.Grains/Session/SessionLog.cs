namespace Chatterbox.Grains.Session;

/// <summary>What a write takes with it: one moment of the session.</summary>
/// <param name="IsCleared">Slices that are as in the beginning are so because they were cleared: their
/// rows are to say that.</param>
/// <param name="IsReplaced">The state has been replaced since it was last stored: an equal value may
/// have seen other changes.</param>
internal sealed record SessionMoment(
    SessionState State, long Revision, IReadOnlyList<AppliedMap> Applied, bool IsCleared = false, bool IsReplaced = false)
{
    /// <summary>Loaded, in part, from the local fallback file: its revision is not durable.</summary>
    public bool IsPending { get; init; }
}

/// <summary>
/// The session's state and how it came about: revision, epoch, which client changes are in, and the latest of them. Pure
/// memory; everything that has to be atomic happens in one of its methods.
/// </summary>
internal sealed partial class SessionLog(AppDefinition app, int recentChanges, TimeProvider clock)
{
    /// <summary>
    /// A client that claims to have seen a higher one is wrong: counting on from there would leave what JSON numbers hold.
    /// </summary>
    private const long HighestRevision = 1L << 52;

    private readonly Dictionary<string, Cursor> _cursors = new(StringComparer.Ordinal);
    private const int KeptEpochs = 16;

    /// <summary>About the bytes of changes that are kept once they are durable.</summary>
    private const long MostRecentBytes = 4 * 1024 * 1024;

    private readonly SliceWeights _weights = new(app);
    private readonly Queue<long> _epochs = new();
    private readonly AppliedMap[] _applied = [.. app.Stored.Select(_ => AppliedMap.Empty)];

    /// <summary>
    /// Changes after <see cref="_recentFrom"/>, contiguous up to <see cref="Revision"/>: the unsaved ones and a few before.
    /// </summary>
    private Queue<AppliedChange> _recent = new();

    private long _recentFrom;

    /// <summary>About the bytes in memory of <see cref="_recent"/>.</summary>
    private long _recentBytes;

    /// <summary>The moment of a replacement that is not stored yet, as the state began anew from it.</summary>
    private SessionMoment? _replacement;

    /// <summary>The replacement is nobody's wish: what was loaded had expired.</summary>
    private bool _hasExpired;

    public SessionState State { get; private set; } = app.Initial;

    /// <summary>Changes with every loading of the session; revisions are contiguous within it.</summary>
    public long Epoch { get; private set; }

    public long Revision { get; private set; }

    /// <summary>Everything up to this revision is stored.</summary>
    public long DurableRevision { get; private set; }

    public long Changes { get; private set; }

    /// <summary>Refuses a client's change for a reason that the state does not know.</summary>
    public Func<SessionChange, Rejection?> Guard { get; set; } = _ => null;

    /// <summary>Whether the client has attached in this epoch.</summary>
    public bool Knows(string client) => _cursors.TryGetValue(client, out var cursor) && cursor.IsAttached;

    public SessionMoment Moment =>
        new(State, Revision, [.. _applied.Select(each => each.Prune(Today))],
            _replacement is { IsCleared: true }, _replacement is not null);

    /// <summary>Somebody has replaced the state, and that is not stored yet.</summary>
    public bool IsReplaced => _replacement is not null && !_hasExpired;

    /// <summary>
    /// Whether another process has attached the client after this one. Two would use the same sequences for different changes.
    /// </summary>
    public bool IsSuperseded(ClientId client) =>
        _cursors.TryGetValue(client.Client, out var cursor) && cursor.Process is { } process && process != client.Process;

    /// <summary>A client arrives, whose next change will have this sequence or a higher one it has sent before.</summary>
    /// <returns>Whether revisions were lifted above what any save under way makes durable: another save is due.</returns>
    public bool Attach(string client, long nextSequence, long seenRevision, string? process = null)
    {
        if (!_cursors.TryGetValue(client, out var cursor)) _cursors[client] = cursor = new Cursor();
        cursor.Process = process;
        cursor.Next = cursor.IsAttached ? Math.Max(cursor.Next, nextSequence) : nextSequence;
        cursor.IsAttached = true;

        // A silo that died may have taken revisions with it that clients have seen; numbers go on from the highest.
        if (seenRevision <= Revision || seenRevision > HighestRevision) return false;
        if (DurableRevision == Revision) DurableRevision = seenRevision;
        Revision = seenRevision;
        Forget(0);
        return DurableRevision < Revision;
    }

    public ValueList<AppliedSequence> AppliedOf(string client) =>
        app.Stored.Select(slice => new AppliedSequence(slice.Name, _applied[slice.Index][client])).ToValueList();

    /// <summary>The client has detached with nothing left to send.</summary>
    public void Leave(string client)
    {
        _cursors.Remove(client);
        for (var slice = 0; slice < _applied.Length; slice++) _applied[slice] = _applied[slice].Leave(client);
    }

    /// <summary>Takes a client's change in, once. Its sequence is the next one, or one that was taken before.</summary>
    public ChangeOutcome Apply(string client, SequencedChange sent, out AppliedChange? applied)
    {
        applied = null;
        var (sequence, change) = sent;
        var cursor = _cursors[client];
        // Refused once is refused for good: the answer may have been lost, and later ones are in.
        if (sequence < cursor.Next || cursor.RejectionOf(sequence) is not null)
        {
            return new(Revision, cursor.RejectionOf(sequence));
        }

        cursor.Next = sequence + 1;
        if (WasApplied(client, sequence, change.Slice)) return new(Revision, null);

        var (state, rejection) = Guard(change) is { } refused ? new(State, refused) : app.Apply(State, change);
        if (rejection is not null)
        {
            cursor.Remember(sequence, rejection);
            return new(Revision, rejection);
        }
        if (ReferenceEquals(state, State)) return new(Revision, null);
        if (_weights.Add(State, state, change) is { } tooLarge)
        {
            cursor.Remember(sequence, tooLarge);
            return new(Revision, tooLarge);
        }

        if (change.Slice.IsStored) NoteApplied(client, sequence, change.Slice);
        State = state;
        Revision++;
        Changes++;
        applied = new(Revision, client, sequence, change);
        Remember(applied);
        Forget(recentChanges);
        return new(Revision, null);
    }

    /// <summary>
    /// A change of the session's own making, which nobody will send again. Null when it is refused or changes nothing.
    /// </summary>
    public AppliedChange? ApplyOwn(SessionChange change)
    {
        var (state, rejection) = app.Apply(State, change);
        if (rejection is not null || ReferenceEquals(state, State)) return null;
        State = state;
        Changes++;
        var applied = new AppliedChange(++Revision, Client: "", Sequence: 0, change);
        Remember(applied);
        Forget(recentChanges);
        return applied;
    }

    /// <summary>Everything of the client below this sequence has arrived.</summary>
    public long NextSequence(string client) => _cursors[client].Next;

    public void MarkDurable(long revision)
    {
        if (revision <= DurableRevision) return;
        DurableRevision = revision;
        if (_replacement?.Revision <= revision) _replacement = null;
        Forget(recentChanges);
    }

    public CatchUp Since(long epoch, long revision, ValueList<string>? slices)
    {
        var upToDate = new CatchUp { Epoch = Epoch, Revision = Revision, DurableRevision = DurableRevision };
        if (epoch != Epoch || revision < _recentFrom || revision > Revision)
        {
            return upToDate with { Snapshot = Select(State, slices) };
        }
        return upToDate with
        {
            Changes = _recent.Where(change => change.Revision > revision && Wants(slices, change.Change.Slice)).ToValueList(),
        };
    }

    /// <summary>
    /// Lets go of changes that are stored, but for so many: what the next client that missed some will ask for.
    /// </summary>
    public void Forget(int keep)
    {
        while ((_recent.Count > keep || _recentBytes > MostRecentBytes)
            && _recent.Count > 0 && _recent.Peek().Revision <= DurableRevision)
        {
            var oldest = _recent.Dequeue();
            _recentFrom = oldest.Revision;
            _recentBytes -= oldest.Change.Weigh();
        }
        if (_recent.Count == 0) _recentFrom = Revision;
    }

    /// <summary>The session as storage has it. A new epoch.</summary>
    public void Load(SessionMoment stored, long epoch)
    {
        Reset(stored.State, Math.Max(stored.Revision, Revision), epoch);
        stored.Applied.ToArray().CopyTo(_applied, 0);
        DurableRevision = stored.IsPending ? Revision - 1 : Revision;
        _replacement = null;
        if (!stored.IsCleared) return;
        Replaced(isCleared: true);
        _hasExpired = true;
    }

    /// <summary>
    /// Somebody else has written: what storage has now is the truth. Clients send again what it does not hold of theirs; a change
    /// of a client that is gone must not go on top of a newer state, as a silo that was paused for a while would have it. The
    /// session's own changes go on top. So does a replacement that storage does not hold, with all that followed it: it is of the
    /// whole state, whatever that was, and some of what followed may be in its row already. A new epoch.
    /// </summary>
    public void Rebase(SessionMoment stored, long epoch)
    {
        var unsaved = _recent.Where(change => change.Revision > DurableRevision && (IsReplaced || change.Sequence == 0))
            .ToArray();
        var replacement = IsReplaced ? _replacement : null;
        var onto = replacement is null ? stored : replacement with { Revision = stored.Revision, IsCleared = false };
        Load(onto with { State = app.WithUnstored(onto.State, State) }, epoch);
        if (replacement is not null) Replaced(replacement.IsCleared);
        foreach (var (_, client, sequence, change) in unsaved)
        {
            if (!change.Slice.IsStored || WasApplied(client, sequence, change.Slice)) continue;
            var (state, rejection) = app.Apply(State, change);
            if (rejection is not null)
            {
                if (_cursors.TryGetValue(client, out var cursor)) cursor.Remember(sequence, rejection);
                continue;
            }
            if (ReferenceEquals(state, State)) continue;
            if (sequence > 0) NoteApplied(client, sequence, change.Slice);
            State = state;
            Remember(new(++Revision, client, sequence, change));
        }
        if (replacement is null) return;
        // What others did before they were overtaken by the replacement is replaced: nobody has to do it again.
        for (var slice = 0; slice < _applied.Length; slice++) _applied[slice] = _applied[slice].With(stored.Applied[slice]);
    }

    /// <summary>
    /// Another state in place of this one, as an import or a clear brings it. A new epoch; what clients have sent stays known.
    /// </summary>
    public void Replace(SessionState state, long epoch, bool isCleared = false)
    {
        Reset(app.WithUnstored(state, State), Revision, epoch);
        Replaced(isCleared);
    }

    private void Remember(AppliedChange applied)
    {
        _recent.Enqueue(applied);
        _recentBytes += applied.Change.Weigh();
    }

    private void Replaced(bool isCleared)
    {
        _recentFrom = ++Revision;
        DurableRevision = Math.Min(DurableRevision, Revision - 1);
        (_replacement, _hasExpired) = (new(State, Revision, [.. _applied], isCleared), false);
    }

    private int Today => (int)(clock.GetUtcNow().ToUnixTimeSeconds() / 86_400);

    private void NoteApplied(string client, long sequence, SliceDefinition slice) =>
        _applied[slice.Index] = _applied[slice.Index].With(new AppliedEntry(client, sequence, Today));

    private bool WasApplied(string client, long sequence, SliceDefinition slice) =>
        slice.IsStored && sequence > 0 && _applied[slice.Index][client] >= sequence;

    /// <summary>Whether this activation has, or had, the epoch.</summary>
    public bool Had(long epoch) => epoch == Epoch || _epochs.Contains(epoch);

    private void Reset(SessionState state, long revision, long epoch)
    {
        if (_epochs.Count == KeptEpochs) _epochs.Dequeue();
        _epochs.Enqueue(Epoch);
        State = state;
        Revision = revision;
        Epoch = Math.Max(epoch, Epoch + 1);
        foreach (var cursor in _cursors.Values) cursor.IsAttached = false;
        _recent.Clear();
        _recentBytes = 0;
        _recentFrom = revision;
        _weights.Forget();
    }

    private static bool Wants(ValueList<string>? slices, SliceDefinition slice) =>
        slices is null || slices.Contains(slice.Name);

    private SessionState Select(SessionState state, ValueList<string>? slices)
    {
        if (slices is null) return state;
        return app.Slices.Where(slice => Wants(slices, slice))
            .Aggregate(app.Initial, (seen, slice) => slice.With(seen, slice.Get(state)));
    }

    /// <summary>Where a client is in its sequence, and which of its changes were refused, should it ask again.</summary>
    private sealed class Cursor
    {
        // A client sends one batch at a time: these are all it can ask about again.
        private const int KeptRejections = Limits.ChangesPerBatch;
        private readonly OrderedDictionary<long, Rejection> _rejections = [];

        /// <summary>In this epoch. What was refused before is remembered beyond it.</summary>
        public bool IsAttached { get; set; }

        public long Next { get; set; }

        /// <summary>The last process that attached it.</summary>
        public string? Process { get; set; }

        public IEnumerable<KeyValuePair<long, Rejection>> Rejections => _rejections;

        public void Remember(long sequence, Rejection rejection)
        {
            if (_rejections.Count == KeptRejections) _rejections.RemoveAt(0);
            _rejections[sequence] = rejection;
        }

        public Rejection? RejectionOf(long sequence) => _rejections.GetValueOrDefault(sequence);
    }
}
