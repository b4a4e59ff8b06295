using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Chatterbox;

/// <summary>Checks the content of a change or a state. Returns the first fault, or null.</summary>
public static class Validation
{
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>Checks a change against the state to which it will be applied.</summary>
    /// <param name="slices">The slices that the state includes; null is all. The others are not checked.</param>
    public static Rejection? Check(AppState state, AppStateChange change, ValueList<string>? slices = null) =>
        change is null ? Rejection.OfText("change", null, "a change") : change.Check(state, slices);

    /// <summary>Checks a whole state from an import or from storage.</summary>
    public static Rejection? Check(AppState state) =>
        CheckPreferences(state.Preferences)
        ?? CheckAll("workSessions", state.WorkSessions, TtsLimits.WorkSessions, Check)
        ?? CheckAll("savedVoices", state.SavedVoices, TtsLimits.SavedVoices, Check)
        ?? CheckAll("chunks", state.Chunks, TtsLimits.Chunks, Check)
        ?? CheckAll("batchItems", state.BatchItems, TtsLimits.BatchItems, Check);

    public static Rejection? CheckPreferences(Preferences preferences) =>
        CheckParameters("parameters", preferences.Engine, preferences.Parameters)
        ?? CheckRemembered(TtsEngine.Chatterbox, preferences.OtherEngines.Chatterbox)
        ?? CheckRemembered(TtsEngine.Multilingual, preferences.OtherEngines.Multilingual)
        ?? CheckRemembered(TtsEngine.Turbo, preferences.OtherEngines.Turbo)
        ?? (preferences.SyncedSlices is null ? null : CheckSlices(preferences.SyncedSlices))
        ?? (preferences.CurrentSessionId is null ? null : Text.CheckId("currentSessionId", preferences.CurrentSessionId));

    public static Rejection? Check(WorkSession item) => item is null
        ? Rejection.OfText("workSession", null, "a work session")
        : Text.CheckId("workSession.id", item.Id) ?? Text.CheckName("workSession.name", item.Name)
            ?? CheckIds("workSession.chunkIds", item.ChunkIds) ?? CheckEngine(item.Engine)
            ?? (item.Parameters is null
                ? null : CheckParameters("workSession.parameters", item.Engine, item.Parameters, whole: false))
            ?? CheckUnknown("workSession", item.Unknown, TtsJson.Default.WorkSession);

    public static Rejection? Check(SavedVoice item) => item is null
        ? Rejection.OfText("voice", null, "a voice")
        : Text.CheckId("voice.id", item.Id) ?? Text.CheckName("voice.name", item.Name)
            ?? CheckParameters("voice.parameters", item.Engine, item.Parameters, whole: false)
            ?? (item.Prompt is null ? null : Check("voice.prompt", item.Prompt))
            ?? CheckUnknown("voice", item.Unknown, TtsJson.Default.SavedVoice);

    public static Rejection? Check(Chunk item) => item is null
        ? Rejection.OfText("chunk", null, "a chunk")
        : Text.CheckId("chunk.id", item.Id) ?? Text.CheckText("chunk.text", item.Text, 1, TtsLimits.ChunkTextLength)
            ?? CheckStatus("chunk.status", item.Status)
            ?? CheckParameters("chunk.parameters", item.Engine, item.Parameters, whole: false) ?? CheckAudio(item)
            ?? CheckUnknown("chunk", item.Unknown, TtsJson.Default.Chunk);

    public static Rejection? Check(BatchItem item) => item is null
        ? Rejection.OfText("batchItem", null, "a batch item")
        : Text.CheckId("batchItem.id", item.Id) ?? Text.CheckName("batchItem.name", item.Name)
            ?? CheckIds("batchItem.chunkIds", item.ChunkIds) ?? CheckStatus("batchItem.status", item.Status)
            ?? CheckUnknown("batchItem", item.Unknown, TtsJson.Default.BatchItem);

    private static Rejection? CheckAudio(Chunk chunk) => (chunk.Status, chunk.Audio) switch
    {
        (WorkStatus.Completed, null) => Rejection.OfText("chunk.audio", null, "an audio reference, since the chunk is completed"),
        (WorkStatus.Completed, var audio) => Check("chunk.audio", audio),
        (_, null) => null,
        _ => Rejection.OfText("chunk.status", Name(chunk.Status), "completed, since the chunk has audio"),
    };

    internal static Rejection? Check(string field, AudioRef? audio)
    {
        if (audio is null) return Rejection.OfText(field, null, "an audio reference");
        if (audio.Hash is not { Length: 64 } || audio.Hash.AsSpan().ContainsAnyExcept(HexDigits))
        {
            return Rejection.OfText($"{field}.hash", audio.Hash, "64 lower-case hexadecimal digits (SHA-256)");
        }
        if (audio.Length is < 1 or > Limits.ClipBytes)
        {
            return new($"{field}.length", $"{audio.Length}", $"1 to {Limits.ClipBytes} bytes");
        }
        if (audio.SampleRate is < 0 or > 768_000) return new($"{field}.sampleRate", $"{audio.SampleRate}", "0 to 768000 Hz");
        if (!(audio.Duration is >= 0 and <= 86_400)) return new($"{field}.duration", $"{audio.Duration}", "0 to 86400 s");
        return Text.CheckMediaType($"{field}.mediaType", audio.MediaType)
            ?? CheckUnknown(field, audio.Unknown, TtsJson.Default.AudioRef);
    }

