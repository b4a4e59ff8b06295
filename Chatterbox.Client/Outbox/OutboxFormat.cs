using System.Buffers;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;

namespace Chatterbox.Client.Outbox;

/// <summary>
/// The file of an outbox: UTF-8 text, the version in the first line, then a record a line, each with the XxHash64 of its JSON
/// before it. A line without its end was being written when the client died. Any other damage costs its own line only.
/// </summary>
/// <remarks>
/// Records: <c>{"client":…,"session":…,"run":…}</c> once; <c>{"sequence":…,"change":{…}}</c>; <c>{"gone":[[from,to],…]}</c> for
/// changes that are durable or refused. Versions are for ever: every file ever written stays readable.
/// </remarks>
internal static class OutboxFormat
{
    public const int Version = 1;
    private const int HashLength = 16;

    private static ReadOnlySpan<byte> Magic => "chatterbox-outbox "u8;

    /// <summary>How many bytes the change takes, and the JSON it is kept as.</summary>
    /// <exception cref="ChangeRejectedException">There is no JSON for it: a number that is none.</exception>
    public static byte[] Encode(AppStateChange change)
    {
        try
        {
            return JsonSerializer.SerializeToUtf8Bytes(change, ChatterboxJson.Default.AppStateChange);
        }
        catch (Exception unfit) when (unfit is ArgumentException or InvalidOperationException or JsonException)
        {
            throw new ChangeRejectedException(change, new("change", change.GetType().Name, $"values that JSON can hold: {unfit.Message}"));
        }
    }

    /// <summary>What the change takes at most, known without its JSON; null where that is to be looked at.</summary>
    public static int? MostBytesOf(AppStateChange change) => change switch
    {
        UpdateParameters { Patch: { Unknown: null, LanguageId: null } } => 512,
        SelectEngine or SetStreaming => 128,
        _ => null,
    };

    public static byte[] Head(OutboxHead head)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write(Magic);
        buffer.Write(Encoding.UTF8.GetBytes($"{Version}\n"));
        Record(buffer, json =>
        {
            json.WriteString("client", head.Client);
            json.WriteString("session", head.Session);
            json.WriteNumber("run", head.Run);
        });
        return buffer.WrittenSpan.ToArray();
    }

    public static void Change(IBufferWriter<byte> buffer, long sequence, ReadOnlySpan<byte> change)
    {
        var text = change.ToArray();
        Record(buffer, json =>
        {
            json.WriteNumber("sequence", sequence);
            json.WritePropertyName("change");
            json.WriteRawValue(text, skipInputValidation: true);
        });
    }

    public static void Gone(IBufferWriter<byte> buffer, IReadOnlyList<long> sequences) => Record(buffer, json =>
    {
        json.WriteStartArray("gone");
        for (var index = 0; index < sequences.Count;)
        {
            var from = sequences[index];
            var to = from;
            while (++index < sequences.Count && sequences[index] == to + 1) to++;
            json.WriteStartArray();
            json.WriteNumberValue(from);
            json.WriteNumberValue(to);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    });

    /// <summary>Reads whatever can be read. Never throws for what is in the file.</summary>
    public static OutboxContent Read(ReadOnlySpan<byte> file)
    {
        var content = new OutboxContent();
        var end = file.IndexOf((byte)'\n');
        // The file was being begun: nothing had been taken yet.
        if (end < 0 && Magic.StartsWith(file[..Math.Min(file.Length, Magic.Length)])) return content;
        if (!file.StartsWith(Magic) || !int.TryParse(file[Magic.Length..Math.Max(end, Magic.Length)], out var version) || version < 1)
        {
            content.Damage.Add("its first line is not that of an outbox");
            return content;
        }
        content.Version = version;
        if (version > Version) return content;

        for (var number = 2; (file = file[(end + 1)..]).Length > 0; number++)
        {
            end = file.IndexOf((byte)'\n');
            var isWhole = end >= 0;
            if (!isWhole) end = file.Length;
            if (!Take(content, file[..end], number) && isWhole) content.Damage.Add($"line {number} is damaged");
            if (!isWhole)
            {
                // Only the line's end is damaged.
                if (end > 1 && Take(content, file[..(end - 1)], number)) content.Damage.Add($"line {number} has lost its end");
                break;
            }
        }
        if (content.Head is null && content.Count > 0) content.Damage.Add("it does not say which client's changes it holds");
        return content;
    }

    private static void Record(IBufferWriter<byte> buffer, Action<Utf8JsonWriter> write)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        buffer.Write(HashOf(body.WrittenSpan));
        buffer.Write(" "u8);
        buffer.Write(body.WrittenSpan);
        buffer.Write("\n"u8);
    }

    private static byte[] HashOf(ReadOnlySpan<byte> body) =>
        Encoding.ASCII.GetBytes(Convert.ToHexStringLower(XxHash64.Hash(body)));

    private static bool Take(OutboxContent content, ReadOnlySpan<byte> line, int number)
    {
        if (line.Length <= HashLength || line[HashLength] != ' ') return false;
        var body = line[(HashLength + 1)..];
        if (!line[..HashLength].SequenceEqual(HashOf(body))) return false;
        try
        {
            using var record = JsonDocument.Parse(body.ToArray());
            Take(content, record.RootElement);
        }
        catch (Exception unknown) when (unknown is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or NotSupportedException)
        {
            // Whole, but of a client that knows more than this one.
            content.Damage.Add($"line {number} cannot be understood: {unknown.Message}");
        }
        return true;
    }

    private static void Take(OutboxContent content, JsonElement record)
    {
        if (record.TryGetProperty("change", out var change))
        {
            content.Add(record.GetProperty("sequence").GetInt64(), change.Deserialize(ChatterboxJson.Default.AppStateChange)
                ?? throw new JsonException("There is no change."), Encoding.UTF8.GetByteCount(change.GetRawText()));
        }
        else if (record.TryGetProperty("gone", out var gone))
        {
            foreach (var range in gone.EnumerateArray()) content.Remove(range[0].GetInt64(), range[1].GetInt64());
        }
        else
        {
            content.Head = new(record.GetProperty("client").GetString()!, record.GetProperty("session").GetString()!, record.GetProperty("run").GetInt64());
        }
    }
}

/// <summary>Whose changes a file holds.</summary>
/// <param name="Client">The client that the session knows the changes by, as long as there is the file.</param>
/// <param name="Run">How often the file was taken up. Sequences begin with it, so that none is ever used again for another change.</param>
internal sealed record OutboxHead(string Client, string Session, long Run)
{
    public long FirstSequence => (Run << 32) + 1;
}
