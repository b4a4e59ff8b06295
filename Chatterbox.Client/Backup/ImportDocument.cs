using System.Globalization;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Chatterbox.Client.Backup;

/// <summary>A clip in an imported document.</summary>
/// <param name="Place">Its place in the document.</param>
internal sealed record DocumentClip(string Hash, int Length, string MediaType, string Place);

/// <summary>A document without the bytes of its clips: the state to send, and the place of each clip.</summary>
internal sealed class ImportDocument
{
    private readonly DocumentClip[] _clips;
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly JsonObject _state;
    private readonly List<(JsonObject Item, string Audio, DocumentClip Clip, int SampleRate)> _audio = [];
    private readonly List<string> _notes = [];
    private readonly MendList _mends;

    private ImportDocument(AppDefinition app, JsonObject root, IReadOnlyList<DocumentClip> clips, MendList mends)
    {
        _clips = [.. clips];
        _mends = mends;
        for (var at = 0; at < _clips.Length; at++) _places[_clips[at].Place] = at;
        Format = root.ContainsKey("format") ? ImportFormat.Export : ImportFormat.Browser;
        if (Format is ImportFormat.Export) CheckFormat(root);
        if (!root.ContainsKey("state"))
        {
            var found = root.Count == 0 ? "an empty object"
                : $"an object with {string.Join(", ", root.Select(member => $"\"{member.Key}\"").Take(8))}";
            throw BackupFormatException.At("", found, BackupDocument.Allowed);
        }
        _state = root["state"] as JsonObject ?? throw BackupFormatException.At("state", Name(root["state"]), "an object");
        Version = Format is ImportFormat.Export ? ReadVersion(root, "schemaVersion") : ReadBrowserVersion(root);
        if (Format is ImportFormat.Export) CheckAudio(root);
        else foreach (var (list, kind, audio) in app.AudioInLists) MoveAudio(list, kind, audio);
        LeaveOut(root, Format is ImportFormat.Export
            ? ["format", "formatVersion", "exportedAt", "store", "schemaVersion", "state", "audio"]
            : ["state", "version"]);
    }

    public ImportFormat Format { get; }

    public int Version { get; }

    /// <summary>The parts that were left out, with the reason.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>The values that had to be repaired or left out.</summary>
    public MendList Mends => _mends;

    public IReadOnlyList<DocumentClip> Clips => _clips;

    /// <param name="mends">Repairs made while the document was read.</param>
    /// <exception cref="BackupFormatException">The document cannot be imported.</exception>
    public static ImportDocument Parse(
        AppDefinition app, ReadOnlyMemory<byte> json, IReadOnlyList<DocumentClip> clips, MendList mends)
    {
        try
        {
            using var parsed = JsonDocument.Parse(json, new() { MaxDepth = JsonText.MaxDepth });
            var root = JsonText.ToNode(parsed.RootElement, "", (place, found, done) =>
                mends.Add(place, found, "one value per name", done));
            return new(app, (JsonObject)root!, clips, mends);
        }
        catch (JsonException wrong)
        {
            throw new BackupFormatException(
                "the document", $"must be JSON, {BackupDocument.Allowed}: {wrong.Message.TrimEnd('.')}");
        }
    }

    /// <summary>The state as it is sent.</summary>
    /// <param name="stored">The stored clips, by hash.</param>
    public byte[] State(IReadOnlyDictionary<string, AudioRef>? stored = null)
    {
        foreach (var (item, name, clip, sampleRate) in _audio)
        {
            var audio = stored?.GetValueOrDefault(clip.Hash)
                ?? new() { Hash = clip.Hash, Length = clip.Length, MediaType = clip.MediaType };
            if (audio.SampleRate == 0) audio = audio with { SampleRate = sampleRate };
            item[name] = JsonSerializer.SerializeToNode(audio, ChatterboxJson.Default.AudioRef);
        }
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes,
            new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) _state.WriteTo(json);
        return bytes.ToArray();
    }

    private static void CheckFormat(JsonObject root)
    {
        if (root["format"] is not JsonValue format || !format.TryGetValue<string>(out var name) || name != BackupDocument.Format)
        {
            throw BackupFormatException.At("format", Show(root["format"]), $"\"{BackupDocument.Format}\"");
        }
        if (root["formatVersion"] is not JsonValue value || !value.TryGetValue<int>(out var version)
            || version != BackupDocument.FormatVersion)
        {
            throw BackupFormatException.At(
                "formatVersion", Show(root["formatVersion"]), $"{BackupDocument.FormatVersion} (this version knows no other)");
        }
    }

    private static int ReadVersion(JsonObject root, string name) =>
        root[name] is JsonValue value && value.TryGetValue<int>(out var version) && version >= 0
            ? version
            : throw BackupFormatException.At(
                name, root.ContainsKey(name) ? Show(root[name]) : "missing", "a whole number, 0 or more");

    // A missing version is the oldest one; migrating from it only adds missing members.
    private int ReadBrowserVersion(JsonObject root)
    {
        if (!root.TryGetPropertyValue("version", out var found)) return 0;
        var text = found?.GetValueKind() is JsonValueKind.String ? found.GetValue<string>() : found?.ToJsonString();
        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && number is >= 0 and <= int.MaxValue && number == Math.Floor(number);
        var version = isNumber ? (int)number : 0;
        if (!isNumber || found!.GetValueKind() is not JsonValueKind.Number)
        {
            _mends.Add("version", Show(found), "a whole number, 0 or more", $"taken as {version}");
        }
        return version;
    }

    private void CheckAudio(JsonObject root)
    {
        if (root["audio"] is not { } audio) return;
        if (audio is not JsonArray entries)
        {
            _mends.Add("audio", Name(audio), "a list of clips", "left out");
            return;
        }
        for (var at = 0; at < entries.Count; at++)
        {
            if (entries[at] is not JsonObject entry || !_places.TryGetValue($"audio[{at}].data", out var number))
            {
                // An invalid clip was already reported at its place.
                if (entries[at] is not JsonObject { Count: > 0 }
                    || !_mends.Listed.Any(mend => mend.Place.StartsWith($"audio[{at}]", StringComparison.Ordinal)))
                {
                    _mends.Add($"audio[{at}]", Name(entries[at]), "a clip with \"hash\", \"mediaType\" and \"data\"", "left out");
                }
                continue;
            }
            ref var clip = ref _clips[number];
            if (entry["hash"] is JsonValue hash && hash.TryGetValue<string>(out var claimed) && claimed != clip.Hash)
            {
                _mends.Add($"audio[{at}].data", $"a clip whose SHA-256 is {clip.Hash}", $"the clip of \"hash\" {claimed}",
                    "left out");
                continue;
            }
            // The declared media type is more reliable than the detected one.
            if (entry["mediaType"] is JsonValue type && type.TryGetValue<string>(out var mediaType)
                && Text.CheckMediaType("mediaType", mediaType) is null)
            {
                clip = clip with { MediaType = mediaType };
            }
        }
    }

    private void MoveAudio(string list, string kind, string audio)
    {
        var urls = 0;
        foreach (var (item, place) in Items(_state[list], $"state.{list}"))
        {
            var clips = item.Select(member => member.Key).Where(name => _places.ContainsKey($"{place}.{name}"))
                .OrderBy(name => name switch { "audioData" => 0, "audioUrl" => 1, _ => 2 }).ToArray();
            foreach (var name in (string[])["audioData", "audioUrl"])
            {
                if (!item.TryGetPropertyValue(name, out var found) || found is null) continue;
                if (name is "audioUrl" && found.GetValueKind() is JsonValueKind.String) urls++;
                else _mends.Add($"{place}.{name}", Name(found), "base64, or a data: URL of it, in a string", "left out");
            }
            foreach (var name in (string[])["audioData", "audioUrl", .. clips]) item.Remove(name);
            if (clips.Length == 0) continue;
            _audio.Add((item, audio, _clips[_places[$"{place}.{clips[0]}"]], TakeSampleRate(item, place)));
            foreach (var name in clips.Skip(1)) _mends.Add($"{place}.{name}", "another clip", "one clip", "left out");
        }
        if (urls > 0)
            _notes.Add($"audioUrl of {urls} {kind}: left out, a blob: URL means nothing outside the browser tab that made it");
    }

    private static IEnumerable<(JsonObject Item, string Place)> Items(JsonNode? list, string place) => list switch
    {
        JsonArray items => items.Select((item, at) => (Item: item as JsonObject, Place: $"{place}[{at}]"))
            .Where(item => item.Item is not null).Select(item => (item.Item!, item.Place)),
        JsonObject items => items.Where(item => item.Value is JsonObject).Select(item => ((JsonObject)item.Value!,
            $"{place}.{item.Key}")),
        _ => [],
    };

    private int TakeSampleRate(JsonObject item, string place)
    {
        if (!item.Remove("sampleRate", out var value) || value is null) return 0;
        if (value is JsonValue number && number.TryGetValue<int>(out var rate) && rate is >= 0 and <= 768_000) return rate;
        _mends.Add($"{place}.sampleRate", Show(value), "0 to 768000 Hz", "taken as unknown");
        return 0;
    }

    private void LeaveOut(JsonObject root, string[] known)
    {
        foreach (var (name, _) in root)
        {
            if (!known.Contains(name)) _notes.Add($"{name}: left out, not part of a document that is imported");
        }
    }

    private static string Show(JsonNode? value) =>
        value is JsonObject or JsonArray ? Name(value)
        : value?.ToJsonString() is not { } text ? "null"
        : text.Length > 40 ? $"{text[..40]}…"
        : text;

    private static string Name(JsonNode? node) => node?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "null",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        _ => "true or false",
    };

    internal static DocumentClip Describe(DocumentScan.Clip clip) =>
        new(Convert.ToHexStringLower(SHA256.HashData(clip.Bytes)), clip.Bytes.Length, clip.MediaType, clip.Place);
}
