using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Chatterbox.Silo.Gateway.Wire;

/// <summary>
/// Members that this version does not know go to browsers as one text, <c>unknown</c>, that holds them as a JSON object: parsed
/// by a browser, numbers above 2^53 and the spelling of others would be lost on the way back. Members beside it, from
/// a page that is newer than the silo, are kept as well.
/// </summary>
internal static class UnknownAsText
{
    public const string Member = "unknown";

    public static void Apply(JsonTypeInfo type)
    {
        var members = type.Properties.FirstOrDefault(property => property.IsExtensionData);
        if (members is not { Get: { } get, Set: { } set }) return;
        members.ShouldSerialize = static (_, _) => false;
        var text = type.CreateJsonPropertyInfo(typeof(string), Member);
        text.Get = item => get(item) is UnknownMembers { Count: > 0 } unknown ? Write(unknown) : null;
        text.Set = (item, value) =>
        {
            if (value is not string json) return;
            if (get(item) is not IDictionary<string, JsonElement> unknown) set(item, unknown = new UnknownMembers());
            foreach (var (name, member) in Read(json)) unknown[name] = member;
        };
        text.ShouldSerialize = static (_, value) => value is not null;
        type.Properties.Add(text);
    }

    private static string Write(UnknownMembers members) =>
        JsonSerializer.Serialize(members, ChatterboxJson.Default.UnknownMembers);

    private static Dictionary<string, JsonElement> Read(string json) =>
        JsonSerializer.Deserialize(json, WireJson.Default.DictionaryStringJsonElement)
        ?? throw new JsonException($"'{Member}' must be a JSON object, was null.");
}
