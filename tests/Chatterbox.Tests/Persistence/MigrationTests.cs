using System.Text.Json.Nodes;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;

namespace Chatterbox.Tests.Persistence;

public sealed class MigrationTests
{
    private static readonly MigrationChain Chain = new([new DefaultEngineAndParameters()]);

    [Theory(DisplayName = "[M1] a chain with a gap or with two steps for a version is refused at the start")]
    [InlineData(0, 2)]
    [InlineData(0, 0)]
    [InlineData(1)]
    public void Gaps(params int[] versions) => Assert.Equal(
        $"Migrations start from versions {string.Join(", ", versions)}; needed is exactly one each from 0 on, without a gap.",
        Assert.Throws<InvalidOperationException>(() =>
            new MigrationChain(versions.Select(version => new Step(version, state => state)))).Message);

    [Fact(DisplayName = "[M1] steps run in order from the stored version on, whatever order they were registered in")]
    public void Steps_run_in_order()
    {
        var chain = new MigrationChain([
            new Step(1, state => Append(state, "b")), new Step(2, state => Append(state, "c")),
            new Step(0, state => Append(state, "a"))]);
        Assert.Equal(3, chain.CurrentVersion);
        Assert.Equal("abc", (string)chain.Migrate(TtsSlice.Preferences, new JsonObject { ["log"] = "" }, 0)["log"]!);
        Assert.Equal("c", (string)chain.Migrate(TtsSlice.Preferences, new JsonObject { ["log"] = "" }, 2)["log"]!);
        Assert.Equal("", (string)chain.Migrate(TtsSlice.Preferences, new JsonObject { ["log"] = "" }, 3)["log"]!);
    }

    [Fact(DisplayName =
        "[M2] a step that throws, a version nobody knows, a state that is not there: each is an error of its own kind")]
    public void Failures()
    {
        var failing = new MigrationChain([new Step(0, _ => throw new FormatException("odd"))]);
        AssertFails("The migration of chunks from version 0 to 1 failed: odd",
            () => failing.Migrate(TtsSlice.Chunks, new JsonArray(), 0));
        AssertFails("Version 2 is not between 0 and 1.", () => Chain.Migrate(TtsSlice.Chunks, new JsonArray(), 2));
        AssertFails("Version -1 is not between 0 and 1.", () => Chain.Migrate(TtsSlice.Chunks, new JsonArray(), -1));
        AssertFails("There is no state to migrate.", () => Chain.Migrate(TtsSlice.Chunks, null, 0));

        static void AssertFails(string message, Func<object> migrate) =>
            Assert.Equal(message, Assert.Throws<MigrationException>(migrate).Message);
    }

    [Fact(DisplayName = "[M1] what the first step adds are the model's defaults, and only where there is nothing")]
    public void First_step()
    {
        var step = new DefaultEngineAndParameters();
        Assert.Equal(
            """{"engine":"chatterbox","parameters":"""
            + """{"exaggeration":0.5,"cfgWeight":0.5,"temperature":0.8,"minP":0.05,"topP":1,"repetitionPenalty":1.2,"seed":0}}""",
            step.Migrate(TtsSlice.Preferences, new JsonObject()).ToJsonString());
        const string Whole = """{"engine":"turbo","parameters":{"topK":7}}""";
        Assert.Equal(Whole, step.Migrate(TtsSlice.Preferences, JsonNode.Parse(Whole)!).ToJsonString());
        Assert.Equal("[]", step.Migrate(TtsSlice.Chunks, new JsonArray()).ToJsonString());
    }

    [Fact(DisplayName = "[P7] an envelope is the JSON that was released")]
    public void Envelope_json()
    {
        var at = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var envelope = new SliceEnvelope(42,
            AppliedMap.Empty.With(new AppliedEntry("one", 5, 20_455)).With(new AppliedEntry("two", 6, 20_456, HasLeft: true)),
            TtsApp.Chunks.Get(AppState.Initial), at);
        Assert.Equal(
            """{"of":"alice/app-state/chunks","version":1,"revision":42,"savedAt":"2026-01-02T03:04:05+00:00","applied":{"one":"""
            + """[5,20455],"two":[6,20456,1]},"state":[]}""",
            System.Text.Encoding.UTF8.GetString(
                SliceFrame.Decode(envelope.Encode(SessionDriver.Owner, TtsApp.Chunks,
                    1, 1024)).Body.Span));
        // With what the buffer of the last one held behind it.
        Assert.Equal("""{"of":"alice/app-state/chunks","version":1,"revision":1,"applied":{}}""",
            System.Text.Encoding.UTF8.GetString(SliceFrame.Decode(new SliceEnvelope(1, AppliedMap.Empty, null)
                .Encode(SessionDriver.Owner, TtsApp.Chunks, 1, 1024)).Body.Span));
    }

