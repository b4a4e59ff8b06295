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
    public void Gaps(params int[] versions) =>
        Assert.Throws<InvalidOperationException>(() => new MigrationChain(versions.Select(version => new Step(version, state => state))));

    [Fact(DisplayName = "[M1] steps run in order from the stored version on, whatever order they were registered in")]
    public void Steps_run_in_order()
    {
        var chain = new MigrationChain([
            new Step(1, state => Append(state, "b")), new Step(2, state => Append(state, "c")), new Step(0, state => Append(state, "a"))]);
        Assert.Equal(3, chain.CurrentVersion);
        Assert.Equal("abc", (string)chain.Migrate(Slice.Preferences, new JsonObject { ["log"] = "" }, 0)["log"]!);
        Assert.Equal("c", (string)chain.Migrate(Slice.Preferences, new JsonObject { ["log"] = "" }, 2)["log"]!);
        Assert.Equal("", (string)chain.Migrate(Slice.Preferences, new JsonObject { ["log"] = "" }, 3)["log"]!);
    }

    [Fact(DisplayName = "[M2] a step that throws, a version nobody knows, a state that is not there: each is an error of its own kind")]
    public void Failures()
    {
        var failing = new MigrationChain([new Step(0, _ => throw new FormatException("odd"))]);
        Assert.Throws<MigrationException>(() => failing.Migrate(Slice.Chunks, new JsonArray(), 0));
        Assert.Throws<MigrationException>(() => Chain.Migrate(Slice.Chunks, new JsonArray(), 2));
        Assert.Throws<MigrationException>(() => Chain.Migrate(Slice.Chunks, new JsonArray(), -1));
        Assert.Throws<MigrationException>(() => Chain.Migrate(Slice.Chunks, null, 0));
    }

    [Theory(DisplayName = "[M4] a slice of every released version loads")]
    [InlineData(0, """{"version":0,"revision":3,"applied":{"c":2},"state":{"useStreaming":true}}""")]
    [InlineData(1, """{"version":1,"revision":3,"applied":{"c":2},"state":{"engine":"chatterbox","parameters":{"temperature":0.8},"useStreaming":true}}""")]
    public void Released_versions_load(int version, string body)
    {
        var envelope = SliceEnvelope.Decode(SessionDriver.Owner, SliceDefinition.All[0], version, System.Text.Encoding.UTF8.GetBytes(body), Chain);
        Assert.Equal(Preferences.Default with { UseStreaming = true }, envelope.Value);
        Assert.Equal((3, 2), (envelope.Revision, envelope.Applied["c"]));
    }

    [Fact(DisplayName = "[P7] [P8] an envelope comes back as it was, with what each client has had applied")]
    public void Envelopes_round_trip()
    {
        var at = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var applied = AppliedMap.Empty.With("one", 5).With("two", 9).With("one", 6);
        foreach (var slice in SliceDefinition.All)
        {
            var frame = SliceFrame.Decode(new SliceEnvelope(42, applied, slice.Get(AppState.Initial), at).Encode(SessionDriver.Owner, slice, 1, 1024));
            var envelope = SliceEnvelope.Decode(SessionDriver.Owner, slice, frame.SchemaVersion, frame.Body.Span, Chain);
            Assert.Equal((42, 6, 9, 0), (envelope.Revision, envelope.Applied["one"], envelope.Applied["two"], envelope.Applied["three"]));
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

        public JsonNode Migrate(Slice slice, JsonNode state) => migrate(state);
    }
}
