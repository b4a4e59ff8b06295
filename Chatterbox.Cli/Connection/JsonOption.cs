using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Chatterbox.Cli.State;

namespace Chatterbox.Cli.Connection;

/// <summary><c>--json</c>, on every verb with output. Always UTF-8, members in camel case.</summary>
internal static class JsonOption
{
    public static Option<bool> Create() => new("--json") { Description = "Print JSON, for scripts." };

    /// <summary>For verbs that always print JSON, so that scripts can pass --json everywhere.</summary>
    public static Option<bool> CreateForJsonOnly() => new("--json") { Description = "Accepted; the output is always JSON." };

    public static void WriteJson<T>(this TextWriter output, T value, JsonTypeInfo<T> type) =>
        output.WriteLine(StateJson.Indented(JsonSerializer.SerializeToElement(value, type)));

    /// <summary>Prints a new item's id: a line, or <c>{"id": …}</c>.</summary>
    public static void WriteId(this TextWriter output, string id, bool asJson) => output.WriteLine(asJson
        ? StateJson.Line(json =>
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteEndObject();
        })
        : id);
}
