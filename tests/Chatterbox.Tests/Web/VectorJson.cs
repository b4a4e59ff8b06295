using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Chatterbox.Tests.Web;

/// <summary>How vectors are written: one JSON value a line, as the session would send its parts.</summary>
internal static class VectorJson
{
    /// <summary>Stand for a high and a low surrogate on their own, which no JSON writer lets pass.</summary>
    public const char High = '\uE000', Low = '\uE001';

    /// <summary>As the gateway has it: members that are not known travel as one text.</summary>
    private static readonly JsonSerializerOptions Wire = new(ChatterboxJson.Default.Options)
    {
        TypeInfoResolver = ((IJsonTypeInfoResolver)TtsJson.Default).WithAddedModifier(UnknownAsText),
    };

    public static string Line(JsonObject value) =>
        value.ToJsonString().Replace("\\uE000", "\\uD800", StringComparison.Ordinal)
            .Replace("\\uE001", "\\uDC00", StringComparison.Ordinal);

    /// <summary>Where both sides begin.</summary>
    public static string Header() => Line(new()
    {
        ["kind"] = "constants",
        ["initial"] = State(AppState.Initial),
    });

    public static JsonNode State(AppState state) => JsonSerializer.SerializeToNode(state, Wire)!;

    public static JsonNode Change(AppStateChange change) => JsonSerializer.SerializeToNode(change, Wire)!;

    public static JsonNode Slice(AppState state, SliceDefinition slice) => State(state)[slice.Name]!.DeepClone();

    public static JsonArray? Slices(ValueList<string>? slices) =>
        slices is null ? null : new([.. slices.Select(slice => (JsonNode)slice)]);

    public static JsonObject Rejection(Rejection rejection) => new()
    {
        ["field"] = rejection.Field, ["value"] = Writable(rejection.Value), ["allowed"] = Writable(rejection.Allowed),
    };

    /// <summary>Whether two states' slices would be sent as the same JSON.</summary>
    public static bool IsSame(AppState one, AppState other, SliceDefinition slice) =>
        JsonNode.DeepEquals(Slice(one, slice), Slice(other, slice));

    public static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private static void UnknownAsText(JsonTypeInfo type)
    {
        if (type.Properties.FirstOrDefault(property => property.IsExtensionData) is not { Get: { } get } members) return;
        members.ShouldSerialize = static (_, _) => false;
        var text = type.CreateJsonPropertyInfo(typeof(string), "unknown");
        text.Get = item => get(item) is UnknownMembers { Count: > 0 } unknown
            ? JsonSerializer.Serialize(unknown, ChatterboxJson.Default.UnknownMembers)
            : null;
        type.Properties.Add(text);
    }

    private static string Writable(string text) => text.Replace('\uD800', High).Replace('\uDC00', Low);
}
