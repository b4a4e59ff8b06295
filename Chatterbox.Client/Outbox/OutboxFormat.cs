using System.Buffers;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;

namespace Chatterbox.Client.Outbox;

/// <summary>
/// The file of an outbox: UTF-8 text, the version in the first line, then a record a line, each with the XxHash64 of its JSON
/// before it. A last line without a line end was interrupted by a crash. Any other damage loses only its own line.
/// </summary>
/// <remarks>
/// Records: <c>{"client":…,"session":…,"run":…}</c> once; <c>{"sequence":…,"change":{…}}</c>;
/// <c>{"gone":[[from,to],…]}</c> for changes that are durable or refused. Every file version stays readable for ever.
/// </remarks>
internal static class OutboxFormat
{
    public const int Version = 1;
    private const int HashLength = 16;

    private static ReadOnlySpan<byte> Magic => "chatterbox-outbox "u8;

    /// <summary>The change's size in bytes, and its JSON.</summary>
    /// <exception cref="ChangeRejectedException">It has no JSON form, such as NaN.</exception>
    public static byte[] Encode(SessionChange change)
    {
        try
        {
            return change.Slice.App!.EncodeChange(change);
        }
        catch (Exception unfit) when (unfit is ArgumentException or InvalidOperationException or JsonException)
        {
            throw new ChangeRejectedException(change,
                new("change", change.GetType().Name, $"values that JSON can hold: {unfit.Message}"));
        }
    }

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

    /// <summary>Reads every intact record. Never throws because of the file's content.</summary>
    public static OutboxContent Read(ReadOnlySpan<byte> file, AppDefinition app)
    {
        var content = new OutboxContent();
        var end = file.IndexOf((byte)'\n');
        // The file was just being created: it held no change yet.
        if (end < 0 && Magic.StartsWith(file[..Math.Min(file.Length, Magic.Length)])) return content;
        if (!file.StartsWith(Magic) || !int.TryParse(file[Magic.Length..Math.Max(end, Magic.Length)], out var version)
            || version < 1)
        {
            content.Damage.Add("its first line is not an outbox header");
            return content;
        }
        content.Version = version;
        if (version > Version) return content;

        for (var number = 2; (file = file[(end + 1)..]).Length > 0; number++)
        {
            end = file.IndexOf((byte)'\n');
            var isWhole = end >= 0;
            if (!isWhole) end = file.Length;
            if (!Take(content, app, file[..end], number) && isWhole) content.Damage.Add($"line {number} is damaged");
            if (!isWhole)
            {
                // Only the line end is damaged.
                if (end > 1 && Take(content, app, file[..(end - 1)], number))
                    content.Damage.Add($"line {number} has lost its end");
                break;
            }
        }
        if (content.Head is null && content.Count > 0) content.Damage.Add("it does not name the client of its changes");
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

    private static bool Take(OutboxContent content, AppDefinition app, ReadOnlySpan<byte> line, int number)
    {
        if (line.Length <= HashLength || line[HashLength] != ' ') return false;
        var body = line[(HashLength + 1)..];
        if (!line[..HashLength].SequenceEqual(HashOf(body))) return false;
        try
        {
            using var record = JsonDocument.Parse(body.ToArray());
            Take(content, app, record.RootElement);
        }
        catch (Exception unknown)
            when (unknown is JsonException or InvalidOperationException or KeyNotFoundException or FormatException
                or NotSupportedException)
        {
            // Intact, but written by a newer client.
            content.Damage.Add($"line {number} cannot be understood: {unknown.Message}");
        }
        return true;
    }

    private static void Take(OutboxContent content, AppDefinition app, JsonElement record)
    {
        if (record.TryGetProperty("change", out var change))
        {
            content.Add(record.GetProperty("sequence").GetInt64(), app.ReadChange(change),
                Encoding.UTF8.GetByteCount(change.GetRawText()));
        }
        else if (record.TryGetProperty("gone", out var gone))
        {
            foreach (var range in gone.EnumerateArray()) content.Remove(range[0].GetInt64(), range[1].GetInt64());
        }
        else
        {
            content.Head = new(record.GetProperty("client").GetString()!, record.GetProperty("session").GetString()!,
                record.GetProperty("run").GetInt64());
        }
    }
}

/// <summary>The owner of a file's changes.</summary>
/// <param name="Client">The client id of the changes, for as long as the file exists.</param>
/// <param name="Run">How often the file was opened. Sequences start with it, so that none is used twice.</param>
internal sealed record OutboxHead(string Client, string Session, long Run)
{
    public long FirstSequence => (Run << 32) + 1;
}
