using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using ZstdSharp;

namespace Chatterbox.Grains.Persistence;

/// <summary>How a frame's body is stored. Numbers are permanent: every codec ever written stays readable.</summary>
internal enum FrameCodec : byte
{
    None = 0,
    Zstd = 1,
}

/// <summary>A frame cannot be read, or a body cannot be framed.</summary>
internal sealed class FrameException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// The bytes of a stored slice: magic, codec, schema version, lengths and checksum before the body, so that damage is noticed
/// before anything is parsed, and the version is known without parsing.
/// </summary>
/// <remarks>
/// Layout, little-endian: magic <c>CBX1</c> (4), codec (1), zero (1), schema version (2), body length (4), stored length (4),
/// XxHash64 of all of the above and the stored body (8), stored body.
/// </remarks>
internal static class SliceFrame
{
    public const int HeaderLength = 24;

    /// <summary>
    /// Above every size that <see cref="Limits"/> allow. A longer body is not written; a frame that claims one is damaged or a
    /// decompression bomb.
    /// </summary>
    public const int LongestBody = 64 * 1024 * 1024;

    private const int CheckedHeaderLength = 16;

    // Level 3 is where real slices stop getting much smaller; see "Decisions" in the README.
    private const int ZstdLevel = 3;

    // Reused: their working memory is larger than most slices, and they keep no data between frames.
    [ThreadStatic] private static Compressor? t_compressor;
    [ThreadStatic] private static Decompressor? t_decompressor;

    private static ReadOnlySpan<byte> Magic => "CBX1"u8;

    /// <summary>Frames a body; compressed if it is longer than the threshold and compression shortens it.</summary>
    /// <exception cref="FrameException">The body is longer than <see cref="Read"/> accepts: writing it would lose it.</exception>
    public static byte[] Encode(ReadOnlySpan<byte> body, int schemaVersion, int compressionThreshold)
    {
        if (body.Length > LongestBody) throw new FrameException($"body: must be at most {LongestBody} bytes, was {body.Length}");
        if (body.Length > compressionThreshold)
        {
            var compressed = (t_compressor ??= new(ZstdLevel)).Wrap(body);
            if (compressed.Length < body.Length) return Assemble(FrameCodec.Zstd, schemaVersion, body.Length, compressed);
        }
        return Assemble(FrameCodec.None, schemaVersion, body.Length, body);
    }

    /// <summary>
    /// The length of a frame's body before compression, without decompressing it. Only for frames that <see cref="Encode"/> made.
    /// </summary>
    public static int BodyLength(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadInt32LittleEndian(frame[8..]);

    /// <summary>The schema version and the body.</summary>
    /// <exception cref="FrameException">The bytes are not a frame, or are damaged.</exception>
    public static (int SchemaVersion, ReadOnlyMemory<byte> Body) Decode(ReadOnlyMemory<byte> frame) =>
        Read(frame, static (version, body) => (version, (ReadOnlyMemory<byte>)body.ToArray()));

    /// <summary>The body; null when the bytes are not a frame, or are damaged.</summary>
    public static byte[]? TryReadBody(ReadOnlyMemory<byte> frame)
    {
        try
        {
            return Read(frame, static (_, body) => body.ToArray());
        }
        catch (FrameException)
        {
            return null;
        }
    }

    /// <summary>
    /// Reads schema version and body without keeping the body: most are large enough to cost a full collection each, were they
    /// allocated.
    /// </summary>
    /// <exception cref="FrameException">The bytes are not a frame, or are damaged.</exception>
    public static T Read<T>(ReadOnlyMemory<byte> frame, Func<int, ReadOnlySpan<byte>, T> read)
    {
        var header = frame.Span;
        if (header.Length < HeaderLength) throw new FrameException($"it has {header.Length} bytes, fewer than a frame's header");
        if (!header[..4].SequenceEqual(Magic)) throw new FrameException("it does not begin with a frame's magic number");

        var codec = (FrameCodec)header[4];
        var schemaVersion = BinaryPrimitives.ReadUInt16LittleEndian(header[6..]);
        var bodyLength = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        var storedLength = BinaryPrimitives.ReadInt32LittleEndian(header[12..]);
        var stored = header[HeaderLength..];
        if (stored.Length != storedLength)
            throw new FrameException($"{stored.Length} bytes follow the header, which says {storedLength}");
        if (Checksum(header[..CheckedHeaderLength], stored)
            != BinaryPrimitives.ReadUInt64LittleEndian(header[CheckedHeaderLength..]))
        {
            throw new FrameException("its checksum does not match");
        }
        if (bodyLength is < 0 or > LongestBody) throw new FrameException($"it claims a body of {bodyLength} bytes");
        switch (codec)
        {
            case FrameCodec.None when bodyLength == storedLength:
                return read(schemaVersion, stored);
            case FrameCodec.None:
                throw new FrameException($"it claims a body of {bodyLength} bytes and holds {storedLength}");
            case FrameCodec.Zstd:
                var buffer = ArrayPool<byte>.Shared.Rent(bodyLength);
                try
                {
                    var body = buffer.AsSpan(0, bodyLength);
                    Decompress(stored, body);
                    return read(schemaVersion, body);
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            default:
                throw new FrameException($"its codec {(byte)codec} is unknown");
        }
    }

    private static byte[] Assemble(FrameCodec codec, int schemaVersion, int bodyLength, ReadOnlySpan<byte> stored)
    {
        var frame = new byte[HeaderLength + stored.Length];
        Magic.CopyTo(frame);
        frame[4] = (byte)codec;
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(6), checked((ushort)schemaVersion));
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(8), bodyLength);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(12), stored.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(frame.AsSpan(CheckedHeaderLength),
            Checksum(frame.AsSpan(0, CheckedHeaderLength), stored));
        stored.CopyTo(frame.AsSpan(HeaderLength));
        return frame;
    }

    private static ulong Checksum(ReadOnlySpan<byte> header, ReadOnlySpan<byte> stored)
    {
        var hash = new XxHash64();
        hash.Append(header);
        hash.Append(stored);
        return hash.GetCurrentHashAsUInt64();
    }

    // Into a buffer of the claimed length: a bomb exceeds the buffer, not the silo's memory.
    private static void Decompress(ReadOnlySpan<byte> stored, Span<byte> body)
    {
        try
        {
            var length = (t_decompressor ??= new()).Unwrap(stored, body);
            if (length != body.Length) throw new FrameException($"its body has {length} bytes instead of {body.Length}");
        }
        catch (ZstdException damage)
        {
            throw new FrameException($"its body cannot be decompressed: {damage.Message}", damage);
        }
    }
}
