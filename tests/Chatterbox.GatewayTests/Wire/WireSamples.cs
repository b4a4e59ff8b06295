using System.Text.Json;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests.Wire;

/// <summary>One message or more of each kind, between them with a value for each member.</summary>
internal static class WireSamples
{
    private static readonly DateTimeOffset Time = DateTimeOffset.UnixEpoch.AddDays(20_000);
    private static readonly Rejection Rejection = new("temperature", "9", "0.05 to 5");
    private static readonly UnknownMembers Unknown = new(new Dictionary<string, JsonElement>
    {
        ["pitch"] = JsonDocument.Parse("[1.0, 12345678901234567890]").RootElement,
    });

    private static readonly TtsParameters Parameters = new()
    {
        Exaggeration = 0.5, CfgWeight = 0.4, Temperature = 0.8, MinP = 0.05, TopP = 0.95, TopK = 1000, RepetitionPenalty = 1.2,
        NormLoudness = true, LanguageId = "en", Seed = uint.MaxValue, Unknown = Unknown,
    };

    private static readonly SaveStatus Failing = new(SaveState.Failing, Time, "disk full", Time, 2, 3);

    private static readonly AppliedChange Change = new(7, "browser-1", 3, new SetStreaming(true));

    public static AppState State { get; } = new()
    {
        Preferences = new()
        {
            Engine = TtsEngine.Multilingual, Parameters = Parameters, UseStreaming = true, CurrentSessionId = "s1",
            SyncedSlices = [TtsSlice.Preferences, TtsSlice.Chunks], Unknown = Unknown,
            OtherEngines = new() { Chatterbox = Parameters, Multilingual = Parameters, Turbo = Parameters, Unknown = Unknown },
        },
        WorkSessions =
        [
            new()
            {
                Id = "s1", Name = "Chapter 1", CreatedAt = Time, UpdatedAt = Time, ChunkIds = ["c1"], Engine = TtsEngine.Turbo,
                Parameters = Parameters, Unknown = Unknown,
            },
        ],
        SavedVoices =
        [
            new()
            {
                Id = "v1", Name = "Alice", CreatedAt = Time, Parameters = Parameters, Prompt = Samples.Audio, Unknown = Unknown,
            },
        ],
        Chunks =
        [
            new()
            {
                Id = "c1", Text = "Down, down, down. \U0001F407", Status = WorkStatus.Completed, Parameters = Parameters,
                Audio = Samples.Audio with { Unknown = Unknown }, CreatedAt = Time, Unknown = Unknown,
            },
        ],
        BatchItems = [new() { Id = "b1", Name = "book.txt", ChunkIds = ["c1"], CreatedAt = Time, Unknown = Unknown }],
        Runtime = new()
        {
            IsGenerating = true, CurrentGeneratingId = "c1", SystemStatus = "ready", VoiceUpload = "voice.wav",
            Errors = [new() { Id = "e1", Message = "out of memory" }],
        },
    };

