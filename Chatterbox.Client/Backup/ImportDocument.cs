using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Chatterbox.Client.Backup;

/// <summary>A clip that an imported document brings.</summary>
internal sealed record DocumentClip(string Hash, int Length, string MediaType);

/// <summary>What a document holds besides the bytes of its clips: the state to send, and which clip belongs where.</summary>
internal sealed class ImportDocument
{
    private readonly DocumentClip[] _clips;
    private readonly JsonNode _state;
    private readonly List<(JsonObject Chunk, DocumentClip Clip, int SampleRate)> _chunkAudio = [];
    private readonly List<string> _notes = [];

    private ImportDocument(JsonObject root, IReadOnlyList<DocumentClip> clips)
    {
        _clips = [.. clips];
        Format = root.ContainsKey("format") ? ImportFormat.Export : ImportFormat.Browser;
        if (Format is ImportFormat.Export) CheckFormat(root);
        var versionName = Format is ImportFormat.Export ? "schemaVersion" : "version";
        if (!root.ContainsKey("state"))
        {
            throw BackupFormatException.At("", root.Count == 0 ? "an empty object" : $"an object with {string.Join(", ", root.Select(member => $"\"{member.Key}\"").Take(8))}",
                BackupDocument.Allowed);
        }
        _state = root["state"] as JsonObject ?? throw BackupFormatException.At("state", Name(root["state"]), "an object");
        Version = ReadVersion(root, versionName, Format is ImportFormat.Browser);
        if (Format is ImportFormat.Export) CheckAudio(root);
        else MoveAudio();
        LeaveOut(root, Format is ImportFormat.Export
            ? ["format", "formatVersion", "exportedAt", "store", "schemaVersion", "state", "audio"]
            : ["state", "version"]);
    }

    public ImportFormat Format { get; }

    public int Version { get; }

    /// <summary>What was left out, and why.</summary>
    public IReadOnlyList<string> Notes => _notes;

    public IReadOnlyList<DocumentClip> Clips => _clips;

    /// <exception cref="BackupFormatException">The document is none that can be imported.</exception>
    public static ImportDocument Parse(ReadOnlyMemory<byte> json, IReadOnlyList<DocumentClip> clips)
    {
        try
        {
            using var parsed = JsonDocument.Parse(json, new() { AllowDuplicateProperties = false });
            return new(JsonObject.Create(parsed.RootElement.Clone())!, clips);
        }
        catch (JsonException wrong)
        {
            throw BackupFormatException.At("", wrong.Message.TrimEnd('.'), BackupDocument.Allowed);
        }
    }

    /// <summary>The state as it is sent.</summary>
    /// <param name="stored">What is known of clips that are stored by now, by hash.</param>
    public byte[] State(IReadOnlyDictionary<string, AudioRef>? stored = null)
    {
        foreach (var (chunk, clip, sampleRate) in _chunkAudio)
        {
            var audio = stored?.GetValueOrDefault(clip.Hash) ?? new() { Hash = clip.Hash, Length = clip.Length, MediaType = clip.MediaType };
            if (audio.SampleRate == 0) audio = audio with { SampleRate = sampleRate };
            chunk["audio"] = JsonSerializer.SerializeToNode(audio, ChatterboxJson.Default.AudioRef);
        }
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes)) _state.WriteTo(json);
        return bytes.ToArray();
    }

    private static void CheckFormat(JsonObject root)
    {
        if (root["format"] is not JsonValue format || !format.TryGetValue<string>(out var name) || name != BackupDocument.Format)
        {
            throw BackupFormatException.At("format", Show(root["format"]), $"\"{BackupDocument.Format}\"");
        }
        if (root["formatVersion"] is not JsonValue value || !value.TryGetValue<int>(out var version) || version != BackupDocument.FormatVersion)
        {
            throw BackupFormatException.At("formatVersion", Show(root["formatVersion"]), $"{BackupDocument.FormatVersion}: this version knows no other");
        }
    }

    private static int ReadVersion(JsonObject root, string name, bool optional)
    {
        if (optional && !root.ContainsKey(name)) return 0;
        return root[name] is JsonValue value && value.TryGetValue<int>(out var version) && version >= 0
            ? version
            : throw BackupFormatException.At(name, root.ContainsKey(name) ? Show(root[name]) : "nothing", "a whole number, 0 or more");
    }

    private void CheckAudio(JsonObject root)
    {
        if (root["audio"] is not { } audio) return;
        if (audio is not JsonArray entries) throw BackupFormatException.At("audio", Name(audio), "a list of clips");
        for (var at = 0; at < entries.Count; at++)
        {
            if (entries[at] is not JsonObject entry || entry["data"] is not JsonValue number)
            {
                throw BackupFormatException.At($"audio[{at}]", Name(entries[at]), "a clip with \"hash\", \"mediaType\" and \"data\"");
            }
            ref var clip = ref _clips[number.GetValue<int>()];
            if (entry["hash"] is JsonValue hash && hash.TryGetValue<string>(out var claimed) && claimed != clip.Hash)
            {
                throw BackupFormatException.At($"audio[{at}].data", $"a clip whose SHA-256 is {clip.Hash}", $"the clip of \"hash\" {claimed}");
            }
            // What it was stored as says more than how it begins.
            if (entry["mediaType"] is JsonValue type && type.TryGetValue<string>(out var mediaType)) clip = clip with { MediaType = mediaType };
        }
    }

    private void MoveAudio()
    {
        if (_state["chunks"] is not { } chunks) return;
        if (chunks is not JsonArray all) throw BackupFormatException.At("state.chunks", Name(chunks), "a list of chunks");
        var urls = 0;
        for (var at = 0; at < all.Count; at++)
        {
            if (all[at] is not JsonObject chunk) throw BackupFormatException.At($"state.chunks[{at}]", Name(all[at]), "a chunk");
            chunk.Remove("audioData", out var data);
            chunk.Remove("audioUrl", out var url);
            if (url?.GetValueKind() is JsonValueKind.String) urls++;
            var number = data ?? (url?.GetValueKind() is JsonValueKind.Number ? url : null);
            if (number is not null) _chunkAudio.Add((chunk, _clips[number.GetValue<int>()], TakeSampleRate(chunk, at)));
        }
        if (urls > 0) _notes.Add($"audioUrl of {urls} chunk(s): left out, a blob: URL means nothing outside the browser tab that made it");
    }

    private static int TakeSampleRate(JsonObject chunk, int at)
    {
        if (!chunk.Remove("sampleRate", out var value) || value is null) return 0;
        return value is JsonValue number && number.TryGetValue<int>(out var rate) && rate is >= 0 and <= 768_000
            ? rate
            : throw BackupFormatException.At($"state.chunks[{at}].sampleRate", Show(value), "0 to 768000 Hz");
    }

    private void LeaveOut(JsonObject root, string[] known)
    {
        foreach (var (name, _) in root)
        {
            if (!known.Contains(name)) _notes.Add($"{name}: left out, not part of a document that is imported");
        }
    }

    private static string Show(JsonNode? value) =>
        value is JsonObject or JsonArray ? Name(value) : value?.ToJsonString() is { } text ? text.Length > 40 ? $"{text[..40]}…" : text : "null";

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
        new(Convert.ToHexStringLower(SHA256.HashData(clip.Bytes)), clip.Bytes.Length, clip.MediaType);
}
