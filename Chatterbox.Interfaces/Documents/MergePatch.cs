using System.Text.Json;

namespace Chatterbox;

/// <summary>JSON Merge Patch, RFC 7396. Members keep their places; new ones follow in the patch's order.</summary>
internal static class MergePatch
{
    /// <param name="target">Null where there is nothing to patch.</param>
    public static void Write(Utf8JsonWriter json, JsonElement? target, JsonElement patch)
    {
        if (patch.ValueKind is not JsonValueKind.Object)
        {
            patch.WriteTo(json);
            return;
        }
        var left = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in patch.EnumerateObject()) left[member.Name] = member.Value;
        json.WriteStartObject();
        if (target is { ValueKind: JsonValueKind.Object } members)
        {
            foreach (var member in members.EnumerateObject())
            {
                if (!left.Remove(member.Name, out var change)) member.WriteTo(json);
                else WriteMember(json, member.Name, member.Value, change);
            }
        }
        foreach (var member in patch.EnumerateObject())
        {
            if (left.ContainsKey(member.Name)) WriteMember(json, member.Name, null, member.Value);
        }
        json.WriteEndObject();
    }

    private static void WriteMember(Utf8JsonWriter json, string name, JsonElement? target, JsonElement change)
    {
        if (change.ValueKind is JsonValueKind.Null) return;
        json.WritePropertyName(name);
        Write(json, target, change);
    }
}