    public static IReadOnlyList<(string Name, object Message)> All { get; } =
    [
        ("hello", new HelloCall(1)),
        ("hello answered", new HelloAnswer { User = "alice", ExpiresAt = Time }),
        ("hello refused", new HelloAnswer { Refused = Rejection }),
        ("attach", new AttachCall("app-state", "browser-1", "Firefox on laptop", 1_700_000_000_000, 6, 3, [TtsSlice.Chunks],
            "tts")),
        ("attach of a new client", new AttachCall("app-state", "browser-1", "phone", 0, 0, 1)),
        ("attach answered", new AttachAnswer
        {
            State = new() { Epoch = 1_700_000_000_000, Revision = 7, DurableRevision = 6, Snapshot = State },
            Applied = [new(TtsSlice.Preferences, 3)], Save = Failing, Notices = ["chunks: unreadable"], ReadOnly = "newer schema",
            Crash = new(["c1"], ["b1"], true), SchemaVersion = 1,
        }),
        ("attach refused", new AttachAnswer { Refused = Rejection }),
        ("state to fetch", new StateAnswer { Epoch = 5, Revision = 7, DurableRevision = 7, Fetch = true }),
        ("state as changes", new StateAnswer { Epoch = 5, Revision = 7, DurableRevision = 7, Changes = [Change] }),
        ("apply", new ApplyCall("app-state", "browser-1", 5, 2,
            [.. Samples.EveryChange.Select((change, index) => new SequencedChange(3 + index, change))])),
        ("apply to a document", new ApplyCall("document", "browser-1", 5, 2,
        [
            new(3, new SetKey("", DocumentValue.Parse("null"))),
                new(4, new SetKey("__proto__", DocumentValue.Parse("[1e400,-0]"))),
            new(5, new MergePatchKey("settings", DocumentValue.Parse("""{"theme":null,"size":1.10}"""))),
                new(6, new RemoveKey("a")),
        ])),
        ("apply done", new ApplyAnswer { Epoch = 5, DurableRevision = 6, Outcomes = [new(7, null), new(7, Rejection)] }),
        ("apply superseded", new ApplyAnswer { Result = ApplyOutcome.Superseded, Epoch = 5, Refused = Rejection }),
        ("apply refused", new ApplyAnswer { Result = ApplyOutcome.Refused, Epoch = 5, Refused = Rejection }),
        ("since", new SinceCall("app-state", 5, 6)),
        ("leave", new LeaveCall("app-state", "browser-1")),
        ("events", new EventsPush("app-state", 5,
        [
            new ChangesApplied(6, 7, [Change]), new BecameDurable(7), new SaveStatusChanged(Failing), new SessionReset("cleared"),
            new PresenceChanged([new("browser-1", "laptop", Time)]),
            new QuotaCleanedUp([new("s1", "Chapter 1", ["c1"], 4)], 5, 6, 7) { LooseChunkIds = ["c2"] },
        ])),
        ("behind", new BehindPush("app-state", 5, 7, 6)),
        ("bye of a store", new ByePush(ByeReason.Superseded, "app-state")),
        ("bye", new ByePush(ByeReason.Expired)),
        ("snapshot", new SnapshotAnswer(5, 7, 6, State)),
        ("changes", new ChangesCall("browser-1", 5, 2, [new(3, new SetStreaming(true))])),
        ("status", new SessionStatus
        {
            Session = "alice/app-state", Epoch = 5, Revision = 7, DurableRevision = 6, Save = Failing, PersistedVersion = 1,
            ReadOnly = "newer schema", Notices = ["chunks: unreadable"], Clients = [new("browser-1", "laptop", Time)],
            RowWrites = 1, BytesWritten = 2, Changes = 3, Slices = [new(TtsSlice.Chunks, 1, 2)], App = "tts",
            Crash = new(["c1"], ["b1"], true),
        }),
        ("info", new StorageInfo
        {
            Session = "alice/app-state", Slices = [new(TtsSlice.Chunks, 1, 2, 3)], UsedBytes = 4, QuotaBytes = 5,
            CompressionRatio = 1.5, Changes = 6, Writes = 7, ChangesPerWrite = 0.5, LastSaved = Time,
            Audio = new()
            {
                ReferencedClips = 1, ReferencedBytes = 2, PendingClips = 3, PendingBytes = 4, UnreferencedClips = 5,
                UnreferencedBytes = 6,
            },
        }),
        ("flush", new FlushReply(5, 6, "disk full")),
        ("recovery", new RecoveryReport
        {
            Refused = Rejection, Chunks = ["c1"], BatchItems = ["b1"], Restored = ["chunks"], Unsaved = "disk full",
        }),
        ("import", new ImportReport
        {
            Refused = Rejection, FromVersion = 0, ToVersion = 1, WorkSessions = 1, SavedVoices = 2, Chunks = 3, BatchItems = 4,
            AudioClips = 5, AudioBytes = 6, Notes = ["left out"], DryRun = true, Revision = 7, Clips = ["hash"],
            Mends = [new("state.chunks[0].createdAt", "null", "a time", "taken as missing")], MoreMends = 8,
            Items = [new(TtsSlice.Chunks, 3)],
        }),
        ("upload", new UploadCall("app-state", 600_000, "audio/wav")),
        ("upload begun", new UploadAnswer(AudioPieces.Bytes, [0, 1])),
        ("upload complete", new UploadAnswer(AudioPieces.Bytes, [], Samples.Audio)),
        ("problem", new Problem("Refused", 422, Rejection.Message, Rejection.Field, Rejection.Value, Rejection.Allowed)),
        ("development token", new DevTokenCall("alice", 60)),
        ("development token answered", new DevTokenAnswer("header.payload.signature", Time)),
    ];
}
