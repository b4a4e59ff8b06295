using Chatterbox.Grains.Import;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Chatterbox.Grains.Tts.Import;

/// <summary>Repairs the slices of a document item by item: items are repaired or left out, and each change is noted.</summary>
internal sealed class SliceMender(ImportNotes notes, bool isBrowser)
{
    private const string MissingText = "(no text)";

    /// <summary>The member that keeps the whole text of a chunk that was cut because it has audio.</summary>
    private const string WholeText = "originalText";

    private static readonly string[] ChunkMembers = ["id", "text", "status", "engine", "parameters", "audio", "createdAt"];

    private readonly FieldMender _fields = new(notes);
    private readonly ParameterMender _parameters = new(notes);
    private readonly Dictionary<string, List<string>> _chunkIds = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _workSessionIds = new(StringComparer.Ordinal);
    private TtsEngine _selected;

    /// <summary>The number of chunks that long texts may still be split into.</summary>
    private int _pieces = TtsLimits.Chunks;

    /// <summary>Repairs all slices, in an order such that each one's references are already repaired.</summary>
    public void Mend(IReadOnlyList<DocumentSlice> slices)
    {
        var of = slices.ToDictionary(slice => slice.Slice);
        MendPreferences(of[TtsApp.Preferences]);
        Items(of[TtsApp.Chunks], "chunk", _chunkIds, MendChunk);
        Items(of[TtsApp.WorkSessions], "session", _workSessionIds, MendWorkSession);
        Items(of[TtsApp.SavedVoices], "voice", [], MendVoice);
        Items(of[TtsApp.BatchItems], "batch", [], MendBatchItem);
        MendCurrentSession(of[TtsApp.Preferences]);
    }

    private void MendPreferences(DocumentSlice slice)
    {
        var preferences = (JsonObject)slice.Node;
        var stated = _parameters.MendEngine(preferences, slice.EnginePlace);
        _selected = MendParameters(preferences, slice.Place, stated, TtsEngine.Chatterbox, isRequired: false, isFixed: stated
            is not null);
        preferences["engine"] = ParameterMender.NameOf(_selected);
        _fields.Truth(preferences, "useStreaming", $"{slice.Place}.useStreaming");
        MendOtherEngines(preferences, $"{slice.Place}.otherEngines");
        MendSyncedSlices(preferences, $"{slice.Place}.syncedSlices");
        _fields.Unknown(preferences, slice.Place,
            "engine", "parameters", "otherEngines", "useStreaming", "currentSessionId", "syncedSlices");
    }

    private void MendOtherEngines(JsonObject preferences, string place)
    {
        if (!preferences.TryGetPropertyValue("otherEngines", out var found)) return;
        if (found is not JsonObject engines)
        {
            preferences.Remove("otherEngines");
            if (found is not null) notes.Mend(place, ImportNotes.Show(found), "an object", "left out");
            return;
        }
        foreach (var engine in Enum.GetValues<TtsEngine>())
        {
            var name = ParameterMender.NameOf(engine);
            if (!engines.TryGetPropertyValue(name, out var node) || node is null) continue;
            if (node is JsonObject parameters)
            {
                _parameters.Mend(parameters, $"{place}.{name}", engine, engine, isFixed: true);
                _fields.Unknown(parameters, $"{place}.{name}", ParameterMender.Names);
                continue;
            }
            engines.Remove(name);
            notes.Mend($"{place}.{name}", ImportNotes.Show(node), "parameters", "left out");
        }
        _fields.Unknown(engines, place, Enum.GetValues<TtsEngine>().Select(ParameterMender.NameOf));
    }

    private void MendSyncedSlices(JsonObject preferences, string place)
    {
        if (!preferences.Remove("syncedSlices", out var found) || found is null) return;
        var names = TtsApp.Instance.Slices.Select(each => each.Name).ToArray();
        if (found is not JsonArray list)
        {
            notes.Mend(place, ImportNotes.Show(found), "a list of slices", "left out: all are synced");
            return;
        }
        var kept = list.Select(FieldMender.TextOf).Where(names.Contains).Distinct().ToArray();
        if (kept.Length != list.Count) notes.Mend(place, list.ToJsonString(), string.Join(", ", names),
            "only these are taken, each once");
        preferences["syncedSlices"] = new JsonArray([.. kept.Select(name => (JsonNode?)name)]);
    }