    private static Rejection? CheckRemembered(TtsEngine engine, TtsParameters? parameters) =>
        parameters is null ? null : TtsParameterSpec.Check(engine, parameters);

    // The engine first: the allowed parameters depend on it.
    internal static Rejection? CheckParameters(string field, TtsEngine engine, TtsParameters? parameters, bool whole = true) =>
        parameters is null ? Rejection.OfText(field, null, "parameters")
            : TtsParameterSpec.Check(engine, parameters, whole)
            ?? CheckUnknown(field, parameters.Unknown, TtsJson.Default.TtsParameters);

    // Unknown members must stay readable: none may replace a known member or be nested deeper than the reader allows.
    private static Rejection? CheckUnknown<T>(string field, UnknownMembers? unknown, JsonTypeInfo<T> type)
    {
        if (unknown is null) return null;
        bool IsKnown(string name) => type.Properties.Any(member => !member.IsExtensionData && member.Name == name);
        if (unknown.Keys.FirstOrDefault(IsKnown) is { } known)
        {
            return Rejection.OfText($"{field}.unknown", known, "members that this version does not know");
        }
        if (unknown.Values.Any(value => value.ValueKind is JsonValueKind.Undefined || Depth(value) > Limits.UnknownDepth))
        {
            return new($"{field}.unknown", "nested deeper or without a value", $"JSON of at most {Limits.UnknownDepth} levels");
        }
        if (unknown.FirstOrDefault(member => !Text.IsWellFormed(member.Key) || !JsonText.IsWellFormed(member.Value))
            .Key is { } broken)
        {
            return Rejection.OfText($"{field}.unknown", broken, "members with names and text of valid Unicode");
        }
        var length = unknown.Sum(member => (long)member.Key.Length + member.Value.GetRawText().Length);
        return length <= Limits.UnknownBytes
            ? null : new($"{field}.unknown", $"{length}", $"at most {Limits.UnknownBytes} bytes");
    }

    private static int Depth(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => 1 + value.EnumerateObject().Select(member => Depth(member.Value)).DefaultIfEmpty().Max(),
        JsonValueKind.Array => 1 + value.EnumerateArray().Select(Depth).DefaultIfEmpty().Max(),
        _ => 0,
    };

    internal static Rejection? CheckEngine(TtsEngine engine) =>
        Enum.IsDefined(engine) ? null : Rejection.OfText("engine", engine.ToString(), "chatterbox, multilingual or turbo");

    internal static Rejection? CheckStatus(string field, WorkStatus status) => Enum.IsDefined(status)
        ? null
        : Rejection.OfText(field, status.ToString(), "pending, generating, completed, error or interrupted");

    internal static Rejection? CheckOpenStatus(string field, WorkStatus status) => status is WorkStatus.Completed
        ? Rejection.OfText(field, Name(status),
            "pending, generating, error or interrupted, since a chunk is completed by its audio")
        : CheckStatus(field, status);

    public static Rejection? CheckSlices(ValueList<string> slices) => TtsApp.Instance.CheckSlices(slices, "syncedSlices");

    private static Rejection? CheckIds(string field, ValueList<string>? ids) => ids is null
        ? Rejection.OfText(field, null, "a list of ids")
        : ids.Count > TtsLimits.ChunkIdsPerItem
            ? new(field, $"{ids.Count}", $"at most {TtsLimits.ChunkIdsPerItem} ids")
            : ids.Select(id => Text.CheckId(field, id)).FirstOrDefault(wrong => wrong is not null);

    internal static Rejection? CheckKnown<T>(string field, ValueList<T> list, string? id) where T : class, IKeyed =>
        list.IndexOf(id) >= 0 ? null : Rejection.OfText(field, id, list.Count switch
        {
            0 => "an existing id (there is none)",
            <= 5 => $"an existing id ({string.Join(", ", list.Select(item => item.Id))})",
            _ => $"one of the {list.Count} existing ids",
        });

    internal static Rejection? CheckRoom<T>(string field, ValueList<T> list, T item, int most) where T : class, IKeyed =>
        list.Count < most || list.IndexOf(item.Id) >= 0 ? null : new(field, $"{list.Count + 1}", $"at most {most} items");

    private static Rejection? CheckAll<T>(string field, ValueList<T>? list, int most, Func<T, Rejection?> check)
        where T : class, IKeyed
    {
        if (list is null) return Rejection.OfText(field, null, "a list");
        if (list.Count > most) return new(field, $"{list.Count}", $"at most {most} items");
        foreach (var item in list)
        {
            if (check(item) is { } wrong) return wrong with { Field = $"{field}[{item.Id}].{wrong.Field}" };
        }
        return list.FirstDuplicateId() is { } twice ? Rejection.OfText($"{field}.id", twice, "unique") : null;
    }

    private static string Name(WorkStatus status) => status.ToString().ToLowerInvariant();
}
