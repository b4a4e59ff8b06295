using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;

namespace Chatterbox.Tests.Contracts;

/// <summary>
/// One value or more of each contract, between them with a value for each member. What is here stays; more is appended.
/// </summary>
internal static class WireValues
{
    public static IEnumerable<(string Name, object Value)> All => Values();

    private static IEnumerable<(string Name, object Value)> Values()
    {
        foreach (var change in Samples.EveryChange) yield return (change.GetType().Name, change);
        var client = new ClientId("process", "client");
        var state = State.ReducerTests.Apply(AppState.Initial, new UpsertChunk(Samples.Chunk("c1")),
            new CompleteChunk("c1", Samples.Audio),
            new UpsertWorkSession(new() { Id = "s", Name = "n", ChunkIds = ["c1"] }),
            new SelectEngine(TtsEngine.Turbo), new SetGenerating(true, "c1"));
        var applied = new AppliedChange(7, "client", 3, new SetStreaming(true));
        var rejection = new Rejection("temperature", "9", "0.05 to 5");
        yield return ("AppState", state);
        yield return ("AttachRequest", new AttachRequest
        {
            Client = client, Device = "laptop", Protocol = 1, NextSequence = 4, SeenRevision = 6,
            Epoch = 5, Slices = [TtsSlice.Chunks], App = "tts",
        });
        yield return ("AttachReply", new AttachReply
        {
            State = new() { Epoch = 5, Revision = 7, DurableRevision = 6, Snapshot = state }, Applied = [new(TtsSlice.Chunks, 3)],
            Notices = ["n"], ReadOnly = "r", Lease = TimeSpan.FromSeconds(30), Protocol = 1, Crash = new(["c1"], ["b1"], true),
        });
        yield return ("CatchUp", new CatchUp { Epoch = 5, Revision = 7, DurableRevision = 6, Changes = [applied] });
        yield return ("HeartbeatReply", new HeartbeatReply
        {
            Attached = true, Epoch = 5, Revision = 7, DurableRevision = 6, Save = SaveStatus.Saving,
        });
        yield return ("ChangeBatch", new ChangeBatch("client", 5, 2, [new(3, new SetStreaming(true))]));
        yield return ("ChangeBatch of a process", new ChangeBatch("client", 5, 2, [new(3, new SetStreaming(true))], "process"));
        yield return ("AttachRequest again", new AttachRequest
        {
            Client = client, Device = "laptop", NextSequence = 4, Renews = true,
        });
        yield return ("AttachReply full", new AttachReply { Refused = rejection, IsFull = true, Protocol = 1 });
        yield return ("HeartbeatReply superseded", new HeartbeatReply { Superseded = true, Epoch = 5, Revision = 7 });
        yield return ("ApplyReply superseded", new ApplyReply
        {
            Result = ApplyResult.Superseded, Epoch = 5, Refused = rejection,
        });
        yield return ("ApplyReply", new ApplyReply
        {
            Result = ApplyResult.Refused, Epoch = 5, DurableRevision = 6, Outcomes = [new(7, rejection)], Refused = rejection,
        });
        yield return ("FlushReply", new FlushReply(5, 6, "full"));
        yield return ("ImportReport", new ImportReport
        {
            Refused = rejection, FromVersion = 0, ToVersion = 1, Chunks = 3, Notes = ["left out"], Revision = 9,
            Items = [new("chunks", 3)],
        });
        yield return ("SessionEvents", new SessionEvents("alice/app-state", 5,
        [
            new ChangesApplied(6, 7, [applied]), new BecameDurable(7), new SessionReset("loaded again"),
            new SaveStatusChanged(new(SaveState.Failing, DateTimeOffset.UnixEpoch, "full")),
            new PresenceChanged([new("client", "laptop", DateTimeOffset.UnixEpoch)]),
        ]));
        yield return ("SessionStatus", new SessionStatus
        {
            Session = "alice/app-state", Epoch = 5, Revision = 7, DurableRevision = 6, Save = SaveStatus.Saved,
            PersistedVersion = 1, Slices = [new(TtsSlice.Chunks, 3, 100)], App = "tts",
        });
        yield return ("RecoveryReport", new RecoveryReport { Chunks = ["c1"], Restored = ["chunks"], Unsaved = "full" });
        var kept = new HistoryItem("id", "unreadable", "checksum", ["chunks"], DateTimeOffset.UnixEpoch, 3, 1);
        yield return ("HistoryItem", kept);
        yield return ("HistoryContent", new HistoryContent(kept, [new("chunks", [1, 2], [3])]));
        yield return ("PutClipReply", new PutClipReply(Samples.Audio, rejection));

        // With a value for what the ones above leave as it is.
        var unknown = Unknown.Of("pitch", "[1]");
        var parameters = new TtsParameters { LanguageId = "en", Seed = 9, Unknown = unknown };
        var time = DateTimeOffset.UnixEpoch.AddDays(1);
        var audio = Samples.Audio with { Unknown = unknown };
        var quota = new QuotaExceeded(1, 2, 3);
        yield return ("AppState.2", new AppState
        {
            Preferences = new()
            {
                Engine = TtsEngine.Multilingual, Parameters = parameters, UseStreaming = true, CurrentSessionId = "s1",
                SyncedSlices = [TtsSlice.Chunks], Unknown = unknown,
                OtherEngines = new()
                {
                    Chatterbox = parameters, Multilingual = parameters, Turbo = parameters, Unknown = unknown,
                },
            },
            WorkSessions =
            [
                new()
                {
                    Id = "s1", Name = "n", UpdatedAt = time, Engine = TtsEngine.Turbo, Parameters = parameters, Unknown = unknown,
                },
            ],
            SavedVoices = [new() { Id = "v1", Name = "n", CreatedAt = time, Parameters = parameters, Unknown = unknown }],
            Chunks =
            [
                new()
                {
                    Id = "c1", Text = "t", Engine = TtsEngine.Turbo, Parameters = parameters, Audio = audio, Unknown = unknown,
                },
            ],
            BatchItems = [new() { Id = "b1", Name = "n", Status = WorkStatus.Interrupted, CreatedAt = time, Unknown = unknown }],
            Runtime = new() { SystemStatus = "ready", VoiceUpload = "voice.wav" },
        });
        yield return ("UpdateParameters.2", new UpdateParameters(TtsEngine.Turbo, parameters));
        yield return ("AttachReply.2", new AttachReply { Refused = rejection, SchemaVersion = 2 });
        yield return ("ImportRequest", new ImportRequest([1, 2], 1, true, ImportFormat.Export, ["hash"]));
        yield return ("ImportReport.2", new ImportReport
        {
            FromVersion = 1, WorkSessions = 2, SavedVoices = 3, BatchItems = 4, AudioClips = 5, AudioBytes = 6,
            DryRun = true, Clips = ["hash"],
        });
        yield return ("ImportRequest.2", new ImportRequest([1], 0, false, Strict: true));
        yield return ("ImportRequest.3", new ImportRequest([1], 0, false, Operation: "o"));
        yield return ("ImportReport.3", new ImportReport { Mends = [new("state.chunks[0].createdAt", "null", "a time",
            "taken as missing")], MoreMends = 7 });
        yield return ("RecoveryReport.2", new RecoveryReport { Refused = rejection, BatchItems = ["b1"] });
        yield return ("SessionStatus.2", new SessionStatus
        {
            Session = "alice/app-state", Save = SaveStatus.Saved, ReadOnly = "r", Notices = ["n"],
            Clients = [new("client", "laptop", time)],
            RowWrites = 1, BytesWritten = 2, Changes = 3, Crash = new(["c1"], ["b1"], true),
        });
        yield return ("SessionUnknownException", new SessionUnknownException(rejection));
        var cleaned = new QuotaCleanedUp([new("s1", "n", ["c1"], 4)], 5, 6, 7) { LooseChunkIds = ["c2"] };
        yield return ("EventBatch", new EventBatch(
            ChatterboxStreams.OfProcess("process"), [new("alice/app-state", 5, [new BecameDurable(7), cleaned])], 8));
        yield return ("GetClipReply", new GetClipReply([1, 2], "audio/wav", rejection));
        yield return ("PutClipReply.2", new PutClipReply(audio, null) { Missing = [1, 2], Unknown = true, Quota = quota });
        yield return ("UploadRequest", new UploadRequest("app-state", 4, "audio/wav"));
        yield return ("BeginUploadReply", new BeginUploadReply
        {
            Stored = audio, Missing = [1], Refused = rejection, Quota = quota,
        });
        yield return ("PutPieceReply", new PutPieceReply(rejection, true));
        yield return ("GetPieceReply", new GetPieceReply(audio, [1, 2], rejection));
        yield return ("StorageInfo", new StorageInfo
        {
            Session = "alice/app-state", Slices = [new(TtsSlice.Chunks, 1, 2, 3)], UsedBytes = 4, QuotaBytes = 5,
            CompressionRatio = 1.5, Changes = 6, Writes = 7, ChangesPerWrite = 0.5, LastSaved = time,
            Audio = new()
            {
                ReferencedClips = 1, ReferencedBytes = 2, PendingClips = 3, PendingBytes = 4,
                UnreferencedClips = 5, UnreferencedBytes = 6,
            },
            HistoryEntries = 8, HistoryBytes = 9,
        });
        yield return ("SaveStatus.2", new SaveStatus(SaveState.Failing, time, "full", time, 3, 2));
        yield return ("StorageUnavailableException", new StorageUnavailableException("away"));
        yield return ("WriteOutcomeUnknownException", new WriteOutcomeUnknownException("lost"));
        yield return ("StorageRejectedException", new StorageRejectedException("too long"));
        yield return ("SessionCheckPage", new SessionCheckPage(
            new()
            {
                SchemaVersion = 1, Sessions = 2, Rows = 3, Versions = [new(1, 4)],
                Findings = [new(CheckOutcome.Unreadable, "r", 5, 6, "e")],
            }, 7, 0.5));
        yield return ("SiloStatusReport", new SiloStatusReport
        {
            Silo = "10.0.0.1:11111",
            Status = "active",
            Report = new()
            {
                Host = "pod", Version = "0.2.0", Started = DateTimeOffset.UnixEpoch,
                Sessions = 1, Clients = 2, Failing = 3, ReadOnly = 4,
                PendingFrames = 5, DegradedSince = DateTimeOffset.UnixEpoch,
                IsDraining = true,
            },
        });
        yield return ("AccessDeniedException", new AccessDeniedException(rejection));
        yield return ("TooManyCallsException", new TooManyCallsException(rejection));
        yield return ("ClipAdmission", new ClipAdmission(rejection, quota));
        yield return ("ClipUse", new ClipUse("hash", 4));
        yield return ("LedgerAdmission", new LedgerAdmission(4, 5));
        yield return ("SessionCheckPage", new SessionCheckPage(
            new()
            {
                SchemaVersion = 2, Sessions = 3, Rows = 4, Versions = [new(1, 5)],
                Findings = [new(CheckOutcome.Newer, "r", 6, 7, "alice/app-state")],
            }, 8, 0.5));

        yield return ("DocumentState", new DocumentState
        {
            Keys = [new("settings", DocumentValue.Parse("""{"size":1.10}""")), new("", DocumentValue.Parse("null"))],
        });
        yield return ("SetKey", new SetKey("settings", DocumentValue.Parse("""{"size":1.10}""")));
        yield return ("MergePatchKey", new MergePatchKey("settings", DocumentValue.Parse("""{"size":null}""")));
        yield return ("RemoveKey", new RemoveKey("settings"));

        // A session on its way to another silo. What is the session's own is sent once, and referred to.
        ValueList<ClientWork> work = [new("client", [new("batchItems", ["b1"]), new("chunks", ["c1"])])];
        yield return ("SessionImage", new SessionImage
        {
            Log = new()
            {
                State = state, Epoch = 5, Revision = 7, DurableRevision = 6, Changes = 4, RecentFrom = 3, Recent = [applied],
                Applied = [new(TtsSlice.Chunks, [new("client", 3, 20_454, true)])],
                Cursors = [new("client", true, 4, [new(2, rejection)], "process")],
                Replacement = new(state, 7, [new(TtsSlice.Chunks, [new("client", 3, 20_454, true)])], IsCleared: true)
                {
                    HasExpired = true,
                },
            },
            Store = new()
            {
                SchemaVersion = 1, Recovery = new(work, "e", 9), ReadOnly = "r", Notices = ["n"],
                RowWrites = 3, BytesWritten = 4,
                History = [new(HistoryReason.Unreadable, "d", time, 1, 7, [new("chunks", [1, 2])])], KnownRevision = 8,
                Slots =
                [
                    new()
                    {
                        Slice = TtsSlice.Chunks, ETag = "e", Length = 8, Written = state.Chunks,
                        WrittenSource = state.Chunks, StoredVersion = 1,
                        Applied = [new("client", 3, 20_454, true)], SavedAt = time,
                        UncertainBytes = [3, 4], UncertainValue = state.WorkSessions,
                        UncertainSource = state.WorkSessions, UncertainVersion = 1,
                        UncertainApplied = [new("client", 3, 20_454, true)], UncertainSavedAt = time,
                    },
                ],
            },
            Leases = [new(client, "laptop", [TtsSlice.Chunks], time)],
            IsUnsaved = true, Failing = new(SaveState.Failing, time, "full"), Work = work,
            Operations = [new("o", new FlushReply(1, 2, "f"))], LoadAgain = true,
            LastSaved = time,
        });
    }
}
