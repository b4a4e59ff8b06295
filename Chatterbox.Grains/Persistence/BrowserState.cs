using System.Text.Json;
using System.Text.Json.Nodes;

namespace Chatterbox.Grains.Persistence;

/// <summary>
/// Takes over a state from outside: what the browser app keeps, the <c>state</c> of its Zustand envelope, or what Chatterbox has
/// exported. Laid out as slices of the document's version, it goes through the same migrations as stored slices.
/// </summary>
internal static class BrowserState
{
    /// <summary>The state, or null and a report that says why not: which item, what it is, what is allowed.</summary>
    public static (AppState? State, ImportReport Report) Read(ImportRequest request, MigrationChain migrations)
    {
        var report = new ImportReport { FromVersion = request.Version, ToVersion = migrations.CurrentVersion, DryRun = request.DryRun };
        try
        {
            var notes = new List<string>();
            var state = AppState.Initial;
            foreach (var (slice, place, node) in Slices(request, migrations, notes))
            {
                state = slice.With(state, Read(slice, place, Migrate(slice, place, node, request.Version, migrations)));
            }
            state = LetGo(state, request.Missing ?? [], notes);
            if (request.Format is ImportFormat.Browser) state = Tidy(state, notes);
            return Validation.Check(state) is { } wrong
                ? (null, report with { Refused = wrong with { Field = $"state.{wrong.Field}" } })
                : (state, Describe(report, state, notes));
        }
        catch (RefusedException refused)
        {
            return (null, report with { Refused = refused.Why });
        }
    }

    private static List<(SliceDefinition Slice, string Place, JsonNode Node)> Slices(ImportRequest request, MigrationChain migrations, List<string> notes)
    {
        if (request.Version < 0 || request.Version > migrations.CurrentVersion)
        {
            throw Refused("version", $"{request.Version}", $"0 to {migrations.CurrentVersion}: this silo knows no other schema");
        }
        if (request.Json is not { Length: <= Limits.ImportBytes })
        {
            throw Refused("state", $"{request.Json?.Length ?? 0} bytes without audio", $"at most {Limits.ImportBytes} bytes");
        }
        var members = Parse(request.Json);
        var slices = request.Format switch
        {
            ImportFormat.Browser => OfBrowser(members),
            ImportFormat.Export => OfExport(members),
            _ => throw Refused("format", $"{request.Format}", "a format that this silo knows: Browser or Export"),
        };
        notes.AddRange(members.Select(left => $"state.{left.Key}: left out, not part of what is stored"));
        return slices;
    }

