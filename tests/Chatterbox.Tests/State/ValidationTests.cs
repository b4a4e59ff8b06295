
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
        { "workSession.chunkIds", "at most 5000",
            new UpsertWorkSession(Work("s") with { ChunkIds = Enumerable.Repeat("c", 5001).ToValueList() }) },
        { "workSession.chunkIds", "1 to 128 characters", new UpsertWorkSession(Work("s") with { ChunkIds = ["c", " "] }) },
        { "engine", "chatterbox, multilingual or turbo", new UpsertWorkSession(Work("s") with { Engine = (TtsEngine)9 }) },
        { "temperature", "0.05 to 5", new UpsertWorkSession(Work("s") with { Parameters = new() { Temperature = 6 } }) },
        { "workSession.unknown", "members that this version does not know",
            new UpsertWorkSession(Work("s") with { Unknown = Members("name", "1") }) },
        { "workSession.unknown", "JSON of at most 32 levels",
            new UpsertWorkSession(Work("s") with { Unknown = Members("x", new string('[', 33) + new string(']', 33)) }) },
        { "workSession.unknown", "at most 16384 bytes",
            new UpsertWorkSession(Work("s") with { Unknown = Members("x", $"\"{new string('x', 16382)}\"") }) },
        { "workSession.id", "an existing id (s1)", new RemoveWorkSession("nobody") },
        { "workSession.id", "an existing id (s1)", new SelectWorkSession("nobody") },
        { "voice", "a voice", new UpsertVoice(null!) },
        { "voice.id", "1 to 128 characters", new UpsertVoice(Voice(new string('x', 129))) },
        { "voice.name", "1 to 200 characters", new UpsertVoice(Voice("v") with { Name = "" }) },
        { "engine", "chatterbox, multilingual or turbo", new UpsertVoice(Voice("v") with { Engine = (TtsEngine)9 }) },
        { "voice.parameters", "parameters", new UpsertVoice(Voice("v") with { Parameters = null! }) },
        { "voice.prompt.hash", "64 lower-case hexadecimal digits",
            new UpsertVoice(Voice("v") with { Prompt = Samples.Audio with { Hash = new string('G', 64) } }) },
        { "voice.unknown", "members that this version does not know",
            new UpsertVoice(Voice("v") with { Unknown = Members("prompt", "1") }) },
        { "voice.id", "an existing id (v1)", new RemoveVoice("nobody") },
        { "chunk", "a chunk", new UpsertChunk(null!) },
        { "chunk.id", "without control characters", new UpsertChunk(Samples.Chunk("two\nlines")) },
        { "chunk.text", "1 to 300 characters", new UpsertChunk(Samples.Chunk("c", "")) },
        { "chunk.status", "pending, generating, completed, error or interrupted",
            new UpsertChunk(Samples.Chunk("c") with { Status = (WorkStatus)9 }) },
        { "chunk.status", "completed, since the chunk has audio",
            new UpsertChunk(Samples.Chunk("c") with { Audio = Samples.Audio }) },
        { "chunk.audio", "an audio reference, since the chunk is completed",
            new UpsertChunk(Samples.Chunk("c") with { Status = WorkStatus.Completed }) },
        { "engine", "chatterbox, multilingual or turbo", new UpsertChunk(Samples.Chunk("c") with { Engine = (TtsEngine)9 }) },
        { "chunk.parameters", "parameters", new UpsertChunk(Samples.Chunk("c") with { Parameters = null! }) },
        { "chunk.unknown", "members that this version does not know",
            new UpsertChunk(Samples.Chunk("c") with { Unknown = Members("text", "1") }) },
        { "chunk.id", "an existing id (c1)", new RemoveChunk("nobody") },
        { "chunk.id", "an existing id (c1)", new SetChunkStatus("nobody", WorkStatus.Error) },
        { "chunk.status", "since a chunk is completed by its audio", new SetChunkStatus("c1", WorkStatus.Completed) },
        { "chunk.id", "an existing id (c1)", new CompleteChunk("nobody", Samples.Audio) },
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
        { "chunk.audio.unknown", "members that this version does not know",
            new CompleteChunk("c1", Samples.Audio with { Unknown = Members("hash", "1") }) },
        { "batchItem", "a batch item", new UpsertBatchItem(null!) },
        { "batchItem.id", "1 to 128 characters", new UpsertBatchItem(Item("")) },
        { "batchItem.name", "1 to 200 characters", new UpsertBatchItem(Item("b") with { Name = "" }) },
        { "batchItem.chunkIds", "at most 5000",
            new UpsertBatchItem(Item("b") with { ChunkIds = Enumerable.Repeat("c", 5001).ToValueList() }) },
        { "batchItem.status", "pending, generating, completed, error or interrupted",
            new UpsertBatchItem(Item("b") with { Status = (WorkStatus)9 }) },
        { "batchItem.unknown", "members that this version does not know",
            new UpsertBatchItem(Item("b") with { Unknown = Members("status", "1") }) },
        { "batchItem.id", "an existing id (b1)", new RemoveBatchItem("nobody") },
        { "batchItem.id", "an existing id (b1)", new SetBatchItemStatus("nobody", WorkStatus.Error) },
        { "batchItem.status", "pending, generating", new SetBatchItemStatus("b1", (WorkStatus)9) },
        { "engine", "chatterbox, multilingual or turbo", new SelectEngine((TtsEngine)9) },
        { "engine", "chatterbox, multilingual or turbo", new UpdateParameters((TtsEngine)9, new()) },
        { "parameters", "parameters", new UpdateParameters(TtsEngine.Turbo, null!) },
        { "parameters.unknown", "members that this version does not know",
            new UpdateParameters(TtsEngine.Turbo, new() { Unknown = Members("seed", "1") }) },
        { "syncedSlices", "preferences workSessions", new SetSyncedSlices([TtsSlice.Chunks, "nothing"]) },
        { "syncedSlices", "at most 6 slices", new SetSyncedSlices(Enumerable.Repeat(TtsSlice.Chunks, 7).ToValueList()) },
        { "currentGeneratingId", "1 to 128 characters", new SetGenerating(true, "") },
        { "systemStatus", "0 to 1000 characters", new SetSystemStatus(new string('x', 1001)) },
        { "error", "an error", new ReportError(null!) },
        { "error.id", "1 to 128 characters", new ReportError(new() { Id = "", Message = "m" }) },
        { "error.message", "1 to 1000 characters", new ReportError(new() { Id = "e", Message = "" }) },
        { "error.id", "an existing id (e1)", new DismissError("nobody") },
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
        new UpsertWorkSession(Work(new string('x', 128)) with
        {
            Name = new string('x', 200), ChunkIds = Enumerable.Repeat("c", 5000).ToValueList(),
            Parameters = new() { Temperature = 5 },
        }),
        new UpsertWorkSession(Work("s") with { Unknown = Members("x", new string('[', 32) + new string(']', 32)) }),
        new UpsertWorkSession(Work("s") with { Unknown = Members("x", $"\"{new string('x', 16381)}\"") }),
        new UpsertVoice(Voice("v") with { Prompt = Samples.Audio with { Length = 1, SampleRate = 0, Duration = 0 } }),
        new UpsertChunk(Samples.Chunk("c", "x")),
        new UpsertChunk(Samples.Chunk("c") with { Status = WorkStatus.Completed, Audio = Samples.Audio }),
        new CompleteChunk("c1", Samples.Audio with { Length = 33554432, SampleRate = 768_000, Duration = 86_400 }),
        new SetSyncedSlices([TtsSlice.Preferences, TtsSlice.WorkSessions, TtsSlice.SavedVoices, TtsSlice.Chunks,
            TtsSlice.BatchItems, TtsSlice.Runtime]),
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
        { "temperature",
            AppState.Initial with
            {
                Preferences = Preferences.Default with
                {
                    OtherEngines = OtherEngines.None with
                    {
                        Turbo = TtsParameters.DefaultsFor(TtsEngine.Turbo) with { Temperature = 3 },
                    },
                },
            } },
        { "exaggeration", AppState.Initial with { Preferences = Preferences.Default with { Parameters = new() } } },
        { "language_id",
            AppState.Initial with
            {
                Preferences = Preferences.Default with
                {
                    OtherEngines = OtherEngines.None with { Multilingual = TtsParameters.DefaultsFor(TtsEngine.Chatterbox) },
                },
            } },
        { "top_p",
            AppState.Initial with
            {
                Preferences = Preferences.Default with
                {
                    Engine = TtsEngine.Turbo, Parameters = TtsParameters.DefaultsFor(TtsEngine.Turbo),
                    OtherEngines = OtherEngines.None with
                    {
                        Chatterbox = TtsParameters.DefaultsFor(TtsEngine.Chatterbox) with { TopP = 2 },
                    },
                },
            } },
        { "engine", AppState.Initial with { Preferences = Preferences.Default with { Engine = (TtsEngine)9 } } },
        { "syncedSlices", AppState.Initial with { Preferences = Preferences.Default with { SyncedSlices = ["nothing"] } } },
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
        WorkSessions = Many(200, Work), SavedVoices = Many(500, Voice),
        Chunks = Many(5000, id => Samples.Chunk(id)), BatchItems = Many(1000, Item),
    }));

    [Fact(DisplayName = "[X2] an app that keeps failing does not fill the session: the oldest errors give way")]
    public void Errors()
    {
        var state = Enumerable.Range(1, 21)
            .Aggregate(AppState.Initial,
                (sum, number) => ReducerTests.Apply(sum, new ReportError(new() { Id = $"e{number}", Message = "m" })));
        Assert.Equal(Enumerable.Range(2, 20).Select(number => $"e{number}"), state.Runtime.Errors.Select(error => error.Id));
        Assert.Equal("one of the 20 existing ids", AppStateReducer.Apply(state, new DismissError("e1")).Rejection!.Allowed);
        Assert.Equal("an existing id (there is none)",
            AppStateReducer.Apply(AppState.Initial, new DismissError("e1")).Rejection!.Allowed);
    }

    [Fact(DisplayName = "[X2] of several faults it is the first, in the order of the members, that is named")]
    public void First_fault()
    {
        AssertOrder(Work("s"), item => Validation.Check(item),
            ("workSession.id", item => item with { Id = "" }),
            ("workSession.name", item => item with { Name = "" }),
            ("workSession.chunkIds", item => item with { ChunkIds = [""] }),
            ("engine", item => item with { Engine = (TtsEngine)9 }),
            ("workSession.parameters.unknown", item => item with { Parameters = new() { Unknown = Members("seed", "1") } }),
            ("workSession.unknown", item => item with { Unknown = Members("name", "1") }));
        AssertOrder(Work("s") with { Parameters = new() }, item => Validation.Check(item),
            ("temperature", item => item with { Parameters = item.Parameters! with { Temperature = 6 } }),
            ("workSession.parameters.unknown",
                item => item with { Parameters = item.Parameters! with { Unknown = Members("seed", "1") } }));
        AssertOrder(Voice("v"), item => Validation.Check(item),
            ("voice.id", item => item with { Id = "" }),
            ("voice.name", item => item with { Name = "" }),
            ("engine", item => item with { Engine = (TtsEngine)9 }),
            ("voice.parameters.unknown", item => item with { Parameters = new() { Unknown = Members("seed", "1") } }),
            ("voice.prompt.hash", item => item with { Prompt = (item.Prompt ?? Samples.Audio) with { Hash = "" } }),
            ("voice.prompt.length", item => item with { Prompt = (item.Prompt ?? Samples.Audio) with { Length = 0 } }),
            ("voice.prompt.sampleRate", item => item with { Prompt = (item.Prompt ?? Samples.Audio) with { SampleRate = -1 } }),
            ("voice.prompt.duration", item => item with { Prompt = (item.Prompt ?? Samples.Audio) with { Duration = -1 } }),
            ("voice.prompt.mediaType", item => item with { Prompt = (item.Prompt ?? Samples.Audio) with { MediaType = "" } }),
            ("voice.prompt.unknown",
                item => item with { Prompt = (item.Prompt ?? Samples.Audio) with { Unknown = Members("hash", "1") } }),
            ("voice.unknown", item => item with { Unknown = Members("prompt", "1") }));
        AssertOrder(Samples.Chunk("c"), item => Validation.Check(item),
            ("chunk.id", item => item with { Id = "" }),
            ("chunk.text", item => item with { Text = "" }),
            ("chunk.status", item => item with { Status = (WorkStatus)9 }),
            ("engine", item => item with { Engine = (TtsEngine)9 }),
            ("chunk.parameters.unknown", item => item with { Parameters = new() { Unknown = Members("seed", "1") } }),
            ("chunk.status", item => item with { Audio = Samples.Audio }),
            ("chunk.unknown", item => item with { Unknown = Members("text", "1") }));
        AssertOrder(Item("b"), item => Validation.Check(item),
            ("batchItem.id", item => item with { Id = "" }),
            ("batchItem.name", item => item with { Name = "" }),
            ("batchItem.chunkIds", item => item with { ChunkIds = [""] }),
            ("batchItem.status", item => item with { Status = (WorkStatus)9 }),
            ("batchItem.unknown", item => item with { Unknown = Members("status", "1") }));
        AssertOrder(Preferences.Default, item => Validation.CheckPreferences(item),
            ("engine", item => item with { Engine = (TtsEngine)9 }),
            ("parameters.unknown", item => item with { Parameters = item.Parameters with { Unknown = Members("seed", "1") } }),
            ("cfg_weight",
                item => item with
                {
                    OtherEngines = item.OtherEngines with
                    {
                        Chatterbox = TtsParameters.DefaultsFor(TtsEngine.Chatterbox) with { CfgWeight = 2 },
                    },
                }),
            ("language_id",
                item => item with
                {
                    OtherEngines = item.OtherEngines with
                    {
                        Multilingual = TtsParameters.DefaultsFor(TtsEngine.Multilingual) with { LanguageId = "xx" },
                    },
                }),
            ("top_k",
                item => item with
                {
                    OtherEngines = item.OtherEngines with
                    {
                        Turbo = TtsParameters.DefaultsFor(TtsEngine.Turbo) with { TopK = -1 },
                    },
                }),
            ("syncedSlices", item => item with { SyncedSlices = ["nothing"] }),
            ("currentSessionId", item => item with { CurrentSessionId = "" }));
        AssertOrder(AppState.Initial, state => Validation.Check(state),
            ("currentSessionId", state => state with { Preferences = state.Preferences with { CurrentSessionId = "" } }),
            ("workSessions[s].workSession.name", state => state with { WorkSessions = [Work("s") with { Name = "" }] }),
            ("savedVoices[v].voice.name", state => state with { SavedVoices = [Voice("v") with { Name = "" }] }),
            ("chunks[c].chunk.text", state => state with { Chunks = [Samples.Chunk("c", "")] }),
            ("batchItems[b].batchItem.name", state => state with { BatchItems = [Item("b") with { Name = "" }] }));
        AssertOrder(new ReportError(new() { Id = "e", Message = "m" }), change => Validation.Check(Filled, change),
            ("error.id", change => new(change.Error with { Id = "" })),
            ("error.message", change => new(change.Error with { Message = "" })));
        AssertOrder(new SetChunkStatus("c1", WorkStatus.Error), change => Validation.Check(Filled, change),
            ("chunk.id", change => change with { Id = "nobody" }),
            ("chunk.status", change => change with { Status = WorkStatus.Completed }));
        AssertOrder(new CompleteChunk("c1", Samples.Audio), change => Validation.Check(Filled, change),
            ("chunk.id", change => change with { Id = "nobody" }),
            ("chunk.audio", change => change with { Audio = null! }));
        AssertOrder(new SetBatchItemStatus("b1", WorkStatus.Error), change => Validation.Check(Filled, change),
            ("batchItem.id", change => change with { Id = "nobody" }),
            ("batchItem.status", change => change with { Status = (WorkStatus)9 }));
    }

    [Fact(DisplayName = "[S3] [X2] what is refused says what it was")]
    public void Values()
    {
        AssertMessage("chunk.audio: must be an audio reference, since the chunk is completed, was missing",
            new UpsertChunk(Samples.Chunk("c") with { Status = WorkStatus.Completed }));
        AssertMessage("chunk.audio.hash: must be 64 lower-case hexadecimal digits (SHA-256), was ''",
            new UpsertChunk(Samples.Chunk("c") with { Status = WorkStatus.Completed, Audio = Samples.Audio with { Hash = "" } }));
        AssertMessage("chunk.audio.length: must be 1 to 33554432 bytes, was 0",
            new CompleteChunk("c1", Samples.Audio with { Length = 0 }));
        AssertMessage("chunk.audio.sampleRate: must be 0 to 768000 Hz, was -1",
            new CompleteChunk("c1", Samples.Audio with { SampleRate = -1 }));
        AssertMessage("chunk.audio.duration: must be 0 to 86400 s, was -1",
            new CompleteChunk("c1", Samples.Audio with { Duration = -1 }));
        AssertMessage("chunk.unknown: must be JSON of at most 32 levels, was nested deeper or without a value",
            new UpsertChunk(Samples.Chunk("c") with { Unknown = new([KeyValuePair.Create("x",
                default(System.Text.Json.JsonElement))]) }));
        AssertMessage("chunk.unknown: must be at most 16384 bytes, was 16385",
            new UpsertChunk(Samples.Chunk("c") with { Unknown = Members("x", $"\"{new string('x', 16382)}\"") }));
        AssertMessage("syncedSlices: must be at most 6 slices, was 7",
            new SetSyncedSlices(Enumerable.Repeat(TtsSlice.Chunks, 7).ToValueList()));
        AssertMessage("workSession.chunkIds: must be at most 5000 ids, was 5001",
            new UpsertWorkSession(Work("s") with { ChunkIds = Enumerable.Repeat("c", 5001).ToValueList() }));
        AssertMessage(
            "chunk.status: must be pending, generating, error or interrupted, since a chunk is "
            + "completed by its audio, was 'completed'",
            new SetChunkStatus("c1", WorkStatus.Completed));
        Assert.Equal("workSessions: must be at most 200 items, was 201",
            Validation.Check(AppState.Initial with { WorkSessions = Many(201, Work) })!.Message);
        Assert.Equal("workSessions.id: must be unique, was 's'",
            Validation.Check(AppState.Initial with { WorkSessions = [Work("s"), Work("s")] })!.Message);

        static void AssertMessage(string message, AppStateChange change) =>
            Assert.Equal(message, Validation.Check(Filled, change)!.Message);
    }

    [Fact(DisplayName = "[S3] [X2] a full collection takes what replaces an item of it, and no other")]
    public void No_room()
    {
        var full = AppState.Initial with
        {
            WorkSessions = Many(200, Work), SavedVoices = Many(500, Voice),
            Chunks = Many(5000, id => Samples.Chunk(id)), BatchItems = Many(1000, Item),
        };
        AssertFull("workSessions: must be at most 200 items, was 201",
            id => new UpsertWorkSession(Work(id) with { Name = "other" }));
        AssertFull("savedVoices: must be at most 500 items, was 501", id => new UpsertVoice(Voice(id) with { Name = "other" }));
        AssertFull("chunks: must be at most 5000 items, was 5001", id => new UpsertChunk(Samples.Chunk(id, "other")));
        AssertFull("batchItems: must be at most 1000 items, was 1001",
            id => new UpsertBatchItem(Item(id) with { Name = "other" }));
        // What is wrong with the item itself comes first.
        Assert.Equal("voice.name", Validation.Check(full, new UpsertVoice(Voice("another") with { Name = "" }))!.Field);

        void AssertFull(string message, Func<string, AppStateChange> upsert)
        {
            Assert.Equal(message, AppStateReducer.Apply(full, upsert("another")).Rejection!.Message);
            Assert.Null(AppStateReducer.Apply(full, upsert("i7")).Rejection);
        }
    }

    [Fact(DisplayName = "[S3] [X2] nothing is a choice where there is one")]
    public void Nothing()
    {
        foreach (var change in (AppStateChange[])[new SelectWorkSession(null), new SetSyncedSlices(null),
            new SetSystemStatus(null), new SetVoiceUpload(null), new SetGenerating(false, null)])
        {
            Assert.Null(Validation.Check(Filled, change));
        }
        Assert.Null(Validation.Check(AppState.Initial with
        {
            Preferences = Preferences.Default with { CurrentSessionId = null, SyncedSlices = null },
        }));
    }

    [Fact(DisplayName = "[C6] who has no copy of the work sessions is not asked whether one is there")]
    public void Without_a_copy()
    {
        ValueList<string> some = [TtsSlice.Preferences, TtsSlice.Chunks];
        Assert.Null(Validation.Check(AppState.Initial, new SelectWorkSession("elsewhere"), some));
        Assert.Equal("workSession.id: must be 1 to 128 characters without control characters or white space at the ends, was ''",
            Validation.Check(AppState.Initial, new SelectWorkSession(""), some)!.Message);
        Assert.Equal("an existing id (there is none)",
            Validation.Check(AppState.Initial, new SelectWorkSession("elsewhere"), [.. some, TtsSlice.WorkSessions])!.Allowed);
        Assert.Equal("an existing id (there is none)",
            Validation.Check(AppState.Initial, new SelectWorkSession("elsewhere"))!.Allowed);
    }

    [Fact(DisplayName = "[X2] few ids are all named, many are counted")]
    public void Existing_ids()
    {
        Assert.Equal("an existing id (i0, i1, i2, i3, i4)",
            Validation.Check(AppState.Initial with { SavedVoices = Many(5, Voice) }, new RemoveVoice("nobody"))!.Allowed);
        Assert.Equal("one of the 6 existing ids",
            Validation.Check(AppState.Initial with { SavedVoices = Many(6, Voice) }, new RemoveVoice("nobody"))!.Allowed);
    }

    [Fact(DisplayName = "[M2] unknown members: all count, and each is looked into to its deepest place")]
    public void Unknown_members()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"x\":", 33)) + "1" + new string('}', 33);
        var within = string.Concat(Enumerable.Repeat("{\"x\":", 32)) + "1" + new string('}', 32);
        Assert.Null(Check(("x", within)));
        Assert.Null(Check(("x", "{}"), ("y", "[]"), ("z", "null")));
        Assert.NotNull(Check(("x", deep)));
        Assert.NotNull(Check(("x", "1"), ("y", deep)));
        Assert.NotNull(Check(("x", $$"""{"x":1,"y":{{within}}}""")));
        Assert.NotNull(Check(("x", $"[1,{within}]")));
        Assert.Null(Check(("x", Text(8000)), ("y", Text(8000))));
        Assert.Equal("at most 16384 bytes", Check(("x", Text(9000)), ("y", Text(9000)))!.Allowed);

        static string Text(int length) => $"\"{new string('x', length)}\"";

        static Rejection? Check(params (string Name, string Json)[] members)
        {
            return Validation.Check(Work("s") with { Unknown = Unknown.Of(members) });
        }
    }

    /// <summary>Breaks everything from one member on, for each of them.</summary>
    private static void AssertOrder<T>(T good, Func<T, Rejection?> check, params (string Field, Func<T, T> Break)[] faults)
    {
        Assert.Null(check(good));
        for (var first = 0; first < faults.Length; first++)
        {
            Assert.Equal(faults[first].Field, check(faults[first..].Aggregate(good, (item, fault) => fault.Break(item)))!.Field);
        }
    }

    private static ValueList<T> Many<T>(int count, Func<string, T> item) =>
        Enumerable.Range(0, count).Select(number => item($"i{number}")).ToValueList();

    private static WorkSession Work(string id) => new() { Id = id, Name = "n" };

    private static SavedVoice Voice(string id) => new() { Id = id, Name = "n", Parameters = new() };

    private static BatchItem Item(string id) => new() { Id = id, Name = "n" };

    private static UnknownMembers Members(string name, string json) => Unknown.Of(name, json);
}
