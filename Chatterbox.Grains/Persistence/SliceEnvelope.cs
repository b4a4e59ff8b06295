using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Chatterbox.Grains.Session;

namespace Chatterbox.Grains.Persistence;

/// <summary>A stored slice: <c>{of, version, revision, applied, state}</c>.</summary>
/// <param name="Revision">The session's revision when it was written.</param>
/// <param name="Value">The slice; null once it has been cleared.</param>
/// <param name="SavedAt">When it was written, in stores that expire.</param>
internal sealed record SliceEnvelope(long Revision, AppliedMap Applied, object? Value, DateTimeOffset? SavedAt = null)
{
    private static readonly JsonWriterOptions Compact = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private const int LargestKeptBuffer = 1024 * 1024;

    // Reused: allocated for every save, it would be the silo's largest source of garbage.
    [ThreadStatic] private static ArrayBufferWriter<byte>? t_buffer;

    /// <summary>The owner recorded in a row: session and row. An intact row in the wrong place counts as damage.</summary>
    public static string NameOf(GrainId owner, string row) => $"{owner.Key}/{row}";

    /// <exception cref="JsonException">The content belongs to another row. Older rows without an owner are accepted.</exception>
    public static void CheckOf(string? found, string expected)
    {
        // Does not name the owner: the message may reach another user.
        if (found is not null && found != expected) throw new JsonException("It is the content of another row.");
    }

    public byte[] Encode(GrainId owner, SliceDefinition slice, int version, int compressionThreshold)
    {
        var buffer = t_buffer ?? new(512);
        // Taken out during use, so that a failure leaves no partial content in it.
        t_buffer = null;
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            writer.WriteStartObject();
            writer.WriteString("of", NameOf(owner, slice.Name));
            writer.WriteNumber("version", version);
            writer.WriteNumber("revision", Revision);
            if (SavedAt is { } at) writer.WriteString("savedAt", at);
            writer.WriteStartObject("applied");
            foreach (var entry in Applied.Entries)
            {
                writer.WriteStartArray(entry.Client);
                writer.WriteNumberValue(entry.Sequence);
                writer.WriteNumberValue(entry.Day);
                if (entry.HasLeft) writer.WriteNumberValue(1);
                writer.WriteEndArray();
            }
            writer.WriteEndObject();
            if (Value is not null)
            {
                writer.WritePropertyName("state");
                slice.Write(writer, Value);
            }
            writer.WriteEndObject();
        }
        var frame = SliceFrame.Encode(buffer.WrittenSpan, version, compressionThreshold);
        buffer.ResetWrittenCount();
        if (buffer.Capacity <= LargestKeptBuffer) t_buffer = buffer;
        return frame;
    }

    /// <summary>Reads a body of the current version, after migrating it if needed.</summary>
    /// <exception cref="JsonException">The body is not an envelope of this slice.</exception>
    /// <exception cref="MigrationException">A migration step failed.</exception>
    public static SliceEnvelope Decode(GrainId owner, SliceDefinition slice, int version, ReadOnlySpan<byte> body,
        MigrationChain migrations)
    {
        long? revision = null;
        var applied = AppliedMap.Empty;
        object? value = null;
        DateTimeOffset? savedAt = null;
        var reader = new Utf8JsonReader(body);
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = reader.GetString();
            reader.Read();
            switch (member)
            {
                case "of":
                    CheckOf(reader.GetString(), NameOf(owner, slice.Name));
                    break;
                case "revision":
                    revision = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) && number >= 0
                        ? number
                        : throw new JsonException("The revision is not a whole number.");
                    break;
                case "savedAt":
                    savedAt = reader.GetDateTimeOffset();
                    break;
                case "applied":
                    applied = ReadApplied(ref reader);
                    break;
                case "state":
                    value = version == migrations.CurrentVersion
                        ? slice.Read(ref reader)
                        : slice.Read(migrations.Migrate(slice.Name, JsonNode.Parse(ref reader), version));
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        if (reader.TokenType != JsonTokenType.EndObject || reader.Read())
            throw new JsonException("The envelope does not end where it should.");
        // An envelope without a state is a cleared slice: any other object must not be taken for one.
        return new(revision ?? throw new JsonException("It is no envelope: it has no revision."), applied, value, savedAt);
    }

    // {"client": [sequence, day]}, with a third member for a detached client. A sequence alone is from an older row without days:
    // its client is remembered until it sends a change or detaches.
    private static AppliedMap ReadApplied(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("'applied' is not an object.");
        var applied = AppliedMap.Empty;
        Span<long> numbers = stackalloc long[3];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var client = reader.GetString()!;
            var count = 0;
            reader.Read();
            if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var sequence))
            {
                applied = applied.With(new AppliedEntry(client, sequence, int.MaxValue));
                continue;
            }
            if (reader.TokenType != JsonTokenType.StartArray) throw NoEntry();
            while (reader.Read() && reader.TokenType == JsonTokenType.Number)
            {
                if (count == numbers.Length || !reader.TryGetInt64(out numbers[count++])) throw NoEntry();
            }
            if (reader.TokenType != JsonTokenType.EndArray || count < 2 || numbers[1] is < 0 or > int.MaxValue) throw NoEntry();
            applied = applied.With(new AppliedEntry(client, numbers[0], (int)numbers[1], count == 3));
        }
        return applied;

        static JsonException NoEntry() => new("An entry of 'applied' is not a sequence and a day.");
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token)
    {
        if (!reader.Read() || reader.TokenType != token) throw new JsonException($"{token} is expected.");
    }
}
