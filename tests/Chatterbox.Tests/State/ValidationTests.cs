using System.Text.Json;

namespace Chatterbox.Tests.State;

/// <summary>What is refused says which field, and what is allowed there; what is just within the limits is taken.</summary>
public sealed class ValidationTests
{
    private static readonly AppState Filled = AppState.Initial with
    {
        WorkSessions = [Work("s1")],
        SavedVoices = [Voice("v1")],
        Chunks = [Samples.Chunk("c1")],
        BatchItems = [Item("b1")],
        Runtime = new() { Errors = [new() { Id = "e1", Message = "no model" }] },
    };

    public static TheoryData<string, string, AppStateChange> Refused => new()
    {
        { "change", "a change", null! },
        { "workSession", "a work session", new UpsertWorkSession(null!) },
        { "workSession.id", "1 to 128 characters", new UpsertWorkSession(Work("")) },
        { "workSession.name", "1 to 200 characters", new UpsertWorkSession(Work("s") with { Name = new string('x', 201) }) },
        { "workSession.chunkIds", "at most 5000", new UpsertWorkSession(Work("s") with { ChunkIds = Enumerable.Repeat("c", 5001).ToValueList() }) },
        { "workSession.chunkIds", "1 to 128 characters", new UpsertWorkSession(Work("s") with { ChunkIds = ["c", " "] }) },
        { "engine", "chatterbox, multilingual or turbo", new UpsertWorkSession(Work("s") with { Engine = (TtsEngine)9 }) },
        { "temperature", "0.05 to 5", new UpsertWorkSession(Work("s") with { Parameters = new() { Temperature = 6 } }) },
        { "workSession.unknown", "members that this version does not know", new UpsertWorkSession(Work("s") with { Unknown = Members("name", "1") }) },
        { "workSession.unknown", "JSON of at most 32 levels", new UpsertWorkSession(Work("s") with { Unknown = Members("x", new string('[', 33) + new string(']', 33)) }) },
        { "workSession.unknown", "at most 16384", new UpsertWorkSession(Work("s") with { Unknown = Members("x", $"\"{new string('x', 16382)}\"") }) },
        { "workSession.id", "an existing id: s1", new RemoveWorkSession("nobody") },
        { "workSession.id", "an existing id: s1", new SelectWorkSession("nobody") },
        { "voice", "a voice", new UpsertVoice(null!) },
        { "voice.id", "1 to 128 characters", new UpsertVoice(Voice(new string('x', 129))) },
        { "voice.name", "1 to 200 characters", new UpsertVoice(Voice("v") with { Name = "" }) },
        { "engine", "chatterbox, multilingual or turbo", new UpsertVoice(Voice("v") with { Engine = (TtsEngine)9 }) },
        { "voice.parameters", "parameters", new UpsertVoice(Voice("v") with { Parameters = null! }) },
        { "voice.prompt.hash", "64 lower-case hexadecimal digits", new UpsertVoice(Voice("v") with { Prompt = Samples.Audio with { Hash = new string('G', 64) } }) },
        { "voice.unknown", "members that this version does not know", new UpsertVoice(Voice("v") with { Unknown = Members("prompt", "1") }) },
        { "voice.id", "an existing id: v1", new RemoveVoice("nobody") },
        { "chunk", "a chunk", new UpsertChunk(null!) },
        { "chunk.id", "no control characters", new UpsertChunk(Samples.Chunk("two\nlines")) },
        { "chunk.text", "1 to 300 characters", new UpsertChunk(Samples.Chunk("c", "")) },
        { "chunk.status", "pending, generating, completed, error or interrupted", new UpsertChunk(Samples.Chunk("c") with { Status = (WorkStatus)9 }) },
        { "chunk.status", "completed, since the chunk has audio", new UpsertChunk(Samples.Chunk("c") with { Audio = Samples.Audio }) },
        { "chunk.audio", "the audio of a completed chunk", new UpsertChunk(Samples.Chunk("c") with { Status = WorkStatus.Completed }) },
        { "engine", "chatterbox, multilingual or turbo", new UpsertChunk(Samples.Chunk("c") with { Engine = (TtsEngine)9 }) },
        { "chunk.parameters", "parameters", new UpsertChunk(Samples.Chunk("c") with { Parameters = null! }) },
        { "chunk.unknown", "members that this version does not know", new UpsertChunk(Samples.Chunk("c") with { Unknown = Members("text", "1") }) },
        { "chunk.id", "an existing id: c1", new RemoveChunk("nobody") },
        { "chunk.id", "an existing id: c1", new SetChunkStatus("nobody", WorkStatus.Error) },
        { "chunk.status", "a chunk completes with its audio", new SetChunkStatus("c1", WorkStatus.Completed) },
        { "chunk.id", "an existing id: c1", new CompleteChunk("nobody", Samples.Audio) },
        { "chunk.audio", "an audio reference", new CompleteChunk("c1", null!) },
        { "chunk.audio.hash", "64 lower-case", new CompleteChunk("c1", Samples.Audio with { Hash = new string('a', 63) }) },
        { "chunk.audio.length", "1 to 33554432 bytes", new CompleteChunk("c1", Samples.Audio with { Length = 0 }) },
        { "chunk.audio.length", "1 to 33554432 bytes", new CompleteChunk("c1", Samples.Audio with { Length = 33554433 }) },
        { "chunk.audio.sampleRate", "0 to 768000 Hz", new CompleteChunk("c1", Samples.Audio with { SampleRate = -1 }) },
        { "chunk.audio.sampleRate", "0 to 768000 Hz", new CompleteChunk("c1", Samples.Audio with { SampleRate = 768_001 }) },
        { "chunk.audio.duration", "0 to 86400 s", new CompleteChunk("c1", Samples.Audio with { Duration = -0.1 }) },
        { "chunk.audio.duration", "0 to 86400 s", new CompleteChunk("c1", Samples.Audio with { Duration = 86_400.1 }) },
        { "chunk.audio.duration", "0 to 86400 s", new CompleteChunk("c1", Samples.Audio with { Duration = double.NaN }) },
        { "chunk.audio.mediaType", "a media type", new CompleteChunk("c1", Samples.Audio with { MediaType = "audio wav" }) },
        { "chunk.audio.unknown", "members that this version does not know", new CompleteChunk("c1", Samples.Audio with { Unknown = Members("hash", "1") }) },
        { "batchItem", "a batch item", new UpsertBatchItem(null!) },
        { "batchItem.id", "1 to 128 characters", new UpsertBatchItem(Item("")) },
        { "batchItem.name", "1 to 200 characters", new UpsertBatchItem(Item("b") with { Name = "" }) },
        { "batchItem.chunkIds", "at most 5000", new UpsertBatchItem(Item("b") with { ChunkIds = Enumerable.Repeat("c", 5001).ToValueList() }) },
        { "batchItem.status", "pending, generating, completed, error or interrupted", new UpsertBatchItem(Item("b") with { Status = (WorkStatus)9 }) },
        { "batchItem.unknown", "members that this version does not know", new UpsertBatchItem(Item("b") with { Unknown = Members("status", "1") }) },
        { "batchItem.id", "an existing id: b1", new RemoveBatchItem("nobody") },
        { "batchItem.id", "an existing id: b1", new SetBatchItemStatus("nobody", WorkStatus.Error) },
        { "batchItem.status", "pending, generating", new SetBatchItemStatus("b1", (WorkStatus)9) },
        { "engine", "chatterbox, multilingual or turbo", new SelectEngine((TtsEngine)9) },
        { "engine", "chatterbox, multilingual or turbo", new UpdateParameters((TtsEngine)9, new()) },
        { "parameters", "parameters", new UpdateParameters(TtsEngine.Turbo, null!) },
        { "parameters.unknown", "members that this version does not know", new UpdateParameters(TtsEngine.Turbo, new() { Unknown = Members("seed", "1") }) },
        { "syncedSlices", "Preferences WorkSessions", new SetSyncedSlices([Slice.Chunks, (Slice)9]) },
        { "syncedSlices", "each slice once", new SetSyncedSlices(Enumerable.Repeat(Slice.Chunks, 7).ToValueList()) },
        { "currentGeneratingId", "1 to 128 characters", new SetGenerating(true, "") },
        { "systemStatus", "0 to 1000 characters", new SetSystemStatus(new string('x', 1001)) },
        { "error", "an error", new ReportError(null!) },
        { "error.id", "1 to 128 characters", new ReportError(new() { Id = "", Message = "m" }) },
        { "error.message", "1 to 1000 characters", new ReportError(new() { Id = "e", Message = "" }) },
        { "error.id", "an existing id: e1", new DismissError("nobody") },
        { "voiceUpload", "1 to 200 characters", new SetVoiceUpload("") },
    };

