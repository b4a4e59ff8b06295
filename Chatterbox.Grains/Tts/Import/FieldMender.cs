using Chatterbox.Grains.Import;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Chatterbox.Grains.Tts.Import;

/// <summary>Repairs single members of an object in a document so that they can be stored, or leaves them out.</summary>
internal sealed class FieldMender(ImportNotes notes)
{
    private static readonly string[] Statuses = ["pending", "generating", "completed", "error", "interrupted"];

    /// <summary>
    /// A line of text without control characters or white space at its ends, cut to a length; null if there is none.
    /// </summary>
    public string? Line(JsonObject item, string name, string place, int longest)
    {
        item.Remove(name, out var found);
        if (TextOf(found) is not { } text)
        {
            notes.Mend($"{place}.{name}", ImportNotes.Show(found), $"1 to {longest} characters", "taken as missing");
            return null;
        }
        var line = ToLine(text, longest);
        if (line != text || found!.GetValueKind() is not JsonValueKind.String)
        {
            notes.Mend($"{place}.{name}", ImportNotes.Show(found),
                $"1 to {longest} characters, no control characters, no white space at the ends",
                line is null ? "taken as missing" : $"taken as {ImportNotes.Show(JsonValue.Create(line))}");
        }
        if (line is not null) item[name] = line;
        return line;
    }

    /// <summary>Null if nothing is left of it.</summary>
    public static string? ToLine(string text, int longest)
    {
        var line = string.Concat(text.Select(each => char.IsControl(each) ? ' ' : each)).Trim();
        return line.Length == 0 ? null : Cut(line, longest).TrimEnd();
    }

    /// <summary>The start of a text, in UTF-16 units, not ending in half a surrogate pair.</summary>
    public static string Cut(string text, int longest) =>
        text.Length <= longest ? text : text[..(char.IsHighSurrogate(text[longest - 1]) ? longest - 1 : longest)];

