using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Tests.Persistence;

/// <summary>Frames with a right checksum and a wrong content.</summary>
internal static class Frames
{
    private static readonly byte[] Spaces = SliceFrame.Encode(Encoding.UTF8.GetBytes(new string(' ', 8 * 1024 * 1024)), 1, 0);

    public static byte[] Of(string json, int version = 1) => SliceFrame.Encode(Encoding.UTF8.GetBytes(json), version, 1024);

    /// <summary>Some hundred bytes that decompress to 8 MB, whatever their header says.</summary>
    public static byte[] Bomb(int claimed)
    {
        var frame = (byte[])Spaces.Clone();
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(8), claimed);
        return Sign(frame);
    }

    public static byte[] Sign(byte[] frame)
    {
        var hash = new XxHash64();
        hash.Append(frame.AsSpan(0, 16));
        hash.Append(frame.AsSpan(SliceFrame.HeaderLength));
        BinaryPrimitives.WriteUInt64LittleEndian(frame.AsSpan(16), hash.GetCurrentHashAsUInt64());
        return frame;
    }
}
