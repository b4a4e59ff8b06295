using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Chatterbox.Tests.Web;

/// <summary>How vectors are written: one JSON value a line, as the session would send its parts.</summary>
internal static class VectorJson
{
    /// <summary>Stand for a high and a low surrogate on their own, which no JSON writer lets pass.</summary>
    public const char High = '\uE000', Low = '\uE001';

    public static string Line(JsonObject value) =>
        value.ToJsonString().Replace("\\uE000", "\\uD800", StringComparison.Ordinal)
            .Replace("\\uE001", "\\uDC00", StringComparison.Ordinal);

    /// <summary>What both sides have written down: limits, parameters and their defaults.</summary>
    public static string Header() => Line(new()
    {
        ["kind"] = "constants",
        ["limits"] = new JsonObject(typeof(Limits).GetFields().Select(field => KeyValuePair.Create(
            char.ToLowerInvariant(field.Name[0]) + field.Name[1..], (JsonNode?)Convert.ToInt64(field.GetRawConstantValue(),
            CultureInfo.InvariantCulture)))),
        ["parameters"] = new JsonObject(Enum.GetValues<TtsEngine>().Select(engine => KeyValuePair.Create(
            Camel(engine.ToString()), (JsonNode?)new JsonArray([.. TtsParameterSpec.For(engine).Select(Spec)])))),
        ["defaults"] = new JsonObject(Enum.GetValues<TtsEngine>().Select(engine => KeyValuePair.Create(
            Camel(engine.ToString()), JsonSerializer.SerializeToNode(TtsParameters.DefaultsFor(engine),
            ChatterboxJson.Default.TtsParameters)))),
        ["initial"] = State(AppState.Initial),
    });

    public static JsonNode State(AppState state) => JsonSerializer.SerializeToNode(state, ChatterboxJson.Default.AppState)!;

    public static JsonNode Change(AppStateChange change) =>
        JsonSerializer.SerializeToNode(change, ChatterboxJson.Default.AppStateChange)!;

    public static JsonNode Slice(AppState state, Slice slice) => State(state)[Name(slice)]!.DeepClone();

    public static string Name(Slice slice) => Camel(slice.ToString());

    public static JsonArray? Slices(ValueList<Slice>? slices) =>
        slices is null ? null : new([.. slices.Select(slice => (JsonNode)Name(slice))]);

    public static JsonObject Rejection(Rejection rejection) => new()
    {
        ["field"] = rejection.Field, ["value"] = Writable(rejection.Value), ["allowed"] = Writable(rejection.Allowed),
    };

    /// <summary>Whether two states' slices would be sent as the same JSON.</summary>
    public static bool IsSame(AppState one, AppState other, Slice slice) =>
        JsonNode.DeepEquals(Slice(one, slice), Slice(other, slice));

    public static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private static JsonNode Spec(TtsParameterSpec spec)
    {
        var json = new JsonObject { ["name"] = spec.Name, ["min"] = spec.Min, ["max"] = spec.Max, ["step"] = spec.Step };
        if (spec.Choices is not null) json["choices"] = new JsonArray([.. spec.Choices.Select(choice => (JsonNode)choice)]);
        if (spec.Ignored) json["ignored"] = true;
        if (spec.IsInteger) json["isInteger"] = true;
        return json;
    }

    private static string Writable(string text) => text.Replace('\uD800', High).Replace('\uDC00', Low);
}
