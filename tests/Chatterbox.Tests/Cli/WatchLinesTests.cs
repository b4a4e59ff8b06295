using Chatterbox.Cli.Connection;
using Chatterbox.Cli.State;
using Chatterbox.Client;

namespace Chatterbox.Tests.Cli;

public sealed class WatchLinesTests
{
    private static readonly AppStateChange Warmer = new UpdateParameters(TtsEngine.Chatterbox, new() { Temperature = 0.9 });
    private static readonly AppState Warm = AppStateReducer.Apply(AppState.Initial, Warmer).State;

    [Fact(DisplayName = "[F2] watching prints the state once and then each change")]
    public void Changes()
    {
        var lines = new ChangeLines();
        Assert.StartsWith("""{"revision":3,"state":{"preferences":""",
            Assert.Single(lines.Of(Update(AppState.Initial, 3))), StringComparison.Ordinal);
        Assert.Equal(
            """{"revision":4,"client":"me","change":{"type":"updateParameters","engine":"chatterbox","patch":"""
            + """{"temperature":0.9}}}""",
            Assert.Single(lines.Of(Update(Warm, 4, new AppliedChange(4, "me", 1, Warmer)))));
    }

    [Fact(DisplayName = "[F3] after a snapshot there is a line only when something is another")]
    public void Snapshot()
    {
        var lines = new ChangeLines();
        Assert.Single(lines.Of(Update(AppState.Initial, 3)));
        Assert.Empty(lines.Of(Update(AppState.Initial with { }, 3)));
        Assert.StartsWith("""{"revision":9,"state":""", Assert.Single(lines.Of(Update(Warm, 9))), StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[F2] watching a path prints its value, and again only when it is another")]
    public void Values()
    {
        var lines = new ValueLines(new StatePath("preferences.parameters.temperature"));
        Assert.Equal("""{"revision":3,"path":"preferences.parameters.temperature","value":0.8}""",
            Assert.Single(lines.Of(Update(AppState.Initial, 3))));
        Assert.Empty(lines.Of(Update(AppState.Initial with { Runtime = new() { IsGenerating = true } }, 4)));
        Assert.Equal("""{"revision":5,"path":"preferences.parameters.temperature","value":0.9}""",
            Assert.Single(lines.Of(Update(Warm, 5))));
    }

    [Fact(DisplayName = "[F2] a watched item that is removed becomes null; one that never was is refused")]
    public void Removed()
    {
        var state = AppState.Initial with { Chunks = [new() { Id = "c1", Text = "One", Parameters = new() }] };
        var lines = new ValueLines(new StatePath("chunks.c1.text"));
        Assert.Single(lines.Of(Update(state, 1)));
        Assert.Equal("""{"revision":2,"path":"chunks.c1.text","value":null}""",
            Assert.Single(lines.Of(Update(AppState.Initial, 2))));
        Assert.Throws<WrongRequestException>(() => new ValueLines(new StatePath("chunks.c2")).Of(Update(state, 1)).ToArray());
    }

    private static StoreUpdate Update(AppState confirmed, long revision, params AppliedChange[] changes) =>
        new(confirmed, revision, changes, confirmed);
}
