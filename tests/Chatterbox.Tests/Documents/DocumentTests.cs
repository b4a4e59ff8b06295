using System.Text.Json;
using Chatterbox.Tests.Contracts;
using CsCheck;

namespace Chatterbox.Tests.Documents;

public sealed class DocumentTests
{
    private static readonly DocumentState Empty = DocumentState.Initial;

    /// <summary>RFC 7396, appendix A: target, patch, result.</summary>
    public static TheoryData<string, string, string> Rfc7396
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            var file = File.ReadAllText(Path.Combine(SourceTests.Root, "tests", "fixtures", "merge-patch.json"));
            foreach (var line in JsonSerializer.Deserialize<string[][]>(file)!) data.Add(line[0], line[1], line[2]);
            return data;
        }
    }

    [Theory(DisplayName = "[G2] a key is merge-patched as RFC 7396 has it: its own examples")]
    [MemberData(nameof(Rfc7396))]
    public void Merge_patch(string target, string patch, string result)
    {
        var state = Apply(Empty, new SetKey("k", Value(target)), new MergePatchKey("k", Value(patch)));

        Assert.Equal(result, state.Find("k")!.ToString());
        Assert.Same(state, Apply(state, new MergePatchKey("k", Value(patch))));
    }

    [Theory(DisplayName = "[G2] [M3] what JSON went in comes out: numbers, names and their order as they were written")]
    [InlineData("1e400")]
    [InlineData("-0")]
    [InlineData("9007199254740993")]
    [InlineData("1.10")]
    [InlineData("1E+2")]
    [InlineData("0.1000000000000000055511151231257827")]
    [InlineData("""{"z":1,"a":[null,true,"é\\\"<"],"":{"__proto__":2}}""")]
    public void As_written(string json)
    {
        var state = Apply(Empty, new SetKey("k", Value(json)), new MergePatchKey("k2", Value($$"""{"in":{{json}}}""")));

        Assert.Equal(json, state.Find("k")!.ToString());
        Assert.Equal($$"""{"in":{{json}}}""", state.Find("k2")!.ToString());
        // Untouched by a patch beside it.
        state = Apply(state, new MergePatchKey("k2", Value("""{"other":1}""")));
        Assert.Equal($$"""{"in":{{json}},"other":1}""", state.Find("k2")!.ToString());
        foreach (var slice in DocumentApp.Instance.Slices)
        {
            var row = new ArrayBufferWriterOf(json => slice.Write(json, slice.Get(state)));
            var reader = new Utf8JsonReader(row.Bytes);
            reader.Read();
            Assert.Equal(slice.Get(state), slice.Read(ref reader));
        }
    }

    [Fact(DisplayName = "[G2] white space around JSON is no part of a value: two spellings of it are one value")]
    public void White_space() => Assert.Equal(Value("""{"a":[1,2]}"""), Value(" { \"a\" : [ 1 ,\n 2 ] } "));

    [Fact(DisplayName = "[G2] no key is special: __proto__, the empty one and look-alikes are keys like others")]
    public void Keys()
    {
        // é composed and decomposed, Latin and Cyrillic a, with and without a blank: compared by code point.
        string[] keys = ["__proto__", "constructor", "", " ", "a", "а", "A", "\u00e9", "e\u0301", "toString", "\0", "\u202ea"];
        var state = Apply(Empty, [.. keys.Select((key, index) => new SetKey(key, Value($"{index}")))]);

        Assert.Equal(keys.Length, state.Count);
        Assert.All(keys.Index(), each => Assert.Equal($"{each.Index}", state.Find(each.Item)!.ToString()));
        var restored = JsonSerializer.Deserialize(JsonSerializer.Serialize(state, DocumentJson.Default.DocumentState),
            DocumentJson.Default.DocumentState);
        Assert.Equal(state, restored);
        Assert.Equal(Empty, Apply(state, [.. keys.Select(key => new RemoveKey(key))]));
    }

    public static TheoryData<string, DocumentChange> Refused => new()
    {
        { "key: must be at most 1024 characters, was", new SetKey(new('k', 10 * 1024), Value("1")) },
        { "key: must be valid Unicode, was", new SetKey("\ud800", Value("1")) },
        { "key: must be valid Unicode, was missing", new RemoveKey(null!) },
        { "value: must be JSON, was missing", new SetKey("k", null!) },
        { "value: must be at most 1048576 bytes of JSON, was 1048578 bytes",
            new SetKey("k", Value($"\"{new string('x', 1 << 20)}\"")) },
        { "patch: must be at most 1048576 bytes of JSON", new MergePatchKey("k", Value($"\"{new string('x', 1 << 20)}\"")) },
    };

    [Theory(DisplayName = "[G2] [X2] a key or value over a limit is refused with what is allowed, and nothing changes")]
    [MemberData(nameof(Refused))]
    public void Limits_of_keys_and_values(string says, DocumentChange change)
    {
        var (state, rejection) = DocumentApp.Instance.Apply(Empty, change);

        Assert.Same(Empty, state);
        Assert.StartsWith(says, rejection!.Message, StringComparison.Ordinal);
    }

    [Theory(DisplayName = "[G2] [X2] what is no JSON, too deep, ambiguous or no Unicode is no value")]
    [InlineData("{", "JSON")]
    [InlineData("NaN", "JSON")]
    [InlineData("1 2", "JSON")]
    [InlineData("""{"a":1,"a":2}""", "JSON in which an object has each name once")]
    [InlineData("""{"a":[{"b":1,"b":2}]}""", "JSON in which an object has each name once")]
    [InlineData("\"\\ud800\"", "JSON of valid Unicode")]
    [InlineData("{\"\\udc00\":1}", "JSON of valid Unicode")]
    public void No_value(string json, string allowed) =>
        Assert.StartsWith($"value: must be {allowed}, was", Assert.Throws<ArgumentException>(() => Value(json)).Message,
            StringComparison.Ordinal);

    [Fact(DisplayName = "[G2] [X2] a value may be nested as deep as the limit and no deeper")]
    public void Depth()
    {
        Assert.NotNull(Value(new string('[', DocumentLimits.Depth) + new string(']', DocumentLimits.Depth)));
        var error = Assert.Throws<ArgumentException>(() =>
            Value(new string('[', DocumentLimits.Depth + 1) + new string(']', DocumentLimits.Depth + 1)));
        Assert.Equal("value: must be JSON of at most 32 levels, was nested deeper", error.Message);
    }

    [Fact(DisplayName = "[G2] [X2] a document that is full takes changes of what it holds, and no new key")]
    public void Full()
    {
        var full = new DocumentState
        {
            Keys = Enumerable.Range(0, DocumentLimits.Keys).Select(number => new DocumentEntry($"{number}", Value("1")))
                .ToValueList(),
        };

        Assert.Equal("keys: must be at most 10000, was 10001",
            DocumentApp.Instance.Apply(full, new SetKey("new", Value("1"))).Rejection!.Message);
        Assert.Null(DocumentApp.Instance.Apply(full, new SetKey("7", Value("2"))).Rejection);
    }

    [Fact(DisplayName = "[G2] the row of a key is for ever the same")]
    public void Parts() => Assert.Equal([5, 4, 27, 0],
        new[] { "", "a", "__proto__", "settings" }.Select(DocumentApp.PartOf));

    [Fact(DisplayName = "[G2] [S4] any changes in any order: each key is what they say, also through JSON")]
    public void Any_changes() => Gen.Select(Gen.Int[0, 2], Gen.Int[0, 5], AnyJson).Array[0, 40].Sample(steps =>
    {
        var (state, model) = (Empty, new Dictionary<string, string>());
        foreach (var (kind, number, json) in steps)
        {
            var key = $"k{number}";
            state = Apply(state, kind switch
            {
                0 => new SetKey(key, Value(json)),
                1 => new MergePatchKey(key, Value(json)),
                _ => new RemoveKey(key),
            });
            if (kind == 0) model[key] = json;
            else if (kind == 2) model.Remove(key);
            else model[key] = DocumentValue.Merge(model.TryGetValue(key, out var before) ? Value(before) : null, Value(json))
                .ToString();
        }
        Assert.Equal(model.OrderBy(each => each.Key, StringComparer.Ordinal).Select(each => (each.Key, each.Value)),
            state.Keys.Select(entry => (entry.Key, entry.Value.ToString())));
        Assert.Equal(state, JsonSerializer.Deserialize(
            JsonSerializer.Serialize(state, DocumentJson.Default.DocumentState), DocumentJson.Default.DocumentState));
    });

    internal static Gen<string> AnyJson { get; } = Gen.OneOfConst(
        "null", "true", "1", "-0", "1e400", "\"text\"", "[]", "[1,{\"a\":null}]", "{}", "{\"a\":1}", "{\"b\":{\"c\":2}}",
        "{\"a\":null}", "{\"b\":{\"c\":null,\"d\":[3]}}", "{\"__proto__\":{\"x\":1}}", "{\"\":0}");

    internal static DocumentValue Value(string json) => DocumentValue.Parse(json);

    internal static DocumentState Apply(DocumentState state, params DocumentChange[] changes) =>
        changes.Aggregate(state, (sum, change) =>
        {
            var (after, rejection) = DocumentApp.Instance.Apply(sum, change);
            Assert.Null(rejection);
            return (DocumentState)after;
        });

    private sealed class ArrayBufferWriterOf
    {
        private readonly System.Buffers.ArrayBufferWriter<byte> _bytes = new();

        public ArrayBufferWriterOf(Action<Utf8JsonWriter> write)
        {
            using var json = new Utf8JsonWriter(_bytes);
            write(json);
        }

        public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;
    }
}