    [Theory(DisplayName = "[S3] [X2] what is refused names its field and says what is allowed there")]
    [MemberData(nameof(Refused))]
    public void Refusals(string field, string allowed, AppStateChange change)
    {
        var (after, rejection) = AppStateReducer.Apply(Filled, change);
        Assert.Same(Filled, after);
        Assert.Equal(field, rejection!.Field);
        Assert.Contains(allowed, rejection.Allowed, StringComparison.Ordinal);
    }

    public static TheoryData<AppStateChange> Taken => new()
    {
        new UpsertWorkSession(Work(new string('x', 128)) with { Name = new string('x', 200), ChunkIds = Enumerable.Repeat("c", 5000).ToValueList(), Parameters = new() { Temperature = 5 } }),
        new UpsertWorkSession(Work("s") with { Unknown = Members("x", new string('[', 32) + new string(']', 32)) }),
        new UpsertWorkSession(Work("s") with { Unknown = Members("x", $"\"{new string('x', 16381)}\"") }),
        new UpsertVoice(Voice("v") with { Prompt = Samples.Audio with { Length = 1, SampleRate = 0, Duration = 0 } }),
        new UpsertChunk(Samples.Chunk("c", "x")),
        new UpsertChunk(Samples.Chunk("c") with { Status = WorkStatus.Completed, Audio = Samples.Audio }),
        new CompleteChunk("c1", Samples.Audio with { Length = 33554432, SampleRate = 768_000, Duration = 86_400 }),
        new SetSyncedSlices([Slice.Preferences, Slice.WorkSessions, Slice.SavedVoices, Slice.Chunks, Slice.BatchItems, Slice.Runtime]),
        new SetGenerating(true, null),
        new SetSystemStatus(new string('x', 1000)),
        new SetSystemStatus(""),
        new ReportError(new() { Id = "e", Message = new string('x', 1000) }),
        new SetBatchItemStatus("b1", WorkStatus.Completed),
        new SetChunkStatus("c1", WorkStatus.Interrupted),
    };

