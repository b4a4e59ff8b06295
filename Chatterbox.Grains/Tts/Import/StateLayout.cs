using Chatterbox.Grains.Import;
using System.Text.Json.Nodes;

namespace Chatterbox.Grains.Tts.Import;

/// <summary>A slice in a document.</summary>
/// <param name="Place">Its place in the document.</param>
/// <param name="EnginePlace">The place of the slice's engine; preferences only.</param>
internal sealed record DocumentSlice(SliceDefinition Slice, string Place, JsonNode Node, string EnginePlace = "");

/// <summary>The layout of a document: the browser app's state is flat, an export has a member for each slice.</summary>
internal static class StateLayout
{
    private static readonly (string Browser, SliceDefinition Slice)[] Lists =
    [
        ("sessions", TtsApp.WorkSessions), ("savedVoices", TtsApp.SavedVoices), ("chunks", TtsApp.Chunks),
            ("batchItems", TtsApp.BatchItems),
    ];

    private static readonly (string Browser, string Name)[] Preferences =
    [
        ("ttsEngine", "engine"), ("parameters", "parameters"), ("useStreaming", "useStreaming"),
            ("currentSessionId", "currentSessionId"),
    ];

    /// <summary>Every slice, in order; other members are noted.</summary>
    /// <exception cref="ImportRefusedException">It holds no part of the app's state.</exception>
    public static IReadOnlyList<DocumentSlice> Slices(JsonObject members, ImportFormat format, ImportNotes notes)
    {
        var count = members.Count;
        DocumentSlice[] slices = format switch
        {
            ImportFormat.Browser => [OfBrowser(members), .. Lists.Select(list => List(members, list.Browser, list.Slice, notes))],
            ImportFormat.Export => [OfExport(members, notes), .. Lists.Select(list => ListOfExport(members, list.Slice, notes))],
            _ => throw new ImportRefusedException(new("format", $"{format}", "Browser or Export")),
        };
        if (count > 0 && members.Count == count)
        {
            var names = string.Join(", ", members.Select(member => member.Key).Take(8));
            throw new ImportRefusedException(new("state", $"an object with {names}", "the app's state or a part of it"));
        }
        foreach (var (name, _) in members) notes.Note($"state.{name}: left out, not part of what is stored");
        return slices;
    }

    private static DocumentSlice OfBrowser(JsonObject members)
    {
        var preferences = new JsonObject();
        foreach (var (browser, name) in Preferences)
        {
            if (members.Remove(browser, out var value) && value is not null) preferences[name] = value;
        }
        return new(TtsApp.Preferences, "state", preferences, "state.ttsEngine");
    }

    private static DocumentSlice OfExport(JsonObject members, ImportNotes notes)
    {
        var definition = TtsApp.Preferences;
        var place = $"state.{definition.Name}";
        members.Remove(definition.Name, out var found);
        if (found is not JsonObject) notes.Mend(place, ImportNotes.Show(found), "an object", "the defaults are taken");
        return new(definition, place, found as JsonObject ?? [], $"{place}.engine");
    }

    // An export has every list, empty ones too.
    private static DocumentSlice ListOfExport(JsonObject members, SliceDefinition slice, ImportNotes notes)
    {
        var name = slice.Name;
        if (!members.ContainsKey(name)) notes.Mend($"state.{name}", "nothing", "a list", "taken as empty");
        return List(members, name, slice, notes);
    }

    private static DocumentSlice List(JsonObject members, string name, SliceDefinition slice, ImportNotes notes)
    {
        members.Remove(name, out var found);
        return new(slice, $"state.{name}", ItemsOf(found, $"state.{name}", notes));
    }

    // A list keyed by id is accepted as well. Invalid items stay null in their place, so that the others keep their paths.
    private static JsonArray ItemsOf(JsonNode? found, string place, ImportNotes notes)
    {
        switch (found)
        {
            case null:
                return [];
            case JsonArray list:
                return list;
            case JsonObject map when map.Count > 0 && map.All(member => member.Value is JsonObject):
                notes.Mend(place, "an object", "a list", "its members are taken as the items");
                return [.. map.Select(member => Keyed((JsonObject)member.Value!.DeepClone(), member.Key))];
            default:
                notes.Mend(place, ImportNotes.Show(found), "a list", "taken as empty");
                return [];
        }
    }

    private static JsonObject Keyed(JsonObject item, string id)
    {
        item["id"] ??= id;
        return item;
    }
}