    private void MendCurrentSession(DocumentSlice slice)
    {
        var preferences = (JsonObject)slice.Node;
        if (!preferences.TryGetPropertyValue("currentSessionId", out var found)) return;
        if (found is null)
        {
            preferences.Remove("currentSessionId");
            return;
        }
        var text = FieldMender.TextOf(found);
        if (_fields.Line(preferences, "currentSessionId", slice.Place, Limits.IdLength) is null) return;
        if (_workSessionIds.GetValueOrDefault(text!) is [var replaced, ..]) preferences["currentSessionId"] = replaced;
    }

    private TtsEngine MendParameters(JsonObject item, string place, TtsEngine? stated, TtsEngine expected, bool isRequired,
        bool isFixed = false)
    {
        item.Remove("parameters", out var found);
        if (found is not JsonObject)
        {
            if (found is not null || isRequired) notes.Mend($"{place}.parameters", ImportNotes.Show(found), "parameters",
                "taken as missing");
            if (!isRequired) return stated ?? expected;
        }
        var parameters = found as JsonObject ?? [];
        item["parameters"] = parameters;
        var engine = _parameters.Mend(parameters, $"{place}.parameters", stated, expected, isFixed);
        _fields.Unknown(parameters, $"{place}.parameters", ParameterMender.Names);
        return engine;
    }

    private IEnumerable<JsonObject> MendChunk(JsonObject item, string place)
    {
        MendEngine(item, place, isRequired: true);
        _fields.Time(item, "createdAt", place, isBrowser);
        _fields.Audio(item, "audio", place);
        _fields.Status(item, place, item["audio"] is null ? "pending" : "completed");
        if (MendText(item, place) is not { } text) return [];
        var length = TextPieces.Length(text);
        _fields.Unknown(item, place, [.. ChunkMembers, WholeText]);
        if (length <= TtsLimits.ChunkTextLength) return [item];
        return item["audio"] is null ? Split(item, text, length, place) : [CutBesideAudio(item, text, length, place)];
    }

    private string? MendText(JsonObject item, string place)
    {
        item.Remove("text", out var found);
        if (FieldMender.TextOf(found) is { Length: > 0 } text)
        {
            if (found!.GetValueKind() is not JsonValueKind.String)
            {
                notes.Mend($"{place}.text", ImportNotes.Show(found), "a text", $"taken as \"{text}\"");
            }
            item["text"] = text;
            return text;
        }
        var isKept = item["audio"] is not null;
        notes.Mend($"{place}.text", ImportNotes.Show(found), $"1 to {TtsLimits.ChunkTextLength} characters",
            isKept ? $"taken as \"{MissingText}\", for the audio" : "the chunk is left out");
        item["text"] = MissingText;
        return isKept ? MissingText : null;
    }

    // A text without audio is split into several chunks.
    private IEnumerable<JsonObject> Split(JsonObject item, string text, int length, string place)
    {
        var pieces = TextPieces.Cut(text, TtsLimits.ChunkTextLength).Take(_pieces).ToArray();
        _pieces -= pieces.Length;
        notes.Mend($"{place}.text", $"{length} characters", $"1 to {TtsLimits.ChunkTextLength} characters",
            pieces.Length == 0 ? "the chunk is left out" : $"split into {pieces.Length} chunks");
        return pieces.Select((piece, at) =>
        {
            // Unknown members stay with the first chunk.
            var part = at == 0 ? item : new JsonObject(ChunkMembers.Select(name => KeyValuePair.Create(name,
                item[name]?.DeepClone()))
                .Where(member => member.Value is not null));
            part["text"] = piece;
            return part;
        });
    }

    // A chunk with audio is not split: its audio is of the whole text.
    private JsonObject CutBesideAudio(JsonObject item, string text, int length, string place)
    {
        item["text"] = string.Concat(text.EnumerateRunes().Take(TtsLimits.ChunkTextLength - 1)) + "…";
        item[WholeText] = text;
        var whole = item[WholeText];
        _fields.Unknown(item, place, ChunkMembers);
        notes.Mend($"{place}.text", $"{length} characters", $"1 to {TtsLimits.ChunkTextLength} characters",
            item[WholeText] == whole ? $"cut, since it has audio; the whole is kept in \"{WholeText}\""
                : "cut, since it has audio");
        return item;
    }

