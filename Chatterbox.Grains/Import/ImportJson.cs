using System.Text.Json;
using System.Text.Json.Nodes;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Import;

/// <summary>What every import checks of its document and says of its state.</summary>
internal static class ImportJson
{
    /// <summary>The members of the document's state.</summary>
    /// <exception cref="ImportRefusedException">The version, the size or the JSON is not allowed.</exception>
    public static JsonObject Parse(ImportRequest request, MigrationChain migrations, ImportNotes notes)
    {
        if (request.Version < 0 || request.Version > migrations.CurrentVersion)
        {
            throw Refused("version", $"{request.Version}", $"0 to {migrations.CurrentVersion} (this silo knows no other schema)");
        }
        if (request.Json is not { Length: <= Limits.ImportBytes })
        {
            throw Refused("state", $"{request.Json?.Length ?? 0}", $"1 to {Limits.ImportBytes} bytes without audio");
        }
        if (request.Missing is { Count: > Limits.ImportClips })
        {
            throw Refused("missing", $"{request.Missing.Count}", $"at most {Limits.ImportClips} clips");
        }
        try
        {
            using var document = JsonDocument.Parse(request.Json, new() { MaxDepth = JsonText.MaxDepth });
            return JsonText.ToNode(document.RootElement, "state", (place, found, done) =>
                notes.Mend(place, found, "JSON of valid Unicode, each name once", done))
                as JsonObject ?? throw Refused("state", "no JSON object", "the app's state as a JSON object");
        }
        catch (JsonException wrong)
        {
            throw Refused("state", $"invalid: {wrong.Message.TrimEnd('.')}", "JSON");
        }
    }

    /// <exception cref="ImportRefusedException">A slice, or the whole state, is larger than a session may be.</exception>
    public static void CheckSize(AppDefinition app, SessionState state)
    {
        var total = 0L;
        foreach (var slice in app.Stored)
        {
            var bytes = slice.Measure(slice.Get(state));
            if (bytes > Limits.SliceBytes) throw Refused($"state.{slice.Name}", $"{bytes}",
                $"at most {Limits.SliceBytes} bytes of JSON");
            total += bytes;
        }
        if (total > Limits.SessionBytes) throw Refused("state", $"{total}", $"at most {Limits.SessionBytes} bytes of JSON");
    }

    /// <summary>What the state holds, and the clips it refers to.</summary>
    public static ImportReport Describe(AppDefinition app, ImportReport report, SessionState state)
    {
        var clips = app.ClipsOf(state).DistinctBy(audio => audio.Hash).ToArray();
        return report with
        {
            Items = app.CountItems(state),
            AudioClips = clips.Length,
            AudioBytes = clips.Sum(clip => clip.Length),
            Clips = clips.Select(clip => clip.Hash).ToValueList(),
        };
    }

    public static ImportRefusedException Refused(string field, string value, string allowed) => new(new(field, value, allowed));
}
