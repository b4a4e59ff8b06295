using System.Text;
using System.Text.Json.Nodes;
using Chatterbox.Grains.Tts.Import;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Tests.Backup;

public sealed class ImportReaderTests
{
    private const string StreamedClip = "e6bf9afb31216f333ff41763ac4d82762326401651e816a68de3e26668522e76";
    private const string UrlClip = "f6c2f6da61610b0be72bc4465e17298945d7851bd76e55a4abf1c1a6a1962317";

    [Fact(DisplayName = "[M4] what the browser app stored under version 0 is taken over, with the defaults of its day")]
    public async Task Version0()
    {
        var (state, report) = await Documents.ImportAsync(Documents.Fixture("browser-state-v0.json"));

        Assert.Null(report.Refused);
        Assert.Equal((0, 1), (report.FromVersion, report.ToVersion));
        Assert.Equal(TtsEngine.Chatterbox, state!.Preferences.Engine);
        Assert.Equal(TtsParameters.DefaultsFor(TtsEngine.Chatterbox), state.Preferences.Parameters);
        Assert.True(state.Preferences.UseStreaming);
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1763800000000), state.WorkSessions.Find("session-1")!.CreatedAt);
        Assert.Equal(StreamedClip, state.Chunks.Find("chunk-1")!.Audio!.Hash);
        Assert.Equal(24000, state.Chunks.Find("chunk-1")!.Audio!.SampleRate);
        Assert.Equal(14, state.Chunks.Find("chunk-2")!.Parameters.Seed);
        Assert.Equal([StreamedClip], report.Clips);
    }

    [Fact(DisplayName = "[R4] an import says what it left out and why")]
    public async Task Notes()
    {
        await using var file = Documents.Fixture("browser-state-v0.json");
        var (document, _) = await Documents.ReadAsync(file);
        var (state, report) = ImportReader.Read(new(document.State(), document.Version, DryRun: true, document.Format),
            Documents.Migrations);

        Assert.Equal(["audioUrl of 1 chunk(s): left out, a blob: URL means nothing outside the browser tab that made it"],
            document.Notes);
        Assert.Null(state!.Preferences.CurrentSessionId);
        Assert.Equal(WorkStatus.Interrupted, state.Chunks.Find("chunk-2")!.Status);
        Assert.Equal(
            [
                "currentSessionId: 'session-gone' is none of the work sessions, none is selected",
                "chunk chunk-2: was generating without audio, taken as interrupted, ready to run again",
            ], report.Notes);
    }

    [Fact(DisplayName =
        "[M4] what the browser app stored under version 1 is taken over: data: URLs, unknown members, unfinished chunks")]
    public async Task Version1()
    {
        var (state, report) = await Documents.ImportAsync(Documents.Fixture("browser-state-v1.json"));

        Assert.Null(report.Refused);
        Assert.Equal(TtsEngine.Turbo, state!.Preferences.Engine);
        Assert.Equal(400, state.Preferences.Parameters.TopK);
        var first = state.Chunks.Find("chunk-1")!;
        Assert.Equal(UrlClip, first.Audio!.Hash);
        Assert.Equal("brisk", first.Unknown!["mood"].GetString());
        Assert.Equal(WorkStatus.Pending, state.Chunks.Find("chunk-2")!.Status);
        Assert.Equal((WorkStatus.Error, null), (state.Chunks.Find("chunk-3")!.Status, state.Chunks.Find("chunk-3")!.Audio));
        Assert.Equal(WorkStatus.Interrupted, state.Chunks.Find("chunk-4")!.Status);
        // A clip that no chunk keeps is not worth an upload.
        Assert.Equal([UrlClip], report.Clips);
        Assert.Contains("state.isGenerating: left out, not part of what is stored", report.Notes);
    }

    [Theory(DisplayName = "[M3] a version that the silo does not know is refused")]
    [InlineData(2)]
    [InlineData(int.MaxValue)]
    public async Task NewerVersion(int version)
    {
        var (taken, report) = await Documents.ImportAsync(Documents.Of($$"""{"state": {}, "version": {{version}}}"""));
        Assert.Null(taken);
        Assert.Equal("version", report.Refused!.Field);
    }

    [Fact(DisplayName = "[X3] no bytes make an import throw")]
    public void AnyBytes()
    {
        var random = new Random(7);
        for (var round = 0; round < 500; round++)
        {
            var bytes = new byte[random.Next(64)];
            random.NextBytes(bytes);
            var (state, report) = ImportReader.Read(new(bytes, 1, DryRun: true, (ImportFormat)random.Next(3)),
                Documents.Migrations);
            Assert.True(state is not null || report.Refused is not null);
        }
    }


    [Theory(DisplayName = "[R4] [X2] what is refused says what it is and what is allowed")]
    [InlineData(ImportFormat.Browser, 2, "{}", "version: must be 0 to 1 (this silo knows no other schema), was 2")]
    [InlineData(ImportFormat.Browser, -1, "{}", "version: must be 0 to 1 (this silo knows no other schema), was -1")]
    [InlineData(ImportFormat.Browser, 1, null, "state: must be 1 to 50331648 bytes without audio, was 0")]
    [InlineData((ImportFormat)7, 1, "{}", "format: must be Browser or Export, was 7")]
    [InlineData(ImportFormat.Browser, 1, """{"books": [], "films": []}""",
        "state: must be the app's state or a part of it, was an object with books, films")]
    [InlineData(ImportFormat.Browser, 1, "[]", "state: must be the app's state as a JSON object, was no JSON object")]
    public void RefusedInWords(ImportFormat format, int version, string? json, string message)
    {
        var (state, report) = Read(format, version, json);
        Assert.Null(state);
        Assert.Equal(message, report.Refused!.Message);
    }

    [Theory(DisplayName = "[R4] a document that is no JSON is refused as such")]
    [InlineData("{")]
    [InlineData("")]
    public void NoJson(string json)
    {
        var refused = Read(ImportFormat.Browser, 1, json).Report.Refused!;
        Assert.Equal(("state", "JSON"), (refused.Field, refused.Allowed));
        Assert.NotEqual("", refused.Value);
    }

    [Fact(DisplayName = "[M2] [R4] a document that a migration cannot bring further is refused, with what went wrong")]
    public void NoMigration()
    {
        var failing = new MigrationChain([new Failing()]);
        var report = ImportReader.Read(new("{}"u8.ToArray(), 0, DryRun: true, ImportFormat.Browser), failing).Report;
        Assert.Equal("state: must be migratable, was of version 0: The migration of preferences from version 0 to 1 failed: odd",
            report.Refused!.Message);
    }

    [Fact(DisplayName = "[R4] what is nothing in the browser's state is as if it were not there")]
    public void Nothing()
    {
        var (state, report) = Read(ImportFormat.Browser, 1,
            """{"ttsEngine": null, "parameters": null, "currentSessionId": null, "sessions": null, "chunks": """
            + """null, "savedVoices": [], "batchItems": null}""");
        Assert.Null(report.Refused);
        Assert.Equal(AppState.Initial, state);
        Assert.Empty(report.Notes);
    }

    [Fact(DisplayName = "[M4] items of the browser's state are of the engine selected, but for those that say which")]
    public void Engines()
    {
        var state = Read(ImportFormat.Browser, 1, """
            {"ttsEngine": "turbo", "parameters": {},
             "chunks": [{"id": "a", "text": "t", "parameters": {}},
            """ + """
             {"id": "b", "text": "t", "engine": "chatterbox", "parameters": {}}],
             "sessions": [{"id": "s", "name": "n", "createdAt": "2026-01-02T03:04:05Z", "updatedAt": 1763800000000}],
             "batchItems": [{"id": "i", "name": "n"}]}
            """).State!;
        Assert.Equal([TtsEngine.Turbo, TtsEngine.Chatterbox], state.Chunks.Select(chunk => chunk.Engine));
        Assert.Equal(TtsEngine.Turbo, state.WorkSessions[0].Engine);
        Assert.Equal((new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
            DateTimeOffset.FromUnixTimeMilliseconds(1763800000000)),
            (state.WorkSessions[0].CreatedAt, state.WorkSessions[0].UpdatedAt));
        Assert.Equal("i", state.BatchItems[0].Id);
    }

    [Fact(DisplayName =
        "[A1] [R4] only what refers to audio that is not to be had goes without it, each with a note; clips are counted once")]
    public void MissingAudio()
    {
        var (there, gone) = (new string('a', 64), new string('b', 64));
        var (state, report) = Read(ImportFormat.Export, 1, $$"""
            {"preferences": {}, "workSessions": [], "batchItems": [],
             "chunks": [{{Chunk("c1", there)}}, {{Chunk("c2", gone)}}, {"id": "c3", "text": "t", "parameters": { } }],
             "savedVoices": [{{Voice("v1", there)}}, {{Voice("v2", gone)}}, {"id": "v3", "name": "n", "parameters": { } }] }
            """, gone);
        Assert.Null(report.Refused);
        Assert.Equal([there, null, null], state!.Chunks.Select(chunk => chunk.Audio?.Hash));
        Assert.Equal([WorkStatus.Completed, WorkStatus.Interrupted, WorkStatus.Pending],
            state.Chunks.Select(chunk => chunk.Status));
        Assert.Equal([there, null, null], state.SavedVoices.Select(voice => voice.Prompt?.Hash));
        Assert.Equal(
            [
                "chunk c2: its audio is neither in the document nor stored, taken as interrupted, ready to run again",
                "voice v2: its recording is neither in the document nor stored, taken without",
            ], report.Notes);
        Assert.Equal((1, 9, 3, 3), (report.AudioClips, report.AudioBytes, report.Chunks, report.SavedVoices));

        static string Chunk(string id, string hash) =>
            $$"""{"id": "{{id}}", "text": "t", "parameters": {}, "status": "completed", "audio": """
            + $$"""{"hash": "{{hash}}", "length": 9} }""";

        static string Voice(string id, string hash) =>
            $$"""{"id": "{{id}}", "name": "n", "parameters": {}, "prompt": {"hash": "{{hash}}", "length": 9} }""";
    }

    [Fact(DisplayName = "[R4] clips of chunks and of voices are all told")]
    public void Clips()
    {
        var (chunk, voice) = (new string('a', 64), new string('b', 64));
        var report = Read(ImportFormat.Export, 1, """
            {"preferences": {}, "workSessions": [], "batchItems": [],
             "chunks": [{"id": "c", "text": "t", "parameters": {}, "status": "completed",
            """ + $$"""
             "audio": {"hash": "{{chunk}}", "length": 2} }],
             "savedVoices": [{"id": "v", "name": "n", "parameters": {}, "prompt": {"hash": "{{voice}}", "length": 3} }]}
            """).Report;
        Assert.Equal([chunk, voice], report.Clips);
        Assert.Equal((2, 5), (report.AudioClips, report.AudioBytes));
    }

    [Fact(DisplayName = "[R4] chunks that were not completed are so no more, and each says why")]
    public void Unfinished()
    {
        var hash = new string('a', 64);
        var (state, report) = Read(ImportFormat.Browser, 1, $$"""
            {"chunks": [
              {"id": "c1", "text": "t", "parameters": {}, "status": "generating", "audio": {"hash": "{{hash}}", "length": 9} },
              {"id": "c2", "text": "t", "parameters": {}, "status": "completed"},
              {"id": "c3", "text": "t", "parameters": {}, "status": "error", "audio": {"hash": "{{hash}}", "length": 9} }] }
            """);
        Assert.Equal([WorkStatus.Interrupted, WorkStatus.Interrupted, WorkStatus.Error],
            state!.Chunks.Select(chunk => chunk.Status));
        Assert.All(state.Chunks, chunk => Assert.Null(chunk.Audio));
        Assert.Equal(
            [
                "chunk c1: was generating, taken as interrupted, ready to run again",
                "chunk c2: was completed without audio, taken as interrupted, ready to run again",
                "chunk c3: its audio is left out, the chunk is not completed (error)",
            ], report.Notes);
    }

    private static (AppState? State, ImportReport Report) Read(ImportFormat format, int version, string? json,
        params string[] missing) =>
        ImportReader.Read(new(json is null ? null! : Encoding.UTF8.GetBytes(json), version, DryRun: true, format,
            missing.ToValueList()), Documents.Migrations);

    private sealed class Failing : ISliceMigration
    {
        public int FromVersion => 0;

        public JsonNode Migrate(string slice, JsonNode state) => throw new FormatException("odd");
    }
}