    /// <summary>The text of a string, a number or a boolean; null for anything else.</summary>
    public static string? TextOf(JsonNode? found) => found?.GetValueKind() switch
    {
        JsonValueKind.String => found.GetValue<string>(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => found.ToJsonString(),
        _ => null,
    };

    /// <summary>A time: ISO 8601, or milliseconds since 1970 as the browser writes them.</summary>
    /// <param name="isMillisecondsExpected">Whether numbers are valid in this document.</param>
    public void Time(JsonObject item, string name, string place, bool isMillisecondsExpected)
    {
        if (!item.Remove(name, out var found)) return;
        var isNumber = found?.GetValueKind() is JsonValueKind.Number;
        var text = TextOf(found) ?? "";
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var milliseconds))
        {
            if (ToTime(milliseconds) is { } time)
            {
                item[name] = time;
                if (isNumber && isMillisecondsExpected) return;
            }
        }
        else if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            item[name] = time;
            // In the form that the reader accepts.
            if (IsIso(found!)) return;
        }
        notes.Mend($"{place}.{name}", ImportNotes.Show(found), "a time in milliseconds since 1970, or an ISO 8601 text",
            item[name] is { } taken ? $"taken as {ImportNotes.Show(taken)}" : "taken as missing");
    }

    /// <summary>A boolean, or none.</summary>
    public void Truth(JsonObject item, string name, string place)
    {
        if (!item.Remove(name, out var found) || found is null) return;
        bool? taken = TextOf(found) switch { "true" or "1" => true, "false" or "0" => false, _ => null };
        if (taken is not null) item[name] = taken;
        if (found.GetValueKind() is JsonValueKind.True or JsonValueKind.False) return;
        notes.Mend(place, ImportNotes.Show(found), "true or false",
            taken is null ? "left out" : $"taken as {ImportNotes.Show(item[name])}");
    }

    /// <summary>A valid status; a chunk or batch item without one is ready to run.</summary>
    /// <param name="otherwise">The replacement of an invalid status.</param>
    public void Status(JsonObject item, string place, string otherwise)
    {
        var isThere = item.Remove("status", out var found);
        if (found is null)
        {
            item["status"] = otherwise;
            if (!isThere && otherwise is "pending") return;
            notes.Mend($"{place}.status", ImportNotes.Show(found), string.Join(", ", Statuses), $"taken as {otherwise}");
            return;
        }
        var name = found.GetValueKind() is JsonValueKind.String ? found.GetValue<string>().Trim() : "";
        var known = Statuses.FirstOrDefault(status => status.Equals(name, StringComparison.OrdinalIgnoreCase));
        item["status"] = known ?? (otherwise is "pending" ? "interrupted" : otherwise);
        if (found.GetValueKind() is JsonValueKind.String && known == found.GetValue<string>()) return;
        notes.Mend($"{place}.status", ImportNotes.Show(found), string.Join(", ", Statuses), $"taken as {item["status"]}");
    }

    /// <summary>A list of ids without the invalid ones.</summary>
    /// <param name="replaced">Maps an id to its replacement, or to itself.</param>
    public void Ids(JsonObject item, string place, Func<string, IEnumerable<string>> replaced)
    {
        var kept = new List<string>();
        if (item.Remove("chunkIds", out var found) && found is not JsonArray) notes.Mend($"{place}.chunkIds",
            ImportNotes.Show(found), "a list of ids", "taken as empty");
        if (found is JsonArray ids)
        {
            for (var at = 0; at < ids.Count; at++)
            {
                var text = TextOf(ids[at]);
                var line = text is null ? null : ToLine(text, Limits.IdLength);
                if (text is null || line is null)
                {
                    notes.Mend($"{place}.chunkIds[{at}]", ImportNotes.Show(ids[at]), "a chunk's id", "left out");
                    continue;
                }
                var now = replaced(text).ToArray();
                if (now is [var same] && same == text && (line != text || ids[at]!.GetValueKind() is not JsonValueKind.String))
                {
                    notes.Mend($"{place}.chunkIds[{at}]", ImportNotes.Show(ids[at]), "a chunk's id", $"taken as \"{line}\"");
                }
                kept.AddRange(now.Select(id => id == text ? line : id));
            }
        }
        if (kept.Count > TtsLimits.ChunkIdsPerItem)
        {
            notes.Mend($"{place}.chunkIds", $"{kept.Count} ids", $"at most {TtsLimits.ChunkIdsPerItem}", "the rest is left out");
            kept.RemoveRange(TtsLimits.ChunkIdsPerItem, kept.Count - TtsLimits.ChunkIdsPerItem);
        }
        item["chunkIds"] = new JsonArray([.. kept.Select(id => (JsonNode)id)]);
    }

    /// <summary>Unknown members: those too large or too deep to be kept are left out, the largest first.</summary>
    public void Unknown(JsonObject item, string place, params IEnumerable<string> known)
    {
        var unknown = item.Where(member => !known.Contains(member.Key))
            .Select(member => (Name: member.Key, Length: (long)member.Key.Length + (member.Value?.ToJsonString().Length ?? 4),
                member.Value))
            .OrderByDescending(member => Depth(member.Value) > Limits.UnknownDepth).ThenByDescending(member => member.Length)
                .ToArray();
        var length = unknown.Sum(member => member.Length);
        foreach (var member in unknown)
        {
            var isTooDeep = Depth(member.Value) > Limits.UnknownDepth;
            if (!isTooDeep && length <= Limits.UnknownBytes) return;
            length -= member.Length;
            item.Remove(member.Name);
            notes.Mend($"{place}.{member.Name}", isTooDeep ? $"JSON of {Depth(member.Value)} levels"
                : $"{member.Length} characters",
                $"at most {Limits.UnknownBytes} and {Limits.UnknownDepth} levels in members that the app does not know",
                    "left out");
        }
    }

    /// <summary>A reference to a clip, or none if it is invalid.</summary>
    public void Audio(JsonObject item, string name, string place)
    {
        place = $"{place}.{name}";
        if (!item.TryGetPropertyValue(name, out var found)) return;
        item.Remove(name);
        if (found is null) return;
        var hash = (found as JsonObject)?["hash"] is { } text
            && text.GetValueKind() is JsonValueKind.String ? text.GetValue<string>() : "";
        if (found is not JsonObject audio || hash.Length != 64 || !hash.All(char.IsAsciiHexDigit))
        {
            notes.Mend(place, found is JsonObject ? "a reference without a SHA-256" : ImportNotes.Show(found),
                "a clip's hash, length and media type", "left out");
            return;
        }
        if (!IsNumber(audio["length"], 1, Limits.ClipBytes, isWhole: true))
        {
            notes.Mend($"{place}.length", ImportNotes.Show(audio["length"]), $"1 to {Limits.ClipBytes} bytes",
                "the reference is left out");
            return;
        }
        item[name] = audio;
        if (hash.Any(char.IsAsciiLetterUpper))
        {
            audio["hash"] = hash.ToLowerInvariant();
            notes.Mend($"{place}.hash", hash, "lower-case hexadecimal digits", "taken as such");
        }
        Keep(audio, "sampleRate", place, "0 to 768000 Hz", value => IsNumber(value, 0, 768_000, isWhole: true));
        Keep(audio, "duration", place, "0 to 86400 s", value => IsNumber(value, 0, 86_400, isWhole: false));
        Keep(audio, "mediaType", place, "a media type such as audio/wav", value =>
            value.GetValueKind() is JsonValueKind.String && Text.CheckMediaType("", value.GetValue<string>()) is null);
        Unknown(audio, place, "hash", "length", "sampleRate", "duration", "mediaType");
    }

    private void Keep(JsonObject item, string name, string place, string allowed, Func<JsonNode, bool> isAllowed)
    {
        if (!item.TryGetPropertyValue(name, out var found) || (found is not null && isAllowed(found))) return;
        item.Remove(name);
        if (found is not null) notes.Mend($"{place}.{name}", ImportNotes.Show(found), allowed, "taken as missing");
    }

    private static bool IsNumber(JsonNode? value, double least, double most, bool isWhole) =>
        value?.GetValueKind() is JsonValueKind.Number
        && double.TryParse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && number >= least && number <= most
        && (!isWhole || long.TryParse(value.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _));

    private static DateTimeOffset? ToTime(double milliseconds)
    {
        try
        {
            return DateTimeOffset.FromUnixTimeMilliseconds(checked((long)milliseconds));
        }
        catch (Exception outOfRange) when (outOfRange is ArgumentException or OverflowException)
        {
            return null;
        }
    }

    private static bool IsIso(JsonNode text)
    {
        try
        {
            return JsonSerializer.Deserialize<DateTimeOffset>(text) is var _;
        }
        catch (Exception other) when (other is JsonException or FormatException or InvalidOperationException)
        {
            return false;
        }
    }

    private static int Depth(JsonNode? value) => value switch
    {
        JsonObject members => 1 + members.Select(member => Depth(member.Value)).DefaultIfEmpty().Max(),
        JsonArray items => 1 + items.Select(Depth).DefaultIfEmpty().Max(),
        _ => 0,
    };
}
