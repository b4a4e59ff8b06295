using Chatterbox.Cli.Connection;
using Chatterbox.Cli.State;

namespace Chatterbox.Tests.Cli;

public sealed class StatePathTests
{
    private static readonly AppState State = AppState.Initial with
    {
        Chunks =
        [
            new() { Id = "c1", Text = "One", Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox) },
            new() { Id = "a.b", Text = "Dotted", Parameters = new() },
            new() { Id = "0", Text = "Zero", Parameters = new() },
        ],
    };

    [Theory(DisplayName = "[S1] a path leads to members by name, and to items by id or index")]
    [InlineData("preferences.parameters.temperature", "0.8")]
    [InlineData("preferences.parameters.cfg_weight", "0.5")]
    [InlineData("preferences.parameters.cfgWeight", "0.5")]
    [InlineData("preferences.engine", "\"chatterbox\"")]
    [InlineData("chunks.c1.text", "\"One\"")]
    [InlineData("chunks.1.text", "\"Dotted\"")]
    [InlineData("chunks.a.b.text", "\"Dotted\"")]
    [InlineData("chunks.0.text", "\"Zero\"")]
    [InlineData("batchItems", "[]")]
    [InlineData("runtime.isGenerating", "false")]
    public void Found(string path, string json) => Assert.Equal(json, new StatePath(path).Find(State).GetRawText());

    [Theory(DisplayName = "[S1] a member that holds nothing is null, not unknown")]
    [InlineData("preferences.currentSessionId")]
    [InlineData("preferences.parameters.top_k")]
    [InlineData("chunks.c1.audio")]
    public void HoldsNothing(string path) => Assert.Equal("null", new StatePath(path).Find(State).GetRawText());

    [Theory(DisplayName = "[X2] an unknown path says which segment failed and what is there")]
    [InlineData("nope",
        "nothing is called 'nope' in the state; there is: preferences, workSessions, savedVoices, chunks, batchItems, runtime")]
    [InlineData("preferences.nope.x", "nothing is called 'nope' in preferences; there is: engine, ")]
    [InlineData("chunks.c9", "nothing is called 'c9' in chunks; there are the items 0 to 2, or by id: c1, a.b, 0")]
    [InlineData("chunks.3", "nothing is called '3' in chunks")]
    [InlineData("chunks.-1", "nothing is called '-1' in chunks")]
    [InlineData("batchItems.0", "nothing is called '0' in batchItems; there is an empty list")]
    [InlineData("preferences.engine.x", "nothing is called 'x' in preferences.engine; there is a value")]
    [InlineData("", "nothing is called '' in the state")]
    [InlineData("preferences..engine", "nothing is called '' in preferences")]
    public void Unknown(string path, string says) =>
        Assert.Contains(says, Assert.Throws<WrongRequestException>(() => new StatePath(path).Find(State)).Message,
            StringComparison.Ordinal);
}
