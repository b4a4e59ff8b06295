using System.Text.Json;
using Chatterbox.Cli;
using Chatterbox.Cli.Connection;
using Chatterbox.Cli.Work;

namespace Chatterbox.Tests.Cli;

public sealed class JsonOutputTests
{
    // Those that print nothing, or bytes of their own.
    private static readonly string[] WithoutTable =
        ["set", "patch", "use", "rm", "complete", "audio", "export", "flush", "rehydrate", "clear", "show", "restore", "drop",
            "recover",
            "drain"];

    [Fact(DisplayName = "[X2] every verb that prints a table, an id or a state takes --json")]
    public void Every_verb()
    {
        var verbs = Leaves(ChatterboxVerbs.Root()).ToArray();
        Assert.Contains(verbs, verb => verb.Name == "list");
        // The history's own verbs bring their option along.
        Assert.All(
            verbs.Where(verb => !WithoutTable.Contains(verb.Name) && verb.Parents.All(parent => parent.Name is not "history")),
            verb => Assert.Contains(verb.Options, option => option.Name == "--json"));
    }

    [Fact(DisplayName = "[X2] JSON output is camel case and keeps text legible")]
    public void Camel_case()
    {
        var output = new StringWriter();
        output.WriteJson([Samples.Chunk("c1", "Über 😀")], TtsJson.Default.ValueListChunk);
        using var json = JsonDocument.Parse(output.ToString());
        var chunk = Assert.Single(json.RootElement.EnumerateArray());
        Assert.Equal("Über 😀", chunk.GetProperty("text").GetString());
        Assert.All(chunk.EnumerateObject(), member => Assert.True(char.IsAsciiLetterLower(member.Name[0]), member.Name));
        Assert.Contains("Über", output.ToString(), StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[X2] an id is printed as a line, or as an object in one line")]
    public void Ids()
    {
        Assert.Equal("c\"1", Printed(asJson: false));
        Assert.Equal("""{"id":"c\"1"}""", Printed(asJson: true));

        static string Printed(bool asJson)
        {
            var output = new StringWriter();
            output.WriteId("c\"1", asJson);
            return output.ToString().TrimEnd();
        }
    }

    [Fact(DisplayName = "[X2] a table has one line for each item, whatever its text, and is cut between characters")]
    public void Table()
    {
        var lines = ItemList.Lines(
            [Samples.Chunk("c1", "one\r\ntwo\tthree"), Samples.Chunk("chunk-2", new string('a', 58) + "😀😀")],
            [("id", chunk => chunk.Id), ("text", chunk => chunk.Text)]);
        Assert.Equal(["id       text", "c1       one two three", $"chunk-2  {new string('a', 58)}…"], lines);
        Assert.Equal(["id  text"],
            ItemList.Lines(Array.Empty<Chunk>(), [("id", chunk => chunk.Id), ("text", chunk => chunk.Text)]));
    }

    private static IEnumerable<System.CommandLine.Command> Leaves(System.CommandLine.Command command) =>
        command.Subcommands.Count == 0 ? [command] : command.Subcommands.SelectMany(Leaves);
}
