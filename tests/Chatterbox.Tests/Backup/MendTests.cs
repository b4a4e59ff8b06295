using System.Text;
using System.Text.Json.Nodes;

namespace Chatterbox.Tests.Backup;

/// <summary>What is not allowed in a document is mended item by item; nothing that is wrong with one item costs
/// another.</summary>
public sealed class MendTests
{
    private const string Valid = """
        {"state": {"ttsEngine": "chatterbox", "useStreaming": true, "currentSessionId": "s1",
          "parameters": {"exaggeration": 0.5, "cfgWeight": 0.5, "temperature": 0.8, "minP": 0.05, "topP": 1.0,
        """ + """
         "repetitionPenalty": 1.2, "seed": 0},
          "sessions": [{"id": "s1", "name": "Chapter 1", "createdAt": 1763800000000, "updatedAt": 1763800000001,
        """ + """
         "chunkIds": ["c1", "c2"], "parameters": {"seed": 1}}],
          "savedVoices": [{"id": "v1", "name": "Narrator", "engine": "chatterbox", "parameters": {"temperature": 0.8},
        """ + """
         "createdAt": 1763800000000}],
          "chunks": [{"id": "c1", "text": "Down the hole.", "status": "pending", "parameters": {"temperature": 0.8},
        """ + """
         "createdAt": 1763800000000},
                     {"id": "c2", "text": "Up again.", "status": "error", "parameters": {"temperature": 0.9},
        """ + """
         "createdAt": 1763800000001}],
          "batchItems": [{"id": "b1", "name": "one.txt", "chunkIds": ["c1"], "status": "pending"}]}, "version": 1}
        """;

    private static readonly string[] AnyValue =
    [
        "null", "7", "-1", "1e99999999999", "1.5", "\"\"", "\" \"", "\"x\"", "\"\\ud83d\"", "\"\\u0000\"", "true", "{}", "[]",
            "[null]", "[[]]", "{\"a\":{}}",
        "\"7\"", "\"Turbo\"", "99", "\"2025-13-45\"", "\"" + new string('y', 5000) + "\"", "[{\"id\":\"c1\"},{\"id\":\"c1\"},7]",
    ];

    [Fact(DisplayName = "[R4] whatever stands in the place of any value of the browser's state, the rest of it is taken")]
    public async Task AnyValueAnywhere()
    {
        Assert.Null(await Documents.RefusedStrictlyAsync(Documents.Of(Valid)));
        foreach (var path in Paths(JsonNode.Parse(Valid)!["state"]!, []).Where(path => path.Length > 0).ToArray())
        {
            foreach (var value in AnyValue.Append(""))
            {
                var state = JsonNode.Parse(Valid)!;
                Replace(state["state"]!, path, value);
                var (taken, report) = await Documents.ImportAsync(Documents.Of(
                    state.ToJsonString().Replace("\"REPLACED\"", value, StringComparison.Ordinal)));
                var where = $"{string.Join('.', path)} = {value}";
                Assert.True(report.Refused is null, $"{where}: {report.Refused?.Message}");
                Assert.True(Validation.Check(taken!) is null, where);
                // Each list is complete but for the item that was replaced.
                var (list, isWhole) = (path[0], path.Length == 1);
                Assert.True(list == "sessions" || taken!.WorkSessions.Count == 1, where);
                Assert.True(list == "savedVoices" || taken!.SavedVoices.Count == 1, where);
                Assert.True(list == "batchItems" || taken!.BatchItems.Count == 1, where);
                Assert.True((list == "chunks" && isWhole) || taken!.Chunks.Count >= 1, where);
                Assert.True(list == "chunks" || taken!.Chunks.Count == 2, where);
            }
        }
    }

