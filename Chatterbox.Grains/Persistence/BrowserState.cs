using System.Text.Json;
using System.Text.Json.Nodes;

namespace Chatterbox.Grains.Persistence;

/// <summary>
/// Takes over what the browser app keeps: the <c>state</c> of its Zustand envelope. Its flat members are laid out as slices, each
/// of the envelope's version, and then go through the same migrations as stored slices.
/// </summary>
internal static class BrowserState
{
    /// <summary>The state, or null and a report that says why not.</summary>
    public static (AppState? State, ImportReport Report) Read(ImportRequest request, MigrationChain migrations)
    {
        var report = new ImportReport { FromVersion = request.Version, ToVersion = MigrationChain.CurrentVersion, DryRun = request.DryRun };
        if (request.Version is < 0 or > MigrationChain.CurrentVersion)
        {
            return Refuse(new("version", $"{request.Version}", $"0 to {MigrationChain.CurrentVersion}: this silo knows no other schema"));
        }
        if (request.Json.Length > Limits.ImportBytes)
        {
            return Refuse(new("state", $"{request.Json.Length} bytes without audio", $"at most {Limits.ImportBytes} bytes"));
        }
        try
        {
            if (JsonNode.Parse(request.Json) is not JsonObject flat) return Refuse(new("state", "no JSON object", "the app's state"));
            var notes = new List<string>();
            var state = AppState.Initial;
            foreach (var (slice, node) in Reshape(flat, notes))
            {
                state = slice.With(state, slice.Read(migrations.Migrate(slice.Slice, node, request.Version)));
            }
            state = Tidy(state, notes);
            return Validation.Check(state) is { } wrong ? Refuse(wrong) : (state, Describe(report, state, notes));
        }
        catch (Exception wrong) when (wrong is JsonException or MigrationException or InvalidOperationException or FormatException or ArgumentException)
        {
            return Refuse(new("state", "this document", $"the browser app's state: {wrong.Message}"));
        }

        (AppState?, ImportReport) Refuse(Rejection why) => (null, report with { Refused = why });
    }

    private static IEnumerable<(SliceDefinition Slice, JsonNode Node)> Reshape(JsonObject flat, List<string> notes)
    {
        var preferences = new JsonObject();
        Move(flat, "ttsEngine", preferences, "engine");
        Move(flat, "parameters", preferences, "parameters");
        Move(flat, "useStreaming", preferences, "useStreaming");
        Move(flat, "currentSessionId", preferences, "currentSessionId");
        var engine = preferences["engine"]?.DeepClone();
        yield return (SliceDefinition.All[(int)Slice.Preferences], preferences);
        yield return (SliceDefinition.All[(int)Slice.WorkSessions], Items(flat, "sessions", engine));
        yield return (SliceDefinition.All[(int)Slice.SavedVoices], Items(flat, "savedVoices", engine));
        yield return (SliceDefinition.All[(int)Slice.Chunks], Items(flat, "chunks", engine));
        yield return (SliceDefinition.All[(int)Slice.BatchItems], Items(flat, "batchItems", null));
        notes.AddRange(flat.Select(left => $"{left.Key}: left out, not part of what is stored"));
    }

    private static void Move(JsonObject from, string name, JsonObject to, string newName)
    {
        if (from.Remove(name, out var value) && value is not null) to[newName] = value;
    }

    // The browser writes times as Unix milliseconds, and keeps no engine with an item: it is the one selected.
    private static JsonArray Items(JsonObject flat, string name, JsonNode? engine)
    {
        if (!flat.Remove(name, out var found) || found is null) return [];
        if (found is not JsonArray items) throw new JsonException($"'{name}' is not an array.");
        foreach (var item in items.OfType<JsonObject>())
        {
            foreach (var time in (string[])["createdAt", "updatedAt"])
            {
                if (item[time] is JsonValue value && value.TryGetValue<double>(out var milliseconds))
                {
                    item[time] = DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds);
                }
            }
            if (engine is not null) item["engine"] ??= engine.DeepClone();
        }
        return items;
    }

    // What was being generated when the browser saved is not being generated any more; and nothing may point to what is not there.
    private static AppState Tidy(AppState state, List<string> notes)
    {
        var chunks = state.Chunks.Select(chunk =>
        {
            var status = chunk switch
            {
                { Status: WorkStatus.Generating } => WorkStatus.Interrupted,
                { Status: WorkStatus.Completed, Audio: null } => WorkStatus.Interrupted,
                _ => chunk.Status,
            };
            if (status == chunk.Status) return chunk;
            notes.Add($"{chunk.Id}: was {chunk.Status.ToString().ToLowerInvariant()}{(chunk.Audio is null ? " without audio" : "")}, "
                + "taken as interrupted, ready to run again");
            return chunk with { Status = status, Audio = null };
        }).ToValueList();
        if (state.Preferences.CurrentSessionId is { } current && state.WorkSessions.Find(current) is null)
        {
            notes.Add($"currentSessionId: '{current}' is none of the work sessions, none is selected");
            state = state with { Preferences = state.Preferences with { CurrentSessionId = null } };
        }
        return state with { Chunks = chunks };
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
            Notes = notes.ToValueList(),
        };
    }
}
