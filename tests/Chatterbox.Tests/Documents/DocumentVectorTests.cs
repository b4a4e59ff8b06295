using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Chatterbox.Tests.Contracts;

namespace Chatterbox.Tests.Documents;

/// <summary>
/// The npm package has this reducer in TypeScript: replayed there. With <c>CHATTERBOX_WRITE_VECTORS=1</c> this test writes them.
/// </summary>
public sealed class DocumentVectorTests
{
    private const int Seed = 7396;
    private const int Sequences = 150;
    private const int Steps = 12;

    private static readonly string[] Keys =
        ["k", "", "__proto__", "constructor", "é", "e\u0301", "1", "toString", "settings"];

    private static readonly string[] Values =
    [
        "null", "true", "1", "-0", "1.5e3", "\"text \\\"é\\\" \u2028\"", "[]", "[1,{\"a\":null}]", "{}", "{\"a\":1}",
            "{\"b\":{\"c\":2}}",
        "{\"a\":null}", "{\"b\":{\"c\":null,\"d\":[3]}}", "{\"__proto__\":{\"x\":1}}", "{\"\":0,\"a\":{\"b\":null}}",
    ];

    private static readonly string File =
        Path.Combine(SourceTests.Root, "web", "client", "test", "vectors", "documents.jsonl");

    [Fact(DisplayName = "[W4] [G2] the vectors that hold the TypeScript reducer of documents are those of this code")]
    public void Vectors_are_current()
    {
        var text = string.Concat(Lines().Select(line => line + "\n"));
        if (Environment.GetEnvironmentVariable("CHATTERBOX_WRITE_VECTORS") == "1") System.IO.File.WriteAllText(File, text);
        Assert.True(text == System.IO.File.ReadAllText(File),
            $"{File} is stale: write it with CHATTERBOX_WRITE_VECTORS=1, then run the tests in web/.");
    }

    private static IEnumerable<string> Lines()
    {
        var file = System.IO.File.ReadAllText(Path.Combine(SourceTests.Root, "tests", "fixtures", "merge-patch.json"));
        foreach (var line in JsonSerializer.Deserialize<string[][]>(file)!)
        {
            yield return Sequence([new SetKey("k", DocumentTests.Value(line[0])),
                new MergePatchKey("k", DocumentTests.Value(line[1]))]);
        }
        yield return Sequence([new SetKey(new('x', DocumentLimits.KeyLength + 1), DocumentTests.Value("1")),
            new RemoveKey("none")]);
        var random = new Random(Seed);
        for (var number = 0; number < Sequences; number++)
            yield return Sequence(Enumerable.Range(0, Steps).Select(_ => Any(random)));
    }

    private static DocumentChange Any(Random random)
    {
        var (key, value) = (Keys[random.Next(Keys.Length)], DocumentTests.Value(Values[random.Next(Values.Length)]));
        return random.Next(5) switch
        {
            0 => new RemoveKey(key),
            1 or 2 => new SetKey(key, value),
            _ => new MergePatchKey(key, value),
        };
    }

    private static string Sequence(IEnumerable<DocumentChange> changes)
    {
        var (state, steps) = (DocumentState.Initial, new JsonArray());
        foreach (var change in changes)
        {
            var (after, rejection) = DocumentApp.Instance.Apply(state, change);
            var step = new JsonObject
            {
                ["change"] = JsonNode.Parse(DocumentApp.Instance.ToJson(change).GetRawText()), ["slice"] = change.Slice.Name,
            };
            if (rejection is not null) step["rejection"] = rejection.Message;
            step["state"] = JsonNode.Parse(DocumentApp.Instance.ToJson(after).GetRawText());
            steps.Add(step);
            state = (DocumentState)after;
        }
        return steps.ToJsonString(new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }
}