    [Theory(DisplayName = "[M2] what is no envelope says what is wrong with it")]
    [InlineData("[]", "StartObject is expected.")]
    [InlineData("7", "StartObject is expected.")]
    [InlineData("""{"revision":-1}""", "The revision is not a whole number.")]
    [InlineData("""{"revision":1.5}""", "The revision is not a whole number.")]
    [InlineData("""{"revision":"1"}""", "The revision is not a whole number.")]
    [InlineData("""{"applied":{},"state":[]}""", "It is no envelope: it has no revision.")]
    [InlineData("""{"revision":1,"applied":7}""", "'applied' is not an object.")]
    [InlineData("""{"revision":1,"applied":{"c":"x"}}""", "An entry of 'applied' is not a sequence and a day.")]
    [InlineData("""{"revision":1,"applied":{"c":1.5}}""", "An entry of 'applied' is not a sequence and a day.")]
    [InlineData("""{"revision":1,"applied":{"c":[]}}""", "An entry of 'applied' is not a sequence and a day.")]
    [InlineData("""{"revision":1,"applied":{"c":[1]}}""", "An entry of 'applied' is not a sequence and a day.")]
    [InlineData("""{"revision":1,"applied":{"c":[1,2,3,4]}}""", "An entry of 'applied' is not a sequence and a day.")]
    [InlineData("""{"revision":1,"applied":{"c":[1,-2]}}""", "An entry of 'applied' is not a sequence and a day.")]
    [InlineData("""{"revision":1,"applied":{"c":[1,"x"]}}""", "An entry of 'applied' is not a sequence and a day.")]
    [InlineData("""{"of":"bob/app-state/chunks","revision":1}""", "It is the content of another row.")]
    [InlineData("""{"revision":1,"state":null}""", "The chunks are null.")]
    [InlineData("""{"revision":1,"state":[{"id":"c","text":"t","parameters":{}},{"id":"c","text":"t","parameters":{}}]}""",
        "id: must be unique, was 'c'")]
    public void No_envelope(string body, string message) =>
        Assert.Equal(message, Assert.ThrowsAny<System.Text.Json.JsonException>(() =>
            SliceEnvelope.Decode(SessionDriver.Owner, TtsApp.Chunks, 1,
                System.Text.Encoding.UTF8.GetBytes(body), Chain)).Message);

    [Fact(DisplayName = "[P8] a slice of before the first change is one")]
    public void Revision_zero()
    {
        var envelope = SliceEnvelope.Decode(SessionDriver.Owner, TtsApp.Chunks, 1,
            """{"revision":0,"later":{"a":[1]},"state":[]}"""u8, Chain);
        Assert.Equal(0, envelope.Revision);
        Assert.NotNull(envelope.Value);
    }

    [Theory(DisplayName = "[M4] a slice of every released version loads")]
    [InlineData(0, """{"version":0,"revision":3,"applied":{"c":2},"state":{"useStreaming":true}}""")]
    [InlineData(1,
        """{"version":1,"revision":3,"applied":{"c":2},"state":{"engine":"chatterbox","parameters":"""
        + """{"temperature":0.8},"useStreaming":true}}""")]
    public void Released_versions_load(int version, string body)
    {
        var envelope = SliceEnvelope.Decode(SessionDriver.Owner, TtsApp.Instance.Stored[0], version,
            System.Text.Encoding.UTF8.GetBytes(body), Chain);
        Assert.Equal(Preferences.Default with { UseStreaming = true }, envelope.Value);
        Assert.Equal((3, 2), (envelope.Revision, envelope.Applied["c"]));
    }

    [Fact(DisplayName = "[P7] [P8] an envelope comes back as it was, with what each client has had applied")]
    public void Envelopes_round_trip()
    {
        var at = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var applied = AppliedMap.Empty.With(new AppliedEntry("one", 5, 1)).With(new AppliedEntry("two", 9, 2))
            .With(new AppliedEntry("one", 6, 3, HasLeft: true));
        foreach (var slice in TtsApp.Instance.Stored)
        {
            var frame = SliceFrame.Decode(new SliceEnvelope(42, applied, slice.Get(AppState.Initial), at)
                .Encode(SessionDriver.Owner, slice, 1, 1024));
            var envelope = SliceEnvelope.Decode(SessionDriver.Owner, slice, frame.SchemaVersion, frame.Body.Span, Chain);
            Assert.Equal((42, 6, 9, 0),
                (envelope.Revision, envelope.Applied["one"], envelope.Applied["two"], envelope.Applied["three"]));
            Assert.Equal(applied, envelope.Applied);
            Assert.Equal(slice.Get(AppState.Initial), envelope.Value);
            Assert.Equal(at, envelope.SavedAt);
        }
    }

    private static JsonNode Append(JsonNode state, string text)
    {
        state["log"] = (string)state["log"]! + text;
        return state;
    }

    private sealed class Step(int from, Func<JsonNode, JsonNode> migrate) : ISliceMigration
    {
        public int FromVersion => from;

        public JsonNode Migrate(string slice, JsonNode state) => migrate(state);
    }
}
