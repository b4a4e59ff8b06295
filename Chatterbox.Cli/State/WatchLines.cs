using System.Text.Json;
using Chatterbox.Client;

namespace Chatterbox.Cli.State;

/// <summary>What a step of the store is to whoever watches.</summary>
internal interface IWatchLines
{
    IEnumerable<string> Of(StoreUpdate update);
}

/// <summary>The state, then the changes; the state again where changes do not tell how it came about.</summary>
internal sealed class ChangeLines : IWatchLines
{
    private AppState? _shown;

    public IEnumerable<string> Of(StoreUpdate update)
    {
        foreach (var applied in _shown is null ? [] : update.Changes)
        {
            _shown = AppStateReducer.Apply(_shown!, applied.Change).State;
            yield return StateJson.Line(json =>
            {
                json.WriteStartObject();
                json.WriteNumber("revision", applied.Revision);
                json.WriteString("client", applied.Client);
                json.WritePropertyName("change");
                JsonSerializer.Serialize(json, applied.Change, ChatterboxJson.Default.AppStateChange);
                json.WriteEndObject();
            });
        }
        if (update.Confirmed == _shown)
        {
            // The very same from now on, so that comparing stays cheap.
            _shown = update.Confirmed;
            yield break;
        }
        _shown = update.Confirmed;
        yield return StateJson.Line(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("revision", update.Revision);
            json.WritePropertyName("state");
            JsonSerializer.Serialize(json, update.Confirmed, ChatterboxJson.Default.AppState);
            json.WriteEndObject();
        });
    }
}

/// <summary>The value at a path whenever it is another.</summary>
internal sealed class ValueLines(StatePath path) : IWatchLines
{
    private string? _shown;

    public IEnumerable<string> Of(StoreUpdate update)
    {
        // Only at first has the place to be there.
        var value = _shown is null ? path.Find(update.Confirmed) : path.FindOrNull(update.Confirmed);
        var text = value?.GetRawText() ?? "null";
        if (text == _shown) yield break;
        _shown = text;
        yield return StateJson.Line(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("revision", update.Revision);
            json.WriteString("path", path.Text);
            json.WritePropertyName("value");
            if (value is { } found) found.WriteTo(json);
            else json.WriteNullValue();
            json.WriteEndObject();
        });
    }
}
