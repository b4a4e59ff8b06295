using System.Globalization;
using System.Text.Json;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.State;

/// <summary>
/// A place in the state: <c>preferences.parameters.temperature</c>, <c>chunks.c1.text</c>. Items of a list by id, or by index
/// where no item has that id; members by their name in JSON or the model's own (<c>cfg_weight</c>).
/// </summary>
internal sealed class StatePath
{
    private const int ShownNames = 20;

    private readonly string[] _segments;

    public StatePath(string text) => (Text, _segments) = (text, text.Split('.'));

    public string Text { get; }

    /// <exception cref="WrongRequestException">The path does not exist; the message names the failed segment and what exists
    /// there.</exception>
    public JsonElement Find(SessionState state) =>
        TryFind(state.App.ToJson(state), out var value, out _)
            || TryFind(state.App.ToJson(state, withNulls: true), out value, out var failure)
            ? value
            : throw new WrongRequestException(failure!);

    /// <summary>Null if the path does not exist, as after its item was removed.</summary>
    public JsonElement? FindOrNull(SessionState state)
    {
        try
        {
            return Find(state);
        }
        catch (WrongRequestException)
        {
            return null;
        }
    }

    private bool TryFind(JsonElement root, out JsonElement value, out string? failure)
    {
        (value, failure) = (root, null);
        for (var at = 0; at < _segments.Length;)
        {
            var taken = Step(ref value, at);
            if (taken == 0)
            {
                failure = Explain(at, value);
                return false;
            }
            at += taken;
        }
        return true;
    }

    /// <summary>Goes one step down and returns the number of segments used: an id may contain dots.</summary>
    private int Step(ref JsonElement value, int at)
    {
        if (value.ValueKind == JsonValueKind.Object)
        {
            return value.TryGetProperty(_segments[at], out var member)
                || value.TryGetProperty(ModelName.ToCamelCase(_segments[at]), out member)
                ? Take(out value, member, 1)
                : 0;
        }
        if (value.ValueKind != JsonValueKind.Array) return 0;
        for (var count = 1; at + count <= _segments.Length; count++)
        {
            var id = string.Join('.', _segments, at, count);
            foreach (var item in value.EnumerateArray())
            {
                if (IdOf(item) == id) return Take(out value, item, count);
            }
        }
        return int.TryParse(_segments[at], NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && index < value.GetArrayLength()
            ? Take(out value, value[index], 1)
            : 0;
    }

    private static int Take(out JsonElement value, JsonElement found, int segments)
    {
        value = found;
        return segments;
    }

    private string Explain(int at, JsonElement parent)
    {
        var above = at == 0 ? "the state" : string.Join('.', _segments, 0, at);
        return $"path {Text}: nothing is called '{_segments[at]}' in {above}; there {What(parent)}";
    }

    private static string What(JsonElement parent)
    {
        if (parent.ValueKind == JsonValueKind.Object)
            return $"is: {List(parent.EnumerateObject().Select(member => member.Name))}";
        if (parent.ValueKind != JsonValueKind.Array) return "is a value, and nothing below it";
        var length = parent.GetArrayLength();
        if (length == 0) return "is an empty list";
        var ids = parent.EnumerateArray().Select(IdOf).OfType<string>().ToArray();
        return ids.Length > 0 ? $"are the items 0 to {length - 1}, or by id: {List(ids)}" : $"are the items 0 to {length - 1}";
    }

    private static string List(IEnumerable<string> names)
    {
        var all = names.ToArray();
        return string.Join(", ", all.Take(ShownNames)) + (all.Length > ShownNames ? $" and {all.Length - ShownNames} more" : "");
    }

    private static string? IdOf(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String
            ? id.GetString()
            : null;
}