    private IEnumerable<JsonObject> MendWorkSession(JsonObject item, string place)
    {
        MendName(item, place);
        MendEngine(item, place, isRequired: false);
        _fields.Time(item, "createdAt", place, isBrowser);
        _fields.Time(item, "updatedAt", place, isBrowser);
        if (item["createdAt"] is null && item["updatedAt"] is { } updated) item["createdAt"] = updated.DeepClone();
        if (item["updatedAt"] is null && item["createdAt"] is { } created) item["updatedAt"] = created.DeepClone();
        _fields.Ids(item, place, Replaced);
        _fields.Unknown(item, place, "id", "name", "createdAt", "updatedAt", "chunkIds", "engine", "parameters");
        return [item];
    }

    private IEnumerable<JsonObject> MendVoice(JsonObject item, string place)
    {
        MendName(item, place);
        MendEngine(item, place, isRequired: true);
        _fields.Time(item, "createdAt", place, isBrowser);
        _fields.Audio(item, "prompt", place);
        _fields.Unknown(item, place, "id", "name", "engine", "parameters", "createdAt", "prompt");
        return [item];
    }

    private IEnumerable<JsonObject> MendBatchItem(JsonObject item, string place)
    {
        MendName(item, place);
        if (item["createdAt"] is null) item.Remove("createdAt");
        _fields.Time(item, "createdAt", place, isBrowser);
        _fields.Status(item, place, "pending");
        _fields.Ids(item, place, Replaced);
        _fields.Unknown(item, place, "id", "name", "chunkIds", "status", "createdAt");
        return [item];
    }

    private IEnumerable<string> Replaced(string id) => _chunkIds.GetValueOrDefault(id) ?? [id];

    private void MendName(JsonObject item, string place)
    {
        if (_fields.Line(item, "name", place, Limits.NameLength) is null) item["name"] = FieldMender.TextOf(item["id"])
            ?? "Untitled";
    }

    private void MendEngine(JsonObject item, string place, bool isRequired)
    {
        var stated = _parameters.MendEngine(item, $"{place}.engine");
        // The browser stores no engine with an item: it is the selected one.
        var engine = MendParameters(item, place, stated, isBrowser ? _selected : TtsEngine.Chatterbox, isRequired);
        item["engine"] = ParameterMender.NameOf(engine);
    }

    /// <param name="replaced">Receives the replaced ids.</param>
    private void Items(
        DocumentSlice slice, string kind, Dictionary<string, List<string>> replaced, Func<JsonObject, string,
            IEnumerable<JsonObject>> mend)
    {
        var list = (JsonArray)slice.Node;
        var found = list.ToArray();
        list.Clear();
        var stated = found.Select(node => FieldMender.TextOf((node as JsonObject)?["id"])).ToArray();
        var ids = new ItemIds(kind, stated);
        var copies = Copies(found, stated);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var at = 0; at < found.Length; at++)
        {
            var place = string.Create(CultureInfo.InvariantCulture, $"{slice.Place}[{at}]");
            if (found[at] is not JsonObject item || copies.Contains(at))
            {
                var isCopy = found[at] is JsonObject;
                notes.Mend(place, isCopy ? $"the same as another with the id \"{stated[at]}\"" : ImportNotes.Show(found[at]),
                    isCopy ? "each item once" : "an object", "left out");
                continue;
            }
            var parts = mend(item, place).ToArray();
            var taken = new List<string>();
            foreach (var part in parts)
            {
                if (taken.Count == 0) taken.Add(Name(item, stated[at], ids, place));
                else taken.Add(ids.Next(taken[0]));
                part["id"] = taken[^1];
                list.Add(part);
            }
            if (stated[at] is { } id && seen.Add(id) && (taken is not [var same] || same != id)) replaced[id] = taken;
        }
    }

    private string Name(JsonObject item, string? stated, ItemIds ids, string place)
    {
        var (found, id) = (item["id"], ids.Take(stated));
        if (id == stated && found!.GetValueKind() is JsonValueKind.String) return id;
        notes.Mend($"{place}.id", ImportNotes.Show(found),
            $"1 to {Limits.IdLength} characters, no control characters, no white space at the ends, each id once",
                $"taken as \"{id}\"");
        return id;
    }

    /// <summary>The positions of items that equal an earlier one with the same id.</summary>
    private static HashSet<int> Copies(JsonNode?[] found, string?[] stated)
    {
        var twice = stated.OfType<string>().GroupBy(id => id, StringComparer.Ordinal).Where(same => same.Skip(1).Any())
            .Select(same => same.Key).ToHashSet(StringComparer.Ordinal);
        var (seen, copies) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<int>());
        for (var at = 0; at < found.Length; at++)
        {
            if (stated[at] is { } id && twice.Contains(id) && !seen.Add(found[at]!.ToJsonString())) copies.Add(at);
        }
        return copies;
    }
}