    [Theory(DisplayName = "[S3] [X2] what is just within the limits is taken")]
    [MemberData(nameof(Taken))]
    public void At_the_edge(AppStateChange change)
    {
        var (after, rejection) = AppStateReducer.Apply(Filled, change);
        Assert.Null(rejection);
        Assert.NotSame(Filled, after);
    }

    public static TheoryData<string, AppState> WrongStates => new()
    {
        { "temperature", AppState.Initial with { Preferences = Preferences.Default with { OtherEngines = OtherEngines.None with { Turbo = TtsParameters.DefaultsFor(TtsEngine.Turbo) with { Temperature = 3 } } } } },
        { "exaggeration", AppState.Initial with { Preferences = Preferences.Default with { Parameters = new() } } },
        { "language_id", AppState.Initial with { Preferences = Preferences.Default with { OtherEngines = OtherEngines.None with { Multilingual = TtsParameters.DefaultsFor(TtsEngine.Chatterbox) } } } },
        { "top_p", AppState.Initial with { Preferences = Preferences.Default with { Engine = TtsEngine.Turbo, Parameters = TtsParameters.DefaultsFor(TtsEngine.Turbo), OtherEngines = OtherEngines.None with { Chatterbox = TtsParameters.DefaultsFor(TtsEngine.Chatterbox) with { TopP = 2 } } } } },
        { "engine", AppState.Initial with { Preferences = Preferences.Default with { Engine = (TtsEngine)9 } } },
        { "syncedSlices", AppState.Initial with { Preferences = Preferences.Default with { SyncedSlices = [(Slice)9] } } },
        { "currentSessionId", AppState.Initial with { Preferences = Preferences.Default with { CurrentSessionId = "" } } },
        { "workSessions", AppState.Initial with { WorkSessions = Many(201, Work) } },
        { "workSessions[s].workSession.name", AppState.Initial with { WorkSessions = [Work("s") with { Name = "" }] } },
        { "workSessions.id", AppState.Initial with { WorkSessions = [Work("s"), Work("s")] } },
        { "savedVoices", AppState.Initial with { SavedVoices = Many(501, Voice) } },
        { "savedVoices[v].voice.name", AppState.Initial with { SavedVoices = [Voice("v") with { Name = "" }] } },
        { "chunks", AppState.Initial with { Chunks = Many(5001, id => Samples.Chunk(id)) } },
        { "chunks[c].chunk.text", AppState.Initial with { Chunks = [Samples.Chunk("c", "")] } },
        { "batchItems", AppState.Initial with { BatchItems = Many(1001, Item) } },
        { "batchItems.id", AppState.Initial with { BatchItems = [Item("b"), Item("b")] } },
    };

