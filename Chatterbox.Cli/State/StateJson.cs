using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Chatterbox.Cli.State;

/// <summary>The state as JSON, and JSON as text for people and scripts.</summary>
internal static class StateJson
{
    // With the members that hold nothing: what may be asked for is more than what is set.
    private static readonly ChatterboxJson Complete = new(new JsonSerializerOptions(ChatterboxJson.Default.Options)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.Never,
    });

    /// <summary>As it is stored and sent: members that hold nothing are left out.</summary>
    public static JsonElement Of(AppState state) => JsonSerializer.SerializeToElement(state, ChatterboxJson.Default.AppState);

    /// <summary>Every member, null where it holds nothing.</summary>
    public static JsonElement CompleteOf(AppState state) => JsonSerializer.SerializeToElement(state, Complete.AppState);

    public static string Indented(JsonElement json) => Write(json.WriteTo, indented: true);

    public static string Indented(System.Text.Json.Nodes.JsonNode json) => Write(writer => json.WriteTo(writer), indented: true);

    public static string Line(Action<Utf8JsonWriter> write) => Write(write, indented: false);

    private static string Write(Action<Utf8JsonWriter> write, bool indented)
    {
        using var bytes = new MemoryStream();
        // Text stays legible: this goes to a terminal or a file, not into HTML.
        using (var json = new Utf8JsonWriter(bytes, new() { Indented = indented, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            write(json);
        }
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }
}
