namespace Chatterbox.Tests.State;

public sealed class ReducerTests
{
    private static readonly AppState Filled = AppState.Initial with
    {
        WorkSessions = [new() { Id = "s1", Name = "Chapter 1" }],
        SavedVoices = [new() { Id = "v1", Name = "Narrator", Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox) }],
        Chunks = [Samples.Chunk("c1"), Samples.Chunk("c2") with { Status = WorkStatus.Completed, Audio = Samples.Audio }],
        BatchItems = [new() { Id = "b1", Name = "chapter-1.txt" }],
        Runtime = new() { Errors = [new() { Id = "e1", Message = "no model" }] },
    };

    public static TheoryData<AppStateChange> EveryChange => [.. Samples.EveryChange];

    [Theory(DisplayName = "[S4] each change touches exactly one slice, the one it names, and done again changes nothing")]
    [MemberData(nameof(EveryChange))]
    public void A_change_touches_its_slice(AppStateChange change)
    {
        var (after, rejection) = AppStateReducer.Apply(Filled, change);

        Assert.Null(rejection);
        Assert.NotSame(Filled, after);
        foreach (var slice in TtsApp.Instance.Slices)
        {
            Assert.Equal(slice == change.Slice, !ReferenceEquals(slice.Get(Filled), slice.Get(after)));
        }
        var again = AppStateReducer.Apply(after, change);
        // A removal done again is refused: its id is unknown. Everything else is the very same state.
        Assert.Same(after, again.State);
        Assert.Equal(change is RemoveChunk or RemoveVoice or RemoveWorkSession or RemoveBatchItem or DismissError,
            again.Rejection is not null);
    }

    [Fact(DisplayName = "[S2] the samples cover the closed set of changes")]
    public void Samples_are_complete() => Assert.Equal(
        typeof(AppStateChange).Assembly.GetTypes().Where(type => type.BaseType == typeof(AppStateChange))
            .Select(type => type.Name).Order(),
        Samples.EveryChange.Select(change => change.GetType().Name).Distinct().Order());

    public static TheoryData<string, AppStateChange> Refused => new()
    {
        { "chunk.id", new RemoveChunk("nobody") },
        { "chunk.id", new SetChunkStatus("nobody", WorkStatus.Pending) },
        { "chunk.status", new SetChunkStatus("c1", WorkStatus.Completed) },
        { "chunk.status", new SetChunkStatus("c1", (WorkStatus)99) },
        { "chunk.audio.hash", new CompleteChunk("c1", Samples.Audio with { Hash = "abc" }) },
        { "chunk.audio.length", new CompleteChunk("c1", Samples.Audio with { Length = 0 }) },
        { "chunk.text", new UpsertChunk(Samples.Chunk("c3") with { Text = "" }) },
        { "chunk.text", new UpsertChunk(Samples.Chunk("c3") with { Text = new string('x', 301) }) },
        { "chunk.text", new UpsertChunk(Samples.Chunk("c3") with { Text = "\ud800" }) },
        { "chunk.id", new UpsertChunk(Samples.Chunk(new string('x', 129))) },
        { "chunk.id", new UpsertChunk(Samples.Chunk("two\nlines")) },
        { "chunk.audio", new UpsertChunk(Samples.Chunk("c3") with { Status = WorkStatus.Completed }) },
        { "chunk.status", new UpsertChunk(Samples.Chunk("c3") with { Audio = Samples.Audio }) },
        { "chunk", new UpsertChunk(null!) },
        { "temperature", new UpsertChunk(Samples.Chunk("c3") with { Parameters = new() { Temperature = 99 } }) },
        { "workSession.id", new SelectWorkSession("nobody") },
        { "workSession.name", new UpsertWorkSession(new() { Id = "s2", Name = " padded" }) },
        { "voice.id", new RemoveVoice("nobody") },
        { "voice.parameters", new UpsertVoice(new() { Id = "v", Name = "n", Parameters = null! }) },
        { "batchItem.id", new SetBatchItemStatus("nobody", WorkStatus.Pending) },
        { "engine", new SelectEngine((TtsEngine)9) },
        { "error.id", new DismissError("nobody") },
        { "systemStatus", new SetSystemStatus(new string('x', 1001)) },
    };

    [Theory(DisplayName = "[S3] what is not allowed is refused with its field and what is allowed, and changes nothing")]
    [MemberData(nameof(Refused))]
    public void Refusals(string field, AppStateChange change)
    {
        var (after, rejection) = AppStateReducer.Apply(Filled, change);

        Assert.Same(Filled, after);
        Assert.Equal(field, rejection!.Field);
        Assert.NotEmpty(rejection.Allowed);
    }

    [Fact(DisplayName = "[S3] a chunk's text is counted in characters as the model counts them")]
    public void Text_is_counted_in_code_points() =>
        Assert.Null(AppStateReducer.Apply(Filled,
            new UpsertChunk(Samples.Chunk("c3") with { Text = string.Concat(Enumerable.Repeat("😀", 300)) })).Rejection);

    [Fact(DisplayName = "[S1] an engine's parameters are remembered while another is selected")]
    public void Engines_are_remembered()
    {
        var state = Apply(AppState.Initial, new UpdateParameters(TtsEngine.Chatterbox, new() { Temperature = 1.5 }),
            new SelectEngine(TtsEngine.Turbo));
        Assert.Equal(TtsParameters.DefaultsFor(TtsEngine.Turbo), state.Preferences.Parameters);

        state = Apply(state, new UpdateParameters(TtsEngine.Turbo, new() { TopK = 10 }),
            new UpdateParameters(TtsEngine.Chatterbox, new() { Seed = 7 }),
            new SelectEngine(TtsEngine.Chatterbox));

        Assert.Equal(TtsParameters.DefaultsFor(TtsEngine.Chatterbox) with { Temperature = 1.5, Seed = 7 },
            state.Preferences.Parameters);
        Assert.Equal(10, state.Preferences.OtherEngines.Turbo!.TopK);
        Assert.Null(state.Preferences.OtherEngines.Chatterbox);
    }

    [Fact(DisplayName = "[X2] a collection that is full takes changes of what it holds and nothing new")]
    public void Collections_are_bounded()
    {
        var full = AppState.Initial with
        {
            WorkSessions = Enumerable.Range(0, TtsLimits.WorkSessions)
                .Select(number => new WorkSession { Id = $"s{number}", Name = "n" }).ToValueList(),
        };
        Assert.Null(AppStateReducer.Apply(full, new UpsertWorkSession(new() { Id = "s0", Name = "renamed" })).Rejection);
        Assert.Equal("workSessions",
            AppStateReducer.Apply(full, new UpsertWorkSession(new() { Id = "new", Name = "n" })).Rejection!.Field);
    }

    internal static AppState Apply(AppState state, params AppStateChange[] changes) => changes.Aggregate(state, (sum, change) =>
    {
        var (after, rejection) = AppStateReducer.Apply(sum, change);
        Assert.Null(rejection);
        return after;
    });
}
