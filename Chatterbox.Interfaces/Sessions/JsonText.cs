using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Chatterbox;

/// <summary>Reads foreign JSON without an exception for anything valid by JSON's grammar.</summary>
internal static partial class JsonText
{
    /// <summary>The deepest nesting of a foreign document.</summary>
    public const int MaxDepth = 256;

    /// <summary>Whether two values are the same JSON. Numbers are compared by their text: no exponent is too large for
    /// that.</summary>
    public static bool AreEqual(JsonElement one, JsonElement other)
    {
        if (one.ValueKind != other.ValueKind) return false;
        switch (one.ValueKind)
        {
            case JsonValueKind.Number:
                return JsonMarshal.GetRawUtf8Value(one).SequenceEqual(JsonMarshal.GetRawUtf8Value(other));
            case JsonValueKind.String:
                return TextOf(one) == TextOf(other);
            case JsonValueKind.Array:
                return one.GetArrayLength() == other.GetArrayLength()
                    && one.EnumerateArray().Zip(other.EnumerateArray()).All(pair => AreEqual(pair.First, pair.Second));
            case JsonValueKind.Object:
                var (members, others) = (Members(one), Members(other));
                return members.Length == others.Length
                    && members.Zip(others).All(pair => pair.First.Name == pair.Second.Name && AreEqual(pair.First.Value,
                        pair.Second.Value));
            default:
                return true;
        }
    }

    /// <summary>
    /// Whether every text in a value, including member names, is valid Unicode: only that can be written as JSON again.
    /// </summary>
    public static bool IsWellFormed(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => TryGetText(value) is not null,
        JsonValueKind.Array => value.EnumerateArray().All(IsWellFormed),
        JsonValueKind.Object => value.EnumerateObject().All(member => TryGetName(member) is not null
            && IsWellFormed(member.Value)),
        _ => true,
    };

    /// <summary>A string with invalid Unicode replaced by U+FFFD.</summary>
    public static string TextOf(JsonElement value) =>
        TryGetText(value) ?? Repair(JsonMarshal.GetRawUtf8Value(value)[1..^1]);

    public static string NameOf(JsonProperty member) =>
        TryGetName(member) ?? Repair(JsonMarshal.GetRawUtf8PropertyName(member));

    /// <summary>A string or a name, with the same repair.</summary>
    public static string TextOf(ref Utf8JsonReader reader, out bool isRepaired)
    {
        try
        {
            isRepaired = false;
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            isRepaired = true;
            return Repair(reader.ValueSpan);
        }
    }

    /// <summary>A value as nodes. Invalid Unicode is replaced; of duplicate members the last one wins.</summary>
    /// <param name="path">Where the value is.</param>
    /// <param name="onRepair">Called for each repair with its place, the fault and the repair.</param>
    public static JsonNode? ToNode(JsonElement value, string path, Action<string, string, string> onRepair)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var members = new JsonObject();
                foreach (var member in value.EnumerateObject())
                {
                    var name = NameOf(member);
                    var place = path.Length == 0 ? name : $"{path}.{name}";
                    if (TryGetName(member) is null) onRepair(place, "a name that is no valid Unicode", "replaced by U+FFFD");
                    if (members.Remove(name)) onRepair(place, "a name used twice in one object", "the last value is taken");
                    members.Add(name, ToNode(member.Value, place, onRepair));
                }
                return members;
            case JsonValueKind.Array:
                var items = new JsonArray();
                foreach (var item in value.EnumerateArray()) items.Add(ToNode(item, $"{path}[{items.Count}]", onRepair));
                return items;
            case JsonValueKind.String when TryGetText(value) is null:
                onRepair(path, "text that is no valid Unicode", "replaced by U+FFFD");
                return JsonValue.Create(TextOf(value));
            case JsonValueKind.String:
                return JsonValue.Create(value.GetString());
            case JsonValueKind.Null:
                return null;
            default:
                return JsonValue.Create(value.Clone());
        }
    }

    private static (string Name, JsonElement Value)[] Members(JsonElement value) =>
        [.. value.EnumerateObject().Select(member => (NameOf(member), member.Value))
            .OrderBy(member => member.Item1, StringComparer.Ordinal)];

    private static string? TryGetText(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    public static bool IsNameWellFormed(JsonProperty member) => TryGetName(member) is not null;

    private static string? TryGetName(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    // Decoding replaces bytes that are not UTF-8; enumerating runes replaces lone surrogates.
    private static string Repair(ReadOnlySpan<byte> escaped)
    {
        var text = Escape().Replace(Encoding.UTF8.GetString(escaped), match => match.Value[1] switch
        {
            'u' => $"{(char)Convert.ToUInt16(match.Value[2..], 16)}",
            'b' => "\b",
            'f' => "\f",
            'n' => "\n",
            'r' => "\r",
            't' => "\t",
            var itself => $"{itself}",
        });
        return string.Concat(text.EnumerateRunes());
    }

    [GeneratedRegex(@"\\(u[0-9a-fA-F]{4}|.)", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Escape();
}