    [Theory(DisplayName = "[S3] [R4] a whole state is refused by the place of what is wrong in it")]
    [MemberData(nameof(WrongStates))]
    public void Whole_states(string field, AppState state) => Assert.Equal(field, Validation.Check(state)!.Field);

    [Fact(DisplayName = "[X2] collections take what they may hold")]
    public void Full() => Assert.Null(Validation.Check(Filled with
    {
        WorkSessions = Many(200, Work), SavedVoices = Many(500, Voice), Chunks = Many(5000, id => Samples.Chunk(id)), BatchItems = Many(1000, Item),
    }));

    [Fact(DisplayName = "[X2] an app that keeps failing does not fill the session: the oldest errors give way")]
    public void Errors()
    {
        var state = Enumerable.Range(1, 21).Aggregate(AppState.Initial, (sum, number) => ReducerTests.Apply(sum, new ReportError(new() { Id = $"e{number}", Message = "m" })));
        Assert.Equal(Enumerable.Range(2, 20).Select(number => $"e{number}"), state.Runtime.Errors.Select(error => error.Id));
        Assert.Equal("one of the 20 existing ids", AppStateReducer.Apply(state, new DismissError("e1")).Rejection!.Allowed);
        Assert.Equal("an existing id; there is none", AppStateReducer.Apply(AppState.Initial, new DismissError("e1")).Rejection!.Allowed);
    }

    private static ValueList<T> Many<T>(int count, Func<string, T> item) => Enumerable.Range(0, count).Select(number => item($"i{number}")).ToValueList();

    private static WorkSession Work(string id) => new() { Id = id, Name = "n" };

    private static SavedVoice Voice(string id) => new() { Id = id, Name = "n", Parameters = new() };

    private static BatchItem Item(string id) => new() { Id = id, Name = "n" };

    private static UnknownMembers Members(string name, string json) => new() { [name] = JsonDocument.Parse(json).RootElement };
}
