using Chatterbox.Grains.Session;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.Sessions;

public sealed class SessionLogTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly FakeTimeProvider _clock = new(Start);
    private readonly SessionLog _log;

    public SessionLogTests()
    {
        _log = new(TtsApp.Instance, recentChanges: 3, _clock);
        _log.Load(Stored(AppState.Initial, 0), epoch: 5);
    }

    [Fact(DisplayName = "[P8] a change sent again goes in once, and its answer is that it is in")]
    public void Once()
    {
        _log.Attach("a", 1, 0);
        Assert.Equal(1, Apply("a", 1, Voice("one")).Revision);
        Assert.Equal(1, Apply("a", 1, Voice("another")).Revision);
        Assert.Equal(["one"], Voices);
        Assert.Equal(2, _log.NextSequence("a"));
    }

    [Fact(DisplayName = "[P8] what storage holds of a client is not applied again, what it does not hold is; slice by slice")]
    public void Known_from_storage()
    {
        var applied = Maps();
        applied[TtsApp.SavedVoices.Index] = AppliedMap.Empty.With(Entry("a", 4));
        _log.Load(new(AppState.Initial, 9, applied), 6);
        _log.Attach("a", 3, 9);
        Apply("a", 3, Voice("three"));
        Apply("a", 4, Voice("four"));
        Apply("a", 5, Voice("five"));
        Assert.Equal(["five"], Voices);
        Apply("a", 6, new SetStreaming(true));
        Assert.True(_log.State.Preferences.UseStreaming);
        Assert.Equal([6, 0, 5, 0, 0], _log.AppliedOf("a").Select(each => each.Sequence));
    }

    [Fact(DisplayName = "[S3] a change that was refused stays refused when it is sent again, though it would be allowed by then")]
    public void Refused_for_good()
    {
        _log.Attach("a", 1, 0);
        Assert.Equal("voice.id", Apply("a", 1, new RemoveVoice("one")).Rejection!.Field);
        Apply("a", 2, Voice("one"));
        Assert.Equal("voice.id", Apply("a", 1, new RemoveVoice("one")).Rejection!.Field);
        _log.Load(_log.Moment, 9);
        _log.Attach("a", 1, 0);
        Assert.Equal("voice.id", Apply("a", 1, new RemoveVoice("one")).Rejection!.Field);
        Assert.Equal(["one"], Voices);
    }

    [Fact(DisplayName = "[S4] a change that changes nothing makes no revision, and a runtime change is told and not stored")]
    public void Nothing_and_runtime()
    {
        _log.Attach("a", 1, 0);
        Assert.Null(Applied("a", 1, new SetStreaming(false)));
        Assert.Equal((0, 0), (_log.Revision, _log.Changes));
        Assert.Equal(1, Applied("a", 2, new SetGenerating(true, null))!.Revision);
        Assert.All(_log.AppliedOf("a"), each => Assert.Equal(0, each.Sequence));
        Assert.Equal((1, 1), (_log.Revision, _log.Changes));
    }

    [Fact(DisplayName = "[S3] what the guard refuses is refused with its reason")]
    public void Guarded()
    {
        _log.Guard = change => change is UpsertVoice ? new("guard", "a voice", "none") : null;
        _log.Attach("a", 1, 0);
        Assert.Equal("guard", Apply("a", 1, Voice("one")).Rejection!.Field);
        Assert.Null(Apply("a", 2, new SetStreaming(true)).Rejection);
        Assert.Empty(Voices);
    }

    [Fact(DisplayName = "[F3] changes at hand are contiguous; what is older, ahead or of another epoch is a snapshot")]
    public void Since()
    {
        _log.Attach("a", 1, 0);
        for (var number = 1; number <= 6; number++) Apply("a", number, Voice($"v{number}"));
        Assert.Equal([1, 2, 3, 4, 5, 6], _log.Since(5, 0, null).Changes.Select(change => change.Revision));
        _log.MarkDurable(4);
        Assert.Equal([4, 5, 6], _log.Since(5, 3, null).Changes.Select(change => change.Revision));
        Assert.NotNull(_log.Since(5, 2, null).Snapshot);
        Assert.NotNull(_log.Since(5, 7, null).Snapshot);
        Assert.NotNull(_log.Since(4, 6, null).Snapshot);
        var current = _log.Since(5, 6, null);
        Assert.Equal((null, 0, 5, 6, 4),
            (current.Snapshot, current.Changes.Count, current.Epoch, current.Revision, current.DurableRevision));
        // What is not stored is never let go of.
        _log.Forget(0);
        Assert.Equal([5, 6], _log.Since(5, 4, null).Changes.Select(change => change.Revision));
        _log.MarkDurable(6);
        _log.Forget(0);
        Assert.Empty(_log.Since(5, 6, null).Changes);
        Assert.NotNull(_log.Since(5, 5, null).Snapshot);
    }

    [Fact(DisplayName = "[C6] a client gets the slices that it wants and no others")]
    public void Slices()
    {
        _log.Attach("a", 1, 0);
        Apply("a", 1, Voice("one"));
        Apply("a", 2, new SetStreaming(true));
        Apply("a", 3, new SetGenerating(true, null));
        Assert.Equal([2], _log.Since(5, 0, [TtsSlice.Preferences]).Changes.Select(change => change.Revision));
        var snapshot = _log.Since(1, 0, [TtsSlice.Preferences]).Snapshot!;
        Assert.Equal((true, 0, false),
            (snapshot.Preferences.UseStreaming, snapshot.SavedVoices.Count, snapshot.Runtime.IsGenerating));
        snapshot = _log.Since(1, 0, [TtsSlice.SavedVoices, TtsSlice.Runtime]).Snapshot!;
        Assert.Equal((false, 1, true),
            (snapshot.Preferences.UseStreaming, snapshot.SavedVoices.Count, snapshot.Runtime.IsGenerating));
    }

    [Fact(DisplayName = "[F3] numbers go on from the highest that a client has seen, but not from one that cannot be")]
    public void Revisions_go_on()
    {
        _log.Attach("a", 1, 41);
        Assert.Equal((41, 41), (_log.Revision, _log.DurableRevision));
        Assert.Equal(42, Apply("a", 1, Voice("one")).Revision);
        _log.Attach("b", 1, 50);
        Assert.Equal((50, 41), (_log.Revision, _log.DurableRevision));
        _log.Attach("b", 1, 50);
        _log.Attach("c", 1, long.MaxValue);
        Assert.Equal(50, _log.Revision);
        Assert.Equal([42], _log.Since(5, 41, null).Changes.Select(change => change.Revision));
    }

    [Fact(DisplayName = "[P9] a moment from before a replacement does not make the replacement durable")]
    public void Durable_moments()
    {
        _log.Attach("a", 1, 0);
        Apply("a", 1, Voice("one"));
        var moment = _log.Moment;
        _log.Replace(AppState.Initial with { Chunks = [Samples.Chunk("imported")] }, 6);
        _log.MarkDurable(moment.Revision);
        Assert.Equal((1, 2, true), (_log.DurableRevision, _log.Revision, _log.IsReplaced));
        Assert.False(_log.Moment.IsCleared);
        _log.MarkDurable(2);
        Assert.Equal((2, false), (_log.DurableRevision, _log.IsReplaced));
        // Late news.
        _log.MarkDurable(1);
        Assert.Equal(2, _log.DurableRevision);
    }

    [Fact(DisplayName =
        "[R4] after a replacement clients attach anew, what they sent before stays known, and what is going on goes on")]
    public void Replacing()
    {
        _log.Attach("a", 1, 0);
        Apply("a", 1, Voice("one"));
        Apply("a", 2, new SetGenerating(true, "c1"));
        _log.Replace(AppState.Initial, 6, isCleared: true);
        Assert.False(_log.Knows("a"));
        Assert.True(_log.Moment.IsCleared);
        Assert.True(_log.State.Runtime.IsGenerating);
        Assert.Equal((6, 3, 0), (_log.Epoch, _log.Revision, _log.DurableRevision));
        Assert.NotNull(_log.Since(6, 2, null).Snapshot);
        _log.Attach("a", 1, 2);
        Assert.Equal(3, Apply("a", 1, Voice("one")).Revision);
        Assert.Empty(Voices);
        Assert.Equal(4, Apply("a", 3, Voice("three")).Revision);
    }

    [Fact(DisplayName =
        "[P9] what is rebased: changes that storage does not hold, once each, on top of what others wrote; "
        + "those it cannot take are refused")]
    public void Rebasing()
    {
        _log.Attach("a", 1, 0);
        Apply("a", 1, Voice("one"));
        _log.MarkDurable(1);
        Apply("a", 2, Voice("two"));
        Apply("a", 3, new RemoveVoice("one"));
        Apply("a", 4, new SetGenerating(true, null));
        _log.ApplyOwn(new SetStreaming(true));
        // Another activation has taken change 2 from the client, and removed what 3 removes.
        var theirs = Maps();
        theirs[TtsApp.SavedVoices.Index] = AppliedMap.Empty.With(Entry("a", 2));
        _log.Rebase(new(AppState.Initial with { SavedVoices = [New("two"), New("theirs")] }, 30, theirs), epoch: 3);

        Assert.Equal(["two", "theirs"], Voices);
        Assert.True(_log.State is { Preferences.UseStreaming: true, Runtime.IsGenerating: true });
        Assert.Equal((6, 31, 30), (_log.Epoch, _log.Revision, _log.DurableRevision));
        _log.Attach("a", 3, 5);
        Assert.Equal("voice.id", Apply("a", 3, new RemoveVoice("one")).Rejection!.Field);
    }

    [Fact(DisplayName =
        "[P9] [R4] a replacement that is not stored is put on top of what others wrote, with what followed it, and "
        + "what preceded it stays replaced")]
    public void Rebasing_a_replacement()
    {
        _log.Attach("a", 1, 0);
        Apply("a", 1, Voice("before"));
        _log.Replace(AppState.Initial with { Chunks = [Samples.Chunk("imported")] }, 6);
        _log.Attach("a", 1, 1);
        Apply("a", 2, Voice("after"));
        var theirs = Maps();
        theirs[TtsApp.SavedVoices.Index] = AppliedMap.Empty.With(Entry("a", 2)).With(Entry("b", 7));
        _log.Rebase(new(AppState.Initial with { SavedVoices = [New("after"), New("theirs")] }, 30, theirs), epoch: 7);

        Assert.Equal(["after"], Voices);
        Assert.Equal(["imported"], _log.State.Chunks.Select(chunk => chunk.Id));
        Assert.True(_log.IsReplaced);
        Assert.True(_log.DurableRevision < _log.Revision - 1);
        // Theirs was replaced: b need not do it again.
        _log.Attach("b", 7, 0);
        Apply("b", 7, Voice("theirs"));
        _log.Attach("a", 1, 0);
        Apply("a", 1, Voice("before"));
        Apply("a", 2, Voice("after"));
        Assert.Equal(["after"], Voices);
    }

    [Fact(DisplayName = "[P6] what had expired when it was loaded is to be stored as cleared")]
    public void Loading_what_has_expired()
    {
        _log.Load(new(AppState.Initial, 8, Maps(), IsCleared: true), 9);
        Assert.Equal((true, false), (_log.Moment.IsCleared, _log.IsReplaced));
        Assert.Equal((9, 8), (_log.Revision, _log.DurableRevision));
        // Nobody's wish: what somebody else has stored meanwhile stands.
        _log.Rebase(new(AppState.Initial with { SavedVoices = [New("theirs")] }, 30, Maps()), epoch: 10);
        Assert.Equal(["theirs"], Voices);
        Assert.Equal((false, 30, 30), (_log.Moment.IsCleared, _log.Revision, _log.DurableRevision));
    }

    [Fact(DisplayName =
        "[P8] a client that may send again is remembered for 30 days, however many others come; of those that have "
        + "left the last three, for a day")]
    public void Forgetting()
    {
        for (var client = 0; client < 1000; client++)
        {
            _log.Attach($"c{client}", 1, 0);
            Apply($"c{client}", 1, new SetStreaming(client % 2 == 0));
        }
        Assert.Equal(1000, Remembered.Length);
        for (var client = 0; client < 999; client++) _log.Leave($"c{client}");
        Assert.False(_log.Knows("c0"));
        Assert.Equal(["c996", "c997", "c998", "c999"], Remembered);

        _clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(4, Remembered.Length);
        _clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(["c999"], Remembered);
        _clock.Advance(TimeSpan.FromDays(28));
        Assert.Equal(["c999"], Remembered);
        _clock.Advance(TimeSpan.FromDays(1));
        Assert.Empty(Remembered);
    }

    [Fact(DisplayName = "[P8] a client that has left and is back is remembered like any other")]
    public void Back_again()
    {
        _log.Attach("a", 1, 0);
        Apply("a", 1, new SetStreaming(true));
        _log.Leave("a");
        _log.Attach("a", 2, 0);
        Apply("a", 2, new SetStreaming(false));
        _clock.Advance(TimeSpan.FromDays(30));
        Assert.Equal(["a"], Remembered);
    }

    [Fact(DisplayName =
        "[P8] what two maps know of a client is the higher of both, and the last resort against a row "
        + "without bounds forgets the oldest")]
    public void Maps_together()
    {
        var map = AppliedMap.Empty;
        for (var client = 0; client < AppliedMap.Most + 10; client++)
        {
            map = map.With(Entry("kept", client + 1)).With(Entry($"c{client}", 1));
        }
        Assert.Equal(AppliedMap.Most, map.Entries.Length);
        Assert.Equal((AppliedMap.Most + 10, 0), (map["kept"], map["c0"]));
        Assert.Equal((7, 5, 2),
            (map.With(AppliedMap.Empty.With(Entry("x", 7)))["x"],
                AppliedMap.Empty.With(Entry("x", 5)).With(AppliedMap.Empty.With(Entry("x", 4)))["x"],
                AppliedMap.Empty.With(Entry("x", 1)).With(AppliedMap.Empty.With(Entry("x", 2)))["x"]));
    }

    private string[] Remembered => [.. _log.Moment.Applied[TtsApp.Preferences.Index].Entries.Select(entry => entry.Client)];

    private static AppliedEntry Entry(string client, long sequence) =>
        new(client, sequence, (int)(Start.ToUnixTimeSeconds() / 86_400));

    private string[] Voices => [.. _log.State.SavedVoices.Select(voice => voice.Id)];

    private static SessionMoment Stored(AppState state, long revision) => new(state, revision, Maps());

    private static AppliedMap[] Maps() => [.. TtsApp.Instance.Stored.Select(_ => AppliedMap.Empty)];

    private static SavedVoice New(string id) => new() { Id = id, Name = id, Parameters = new() };

    private static UpsertVoice Voice(string id) => new(New(id));

    private ChangeOutcome Apply(string client, long sequence, AppStateChange change) =>
        _log.Apply(client, new(sequence, change), out _);

    private AppliedChange? Applied(string client, long sequence, AppStateChange change)
    {
        _log.Apply(client, new(sequence, change), out var applied);
        return applied;
    }
}
