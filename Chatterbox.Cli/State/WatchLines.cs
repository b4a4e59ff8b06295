using Chatterbox.Client;

namespace Chatterbox.Cli.State;

/// <summary>The output lines of a store's steps.</summary>
internal interface IWatchLines
{
    IEnumerable<string> Of(StoreUpdate update);
}

/// <summary>The state, then the changes; the state again when changes do not explain it.</summary>
internal sealed class ChangeLines : IWatchLines
{
    private SessionState? _shown;

    public IEnumerable<string> Of(StoreUpdate update)
    {
        foreach (var applied in _shown is null ? [] : update.Changes)
        {
            _shown = _shown!.App.Apply(_shown, applied.Change).State;
            yield return StateJson.Line(json =>
            {
                json.WriteStartObject();
                json.WriteNumber("revision", applied.Revision);
                json.WriteString("client", applied.Client);
                json.WritePropertyName("change");
                update.Confirmed.App.ToJson(applied.Change).WriteTo(json);
                json.WriteEndObject();
            });
        }
        if (update.Confirmed == _shown)
        {
            // Keeps the new instance, so that later comparisons are by reference.
            _shown = update.Confirmed;
            yield break;
        }
        _shown = update.Confirmed;
        yield return StateJson.Line(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("revision", update.Revision);
            json.WritePropertyName("state");
            update.Confirmed.App.ToJson(update.Confirmed).WriteTo(json);
            json.WriteEndObject();
        });
    }
}

/// <summary>The value at a path after each change of it.</summary>
internal sealed class ValueLines(StatePath path) : IWatchLines
{
    private string? _shown;

    public IEnumerable<string> Of(StoreUpdate update)
    {
        // The path must exist only at the start.
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
