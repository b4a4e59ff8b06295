using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Chatterbox.Cli.State;

/// <summary>The state as JSON, and JSON as text for people and scripts.</summary>
internal static class StateJson
{
    public static string Indented(JsonElement json) => Write(json.WriteTo, indented: true);

    public static string Indented(System.Text.Json.Nodes.JsonNode json) => Write(writer => json.WriteTo(writer), indented: true);

    public static string Line(Action<Utf8JsonWriter> write) => Write(write, indented: false);

    private static string Write(Action<Utf8JsonWriter> write, bool indented)
    {
        using var bytes = new MemoryStream();
        // Text stays legible: this goes to a terminal or a file, not into HTML.
        using (var json = new Utf8JsonWriter(bytes,
            new() { Indented = indented, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            write(json);
        }
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }
}