    [Theory(DisplayName = "[R4] one mend of each kind: what is taken, and what is said of it")]
    [InlineData("chunks/0/createdAt", "null", "state.chunks[0].createdAt", "taken as missing")]
    [InlineData("chunks/0/createdAt", "\"1763800000000\"", "state.chunks[0].createdAt", "taken as \"2025-11-22T08:26:40+00:00\"")]
    [InlineData("chunks/0/createdAt", "1e300", "state.chunks[0].createdAt", "taken as missing")]
    [InlineData("chunks/0/text", "7", "state.chunks[0].text", "taken as \"7\"")]
    [InlineData("chunks/0/text", "\"\"", "state.chunks[0].text", "the chunk is left out")]
    [InlineData("chunks/0/status", "\"odd\"", "state.chunks[0].status", "taken as interrupted")]
    [InlineData("chunks/0/status", "\"Error\"", "state.chunks[0].status", "taken as error")]
    [InlineData("chunks/0/id", "12", "state.chunks[0].id", "taken as \"12\"")]
    [InlineData("chunks/0/id", "\"c2\"", "state.chunks[1].id", "taken as \"c2-2\"")]
    [InlineData("chunks/0/id", "null", "state.chunks[0].id", "taken as \"chunk-1\"")]
    [InlineData("chunks/0/parameters/temperature", "17", "state.chunks[0].parameters.temperature", "taken as 5")]
    [InlineData("chunks/0/parameters/temperature", "\"0.7\"", "state.chunks[0].parameters.temperature", "taken as 0.7")]
    [InlineData("chunks/0/parameters", "{\"topK\": 10}", "state.chunks[0].parameters.topK",
        "the parameters are taken as those of turbo, where they are valid")]
    [InlineData("chunks/0/parameters", "[1]", "state.chunks[0].parameters", "taken as missing")]
    [InlineData("savedVoices/0/engine", "\"bogus\"", "state.savedVoices[0].engine",
        "the engine that its parameters fit is taken")]
    [InlineData("savedVoices/0/parameters/temperature", "\"hot\"", "state.savedVoices[0].parameters.temperature", "left out")]
    [InlineData("sessions/0/name", "\"Chapter 1 \"", "state.sessions[0].name", "taken as \"Chapter 1\"")]
    [InlineData("sessions/0/chunkIds", "[null, \"c1\"]", "state.sessions[0].chunkIds[0]", "left out")]
    [InlineData("sessions", "{\"s1\": {\"name\": \"n\"}}", "state.sessions", "its members are taken as the items")]
    [InlineData("sessions", "7", "state.sessions", "taken as empty")]
    [InlineData("batchItems/0", "null", "state.batchItems[0]", "left out")]
    [InlineData("ttsEngine", "\"bogus\"", "state.ttsEngine", "the engine that its parameters fit is taken")]
    [InlineData("useStreaming", "\"false\"", "state.useStreaming", "taken as false")]
    public async Task Mended(string path, string value, string place, string done)
    {
        var document = JsonNode.Parse(Valid)!;
        Replace(document["state"]!, path.Split('/'), value);
        var json = document.ToJsonString().Replace("\"REPLACED\"", value, StringComparison.Ordinal);
        var (state, report) = await Documents.ImportAsync(Documents.Of(json));
        Assert.NotNull(state);
        Assert.Contains((place, done), report.Mends.Select(mend => (mend.Place, mend.Done)));
        Assert.StartsWith("state.", await Documents.RefusedStrictlyAsync(Documents.Of(json)), StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[R4] a chunk made before the engine was switched is of the engine in which its parameters are valid")]
    public async Task EngineSwitched()
    {
        var (state, report) = await ImportAsync("""
            {"ttsEngine": "turbo", "parameters": {}, "chunks": [{"id": "a", "text": "t",
            """ + """
             "parameters": {"temperature": 3.0, "cfgWeight": 0.5}},
             {"id": "b", "text": "t", "parameters": {"languageId": "de"}}, {"id": "c", "text": "t", "parameters": {"topK": 10}}]}
            """);
        Assert.Equal([TtsEngine.Chatterbox, TtsEngine.Multilingual, TtsEngine.Turbo], state.Chunks.Select(chunk => chunk.Engine));
        Assert.Equal(3.0, state.Chunks[0].Parameters.Temperature);
        Assert.Equal(2, report.Mends.Count);
    }

    [Fact(DisplayName =
        "[R4] a text too long for one chunk is split at sentences and words, and the lists that name it name its parts")]
    public async Task LongText()
    {
        var text = string.Join(' ', Enumerable.Range(0, 60).Select(number => $"It was the best of times, number {number}."));
        var (state, report) = await ImportAsync($$"""
            {"chunks": [{"id": "a", "text": "before", "parameters": { } }, {"id": "b", "text": "{{text}}",
            """ + """
             "parameters": {"seed": 7}, "mood": 1}, {"id": "z", "text": "after", "parameters": { } }],
             "sessions": [{"id": "s", "name": "n", "chunkIds": ["a", "b", "z"]}],
            """ + """
             "batchItems": [{"id": "i", "name": "n", "chunkIds": ["b"]}]}
            """);
        var parts = state.Chunks.Where(chunk => chunk.Id.StartsWith('b')).ToArray();
        Assert.Equal(text, string.Join(' ', parts.Select(part => part.Text)));
        Assert.All(parts, part => Assert.EndsWith(".", part.Text, StringComparison.Ordinal));
        Assert.All(parts, part => Assert.Equal(7, part.Parameters.Seed));
        Assert.Equal(["a", .. parts.Select(part => part.Id), "z"], state.Chunks.Select(chunk => chunk.Id));
        Assert.Equal(["a", .. parts.Select(part => part.Id), "z"], state.WorkSessions[0].ChunkIds);
        Assert.Equal(parts.Select(part => part.Id), state.BatchItems[0].ChunkIds);
        Assert.Equal($"split into {parts.Length} chunks", Assert.Single(report.Mends).Done);
    }

    [Fact(DisplayName = "[R4] a long text that has been spoken keeps its audio, and the whole of the text")]
    public async Task LongTextWithAudio()
    {
        var text = string.Concat(Enumerable.Repeat("😀 ", 240));
        var (state, _) = await ImportAsync(
            $$"""{"chunks": [{"id": "a", "text": "{{text}}", "status": "completed", "parameters": {}, "audioData": "UklG"}]}""");
        var chunk = Assert.Single(state.Chunks);
        Assert.NotNull(chunk.Audio);
        Assert.Equal(300, chunk.Text.EnumerateRunes().Count());
        Assert.Equal(text, chunk.Unknown!["originalText"].GetString());
    }

    [Theory(DisplayName = "[R4] a voice's recording becomes a clip, under whatever name the app has it")]
    [InlineData("audioData", "")]
    [InlineData("audioData", "data:audio/wav;base64,")]
    [InlineData("audioUrl", "data:audio/wav;base64,")]
    [InlineData("voiceReference", "data:audio/wav;base64,")]
    [InlineData("recording", "")]
    public async Task VoiceRecording(string member, string prefix)
    {
        var wav = Convert.ToBase64String([.. "RIFF"u8, 0, 0, 0, 0, .. "WAVE"u8, .. new byte[100]]);
        var (state, report) = await ImportAsync(
            $$"""{"savedVoices": [{"id": "v", "name": "n", "parameters": {}, "{{member}}": "{{prefix}}{{wav}}"}]}""");
        Assert.Equal(("audio/wav", 112L), (state.SavedVoices[0].Prompt!.MediaType, state.SavedVoices[0].Prompt!.Length));
        Assert.Null(state.SavedVoices[0].Unknown);
        Assert.Equal([state.SavedVoices[0].Prompt!.Hash], report.Clips);
        Assert.Empty(report.Mends);
    }

    [Fact(DisplayName = "[S5] [R4] of thirteen work sessions the newest ten stay, with their chunks, and the report says so")]
    public async Task ThirteenWorkSessions()
    {
        var sessions = string.Join(",",
            Enumerable.Range(0, 13)
                .Select(at => $$"""{"id": "s{{at}}", "name": "S{{at}}", "chunkIds": ["c{{at}}", "shared"] }"""));
        var chunks =
            string.Join(",", Enumerable.Range(0, 13).Select(at => $$"""{"id": "c{{at}}", "text": "t", "parameters": { } }"""));
        var (state, report) = await ImportAsync($$"""
            {"sessions": [{{sessions}}], "chunks": [{{chunks}}, {"id": "shared", "text": "t", "parameters": { } },
            """ + """
             {"id": "free", "text": "t", "parameters": { } }],
             "batchItems": [{"id": "b", "name": "n", "chunkIds": ["c1"]}]}
            """);
        Assert.Equal(Enumerable.Range(3, 10).Select(at => $"s{at}"), state.WorkSessions.Select(session => session.Id));
        Assert.Equal(["c1", .. Enumerable.Range(3, 10).Select(at => $"c{at}"), "shared", "free"],
            state.Chunks.Select(chunk => chunk.Id));
        Assert.Equal((10, 13), (report.WorkSessions, report.Chunks));
        Assert.Contains(
            "state.sessions: of 13 work sessions 10 stay, the newest and the one selected; left out: 'S0', 'S1', 'S2', with 2 "
            + "chunks that no other lists", report.Notes);
    }

    [Fact(DisplayName = "[I2] [R4] ids that cannot stay are changed in the lists that name them too")]
    public async Task Ids()
    {
        var (state, report) = await ImportAsync("""
            {"currentSessionId": 5, "sessions": [{"id": 5, "name": "n", "chunkIds": [7, "x ", "x"]}],
             "chunks": [{"id": 7, "text": "t", "parameters": {}}, {"id": "x ", "text": "u", "parameters": {}},
            """ + """
             {"id": "x", "text": "v", "parameters": {}},
                        {"id": "x", "text": "w", "parameters": {}}, {"id": "x", "text": "v", "parameters": {}}]}
            """);
        Assert.Equal(["7:t", "x-2:u", "x:v", "x-3:w"], state.Chunks.Select(chunk => $"{chunk.Id}:{chunk.Text}"));
        Assert.Equal(["7", "x-2", "x"], state.WorkSessions[0].ChunkIds);
        Assert.Equal("5", state.Preferences.CurrentSessionId);
        Assert.Contains(("state.chunks[4]", "left out"), report.Mends.Select(mend => (mend.Place, mend.Done)));
    }

    [Fact(DisplayName = "[X2] members that nobody knows are kept as far as there is room for them")]
    public async Task UnknownMembers()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"x\":", 100)) + "1" + new string('}', 100);
        var (state, report) = await ImportAsync($$"""
            {"chunks": [{"id": "a", "text": "t", "parameters": {}, "small": 1, "huge": "{{new string('y', 20_000)}}",
            """ + $$"""
             "deep": {{deep}} }]}
            """);
        Assert.Equal(["small"], state.Chunks[0].Unknown!.Keys);
        Assert.Equal(["state.chunks[0].deep", "state.chunks[0].huge"], report.Mends.Select(mend => mend.Place));
    }

    [Fact(DisplayName = "[X2] a document with more mistakes than a report can hold says how many more there are")]
    public async Task ManyMistakes()
    {
        var (state, report) =
            await ImportAsync($$"""{"chunks": [{{string.Join(",", Enumerable.Repeat("7", Limits.ImportMends + 5))}}]}""");
        Assert.Empty(state.Chunks);
        Assert.Equal((Limits.ImportMends, 5), (report.Mends.Count, report.MoreMends));
    }

    [Fact(DisplayName = "[R4] the report is JSON, and the command line counts what is alike")]
    public async Task Report()
    {
        var (state, report) = await ImportAsync("""
            {"chunks": [{"id": "a", "text": "t", "parameters": {}, "createdAt": null},
            """ + """
             {"id": "b", "text": "t", "parameters": {}, "createdAt": null}],
             "sessions": [{"id": "s", "name": " n", "createdAt": 1}]}
            """);
        var json = System.Text.Json.JsonSerializer.SerializeToNode(report, ChatterboxJson.Default.ImportReport)!;
        Assert.Equal("state.chunks[0].createdAt", json["mends"]![0]!["place"]!.GetValue<string>());
        var lines = Chatterbox.Cli.Backup.ImportCommand.Describe("f.json", state with { Chunks = [] }, report).ToArray();
        Assert.Contains("  would replace 1 workSessions", lines);
        Assert.Contains("  3 values mended or left out; --json lists them:", lines);
        Assert.Contains(lines, line =>
            line.StartsWith("    2 x state.chunks[].createdAt; the first: state.chunks[0].createdAt: must be ",
            StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("    state.sessions[0].name: must be 1 to 200 characters",
            StringComparison.Ordinal));
    }

    [Fact(DisplayName = "[X2] more missing clips than a state can refer to are refused")]
    public void Missing()
    {
        var missing = Enumerable.Repeat("hash", Limits.ImportClips + 1).ToValueList();
        var request = new ImportRequest(Encoding.UTF8.GetBytes("""{"chunks": []}"""), 1, DryRun: true, Missing: missing);
        Assert.Equal("missing", Grains.Tts.Import.ImportReader.Read(request, Documents.Migrations).Report.Refused!.Field);
    }

    private static async Task<(AppState State, ImportReport Report)> ImportAsync(string state)
    {
        var (taken, report) = await Documents.ImportAsync(Documents.Of($$"""{"state": {{state}}, "version": 1}"""));
        Assert.Null(report.Refused);
        return (taken!, report);
    }

    private static IEnumerable<string[]> Paths(JsonNode node, string[] path)
    {
        yield return path;
        var below = node switch
        {
            JsonObject members => members.SelectMany(member => Paths(member.Value!, [.. path, member.Key])),
            JsonArray items => items.SelectMany((item, at) => Paths(item!, [.. path, $"{at}"])),
            _ => [],
        };
        foreach (var each in below) yield return each;
    }

    // The value itself is put in as text afterwards: it may be none that can be a node.
    private static void Replace(JsonNode root, string[] path, string value)
    {
        var parent = path[..^1].Aggregate(root, (node, name) => node is JsonArray items ? items[int.Parse(name)]! : node[name]!);
        if (parent is JsonArray list) list[int.Parse(path[^1])] = "REPLACED";
        else if (value.Length == 0) parent.AsObject().Remove(path[^1]);
        else parent[path[^1]] = "REPLACED";
        if (parent is JsonArray && value.Length == 0) ((JsonArray)parent).RemoveAt(int.Parse(path[^1]));
    }
}
