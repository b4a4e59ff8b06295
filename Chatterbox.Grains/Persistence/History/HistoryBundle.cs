using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Chatterbox.Grains.Persistence;

/// <summary>A row's name and bytes, as they were or would have been stored.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.KeptRow")]
internal readonly record struct KeptRow([property: Id(0)] string Name, [property: Id(1)] byte[] Bytes);

/// <summary>Rows that are kept together: an entry of the history with its bytes.</summary>
/// <param name="Detail">The reason in words.</param>
/// <param name="SchemaVersion">The schema version of the silo that kept them.</param>
/// <param name="Revision">The session's revision then.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.HistoryBundle")]
internal sealed record HistoryBundle(
    [property: Id(0)] HistoryReason Reason,
    [property: Id(1)] string Detail,
    [property: Id(2)] DateTimeOffset At,
    [property: Id(3)] int SchemaVersion,
    [property: Id(4)] long Revision,
    [property: Id(5)] ValueList<KeptRow> Rows)
{
    [NonSerialized] private string? _id;

    /// <summary>
    /// 16 hexadecimal digits of the SHA-256 of reason and rows: the same rows are kept once for a reason, and a state once
    /// however often it was replaced, so that undoing over and over takes no place of earlier states.
    /// </summary>
    public string Id => _id ??= HashOf(this);

    public HistoryEntry EntryIn(int slot) => new(
        Id, slot, Reason, Detail, [.. Rows.Select(row => row.Name)], At, Rows.Sum(row => row.Bytes.Length),
        SchemaVersion, Revision);

    /// <summary>
    /// A frame whose body is: length of the header (4 bytes, little-endian), the header (the entry and whose it is, as JSON),
    /// then the rows' bytes one after another. Not compressed: the rows are.
    /// </summary>
    public byte[] Encode(GrainId owner, int slot)
    {
        var header = JsonSerializer.SerializeToUtf8Bytes(
            new HistoryHeader(SliceEnvelope.NameOf(owner, History.IndexName), EntryIn(slot),
                [.. Rows.Select(row => row.Bytes.Length)]),
            HistoryJson.Default.HistoryHeader);
        var body = new byte[sizeof(int) + header.Length + Rows.Sum(row => row.Bytes.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(body, header.Length);
        header.CopyTo(body, sizeof(int));
        var at = sizeof(int) + header.Length;
        foreach (var (_, bytes) in Rows)
        {
            bytes.CopyTo(body, at);
            at += bytes.Length;
        }
        return SliceFrame.Encode(body, schemaVersion: 1, compressionThreshold: int.MaxValue);
    }

    /// <exception cref="FrameException">The bytes are no frame, or a damaged one.</exception>
    /// <exception cref="JsonException">The content is no bundle of this owner.</exception>
    public static (HistoryEntry Entry, HistoryBundle Bundle) Decode(GrainId owner, byte[] frame)
    {
        var body = SliceFrame.Decode(frame).Body.Span;
        var length = body.Length < sizeof(int) ? -1 : BinaryPrimitives.ReadInt32LittleEndian(body);
        if (length < 0 || length > body.Length - sizeof(int)) throw new JsonException("It is no entry of a history.");
        var header = JsonSerializer.Deserialize(body.Slice(sizeof(int), length), HistoryJson.Default.HistoryHeader)!;
        SliceEnvelope.CheckOf(header.Of, SliceEnvelope.NameOf(owner, History.IndexName));
        var rest = body[(sizeof(int) + length)..];
        if (header.Lengths.Length != header.Entry.Slices.Length || header.Lengths.Any(each => each < 0)
            || header.Lengths.Sum(each => (long)each) != rest.Length)
        {
            throw new JsonException("Its rows are not as long as it says.");
        }
        var rows = new List<KeptRow>();
        foreach (var (name, bytes) in header.Entry.Slices.Zip(header.Lengths))
        {
            rows.Add(new(name, rest[..bytes].ToArray()));
            rest = rest[bytes..];
        }
        var entry = header.Entry;
        return (entry, new(entry.Reason, entry.Detail, entry.At, entry.SchemaVersion, entry.Revision, rows.ToValueList()));
    }

    private static string HashOf(HistoryBundle bundle)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(bundle.Reason.IsBefore() ? "before" : bundle.Reason.Name()));
        foreach (var (name, bytes) in bundle.Rows)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"\n{name} {bytes.Length}\n"));
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