    private static JsonObject Parse(byte[] json)
    {
        try
        {
            return JsonNode.Parse(json, documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject
                ?? throw Refused("state", "no JSON object", "the app's state");
        }
        catch (JsonException wrong)
        {
            throw Refused("state", wrong.Message.TrimEnd('.'), "JSON, each name once in an object");
        }
    }

    private static List<(SliceDefinition, string, JsonNode)> OfExport(JsonObject members) =>
    [
        .. SliceDefinition.All.Select(slice => members.Remove(slice.Name, out var node) && node is not null
            ? (slice, $"state.{slice.Name}", node)
            // An empty slice is written as one: without it, what is there would be lost by a slip of whoever edited the file.
            : throw Refused($"state.{slice.Name}", "nothing", "the slice, as an export has it")),
    ];

    private static List<(SliceDefinition, string, JsonNode)> OfBrowser(JsonObject members)
    {
        var preferences = new JsonObject();
        Move(members, "ttsEngine", preferences, "engine");
        Move(members, "parameters", preferences, "parameters");
        Move(members, "useStreaming", preferences, "useStreaming");
        Move(members, "currentSessionId", preferences, "currentSessionId");
        var engine = preferences["engine"];
        return
        [
            (SliceDefinition.All[(int)Slice.Preferences], "state", preferences),
            Items(Slice.WorkSessions, "sessions", engine),
            Items(Slice.SavedVoices, "savedVoices", engine),
            Items(Slice.Chunks, "chunks", engine),
            Items(Slice.BatchItems, "batchItems", null),
        ];

        (SliceDefinition, string, JsonNode) Items(Slice slice, string name, JsonNode? itemEngine) =>
            (SliceDefinition.All[(int)slice], $"state.{name}", BrowserItems(members, name, itemEngine));
    }

    private static void Move(JsonObject from, string name, JsonObject to, string newName)
    {
        if (from.Remove(name, out var value) && value is not null) to[newName] = value;
    }

    // The browser writes times as Unix milliseconds, and keeps no engine with an item: it is the one selected.
    private static JsonArray BrowserItems(JsonObject flat, string name, JsonNode? engine)
    {
        if (!flat.Remove(name, out var found) || found is null) return [];
        if (found is not JsonArray items) throw Refused($"state.{name}", "no list", "a list");
        for (var at = 0; at < items.Count; at++)
        {
            if (items[at] is not JsonObject item) throw Refused($"state.{name}[{at}]", "no object", "an item of the list");
            foreach (var time in (string[])["createdAt", "updatedAt"])
            {
                if (item[time] is JsonValue value && value.GetValueKind() is JsonValueKind.Number)
                {
                    item[time] = ToTime(value, $"state.{name}[{at}].{time}");
                }
            }
            if (engine is not null) item["engine"] ??= engine.DeepClone();
        }
        return items;
    }

    private static DateTimeOffset ToTime(JsonValue value, string place)
    {
        try
        {
            return DateTimeOffset.FromUnixTimeMilliseconds(checked((long)value.GetValue<double>()));
        }
        catch (Exception outOfRange) when (outOfRange is ArgumentException or OverflowException or FormatException)
        {
            throw Refused(place, value.ToJsonString(), "a time in milliseconds since 1970, or an ISO 8601 text");
        }
    }

    private static JsonNode Migrate(SliceDefinition slice, string place, JsonNode node, int version, MigrationChain migrations)
    {
        try
        {
            return migrations.Migrate(slice.Slice, node, version);
        }
        catch (MigrationException failed)
        {
            throw Refused(place, $"this, of version {version},", $"what can be migrated: {failed.Message}");
        }
    }

    private static object Read(SliceDefinition slice, string place, JsonNode node)
    {
        try
        {
            return slice.Read(node);
        }
        catch (Exception wrong) when (IsOfContent(wrong))
        {
            if (node is JsonArray items) FindWrongItem(slice, place, items);
            throw Refused(slice, place, node, wrong);
        }
    }

    // Deserializing a list does not say which item was wrong; one by one they do.
    private static void FindWrongItem(SliceDefinition slice, string place, JsonArray items)
    {
        for (var at = 0; at < items.Count; at++)
        {
            try
            {
                slice.Read(new JsonArray(items[at]?.DeepClone()));
            }
            catch (Exception wrong) when (IsOfContent(wrong))
            {
                throw Refused(slice, $"{place}[{at}]", items[at], wrong);
            }
        }
    }

    private static bool IsOfContent(Exception wrong) =>
        wrong is JsonException or InvalidOperationException or FormatException or ArgumentException or OverflowException;

    private static RefusedException Refused(SliceDefinition slice, string place, JsonNode? node, Exception wrong)
    {
        if (wrong is SliceRejectedException { Why: var why }) return new(why with { Field = $"{place}.{why.Field}" });

        // The path is relative to the item, and so is what stands there.
        var member = (wrong as JsonException)?.Path is { Length: > 2 } path ? path[2..] : null;
        if (member is not null && node is JsonObject item && item[member] is JsonValue value)
        {
            return Refused($"{place}.{member}", value.ToJsonString(), $"what {slice.Name} may have there");
        }
        return Refused(member is null ? place : $"{place}.{member}", Problem(wrong), $"{slice.Name} as the app stores them");
    }

    // Types are this program's own; the missing members are what helps.
    private static string Problem(Exception wrong) =>
        wrong.Message.Split("required properties including: ") is [_, var missing] ? $"an item without {missing.TrimEnd('.')}" : "what stands there";

    private static RefusedException Refused(string field, string value, string allowed) => new(new(field, value, allowed));

    // Audio that is not to be had can be generated again; text, parameters and seed are there.
    private static AppState LetGo(AppState state, ValueList<string> missing, List<string> notes)
    {
        if (missing.Count == 0) return state;
        var gone = missing.ToHashSet(StringComparer.Ordinal);
        bool IsGone(AudioRef? audio) => audio is not null && gone.Contains(audio.Hash);
        notes.AddRange(state.Chunks.Where(chunk => IsGone(chunk.Audio)).Select(chunk =>
            $"chunk {chunk.Id}: its audio is neither in the document nor stored, taken as interrupted, ready to run again"));
        notes.AddRange(state.SavedVoices.Where(voice => IsGone(voice.Prompt)).Select(voice =>
            $"voice {voice.Id}: its recording is neither in the document nor stored, taken without"));
        return state with
        {
            Chunks = state.Chunks.Select(chunk => IsGone(chunk.Audio) ? chunk with { Status = WorkStatus.Interrupted, Audio = null } : chunk).ToValueList(),
            SavedVoices = state.SavedVoices.Select(voice => IsGone(voice.Prompt) ? voice with { Prompt = null } : voice).ToValueList(),
        };
    }

    // What was being generated when the browser saved is not being generated any more; and nothing may point to what is not there.
    private static AppState Tidy(AppState state, List<string> notes)
    {
        if (state.Preferences.CurrentSessionId is { } current && state.WorkSessions.Find(current) is null)
        {
            notes.Add($"currentSessionId: '{current}' is none of the work sessions, none is selected");
            state = state with { Preferences = state.Preferences with { CurrentSessionId = null } };
        }
        return state with { Chunks = state.Chunks.Select(chunk => Tidy(chunk, notes)).ToValueList() };
    }

    private static Chunk Tidy(Chunk chunk, List<string> notes)
    {
        if (chunk is { Status: WorkStatus.Generating } or { Status: WorkStatus.Completed, Audio: null })
        {
            notes.Add($"chunk {chunk.Id}: was {chunk.Status.ToString().ToLowerInvariant()}{(chunk.Audio is null ? " without audio" : "")}, "
                + "taken as interrupted, ready to run again");
            return chunk with { Status = WorkStatus.Interrupted, Audio = null };
        }
        if (chunk is { Status: not WorkStatus.Completed, Audio: not null })
        {
            notes.Add($"chunk {chunk.Id}: its audio is left out, the chunk is not completed ({chunk.Status.ToString().ToLowerInvariant()})");
            return chunk with { Audio = null };
        }
        return chunk;
    }

    private static ImportReport Describe(ImportReport report, AppState state, List<string> notes)
    {
        var clips = state.Chunks.Select(chunk => chunk.Audio).Concat(state.SavedVoices.Select(voice => voice.Prompt)).OfType<AudioRef>()
            .DistinctBy(audio => audio.Hash).ToArray();
        return report with
        {
            WorkSessions = state.WorkSessions.Count,
            SavedVoices = state.SavedVoices.Count,
            Chunks = state.Chunks.Count,
            BatchItems = state.BatchItems.Count,
            AudioClips = clips.Length,
            AudioBytes = clips.Sum(clip => clip.Length),
            Clips = clips.Select(clip => clip.Hash).ToValueList(),
            Notes = notes.ToValueList(),
        };
    }

    private sealed class RefusedException(Rejection why) : Exception(why.Message)
    {
        public Rejection Why => why;
    }
}
