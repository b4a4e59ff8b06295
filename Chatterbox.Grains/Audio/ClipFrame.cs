using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Chatterbox.Grains.Audio;

/// <summary>
/// A stored clip: magic <c>CBXA</c>, one byte for the length of the media type, the media type, the clip. The hash is in the key.
/// </summary>
internal static class ClipFrame
{
    private static ReadOnlySpan<byte> Magic => "CBXA"u8;

    public static byte[] Encode(byte[] clip, string mediaType)
    {
        var type = Encoding.UTF8.GetBytes(mediaType);
        return [.. Magic, checked((byte)type.Length), .. type, .. clip];
    }

    public static bool TryDecode(byte[] stored, [NotNullWhen(true)] out string? mediaType, [NotNullWhen(true)] out byte[]? clip)
    {
        (mediaType, clip) = (null, null);
        var bytes = stored.AsSpan();
        if (bytes.Length < 5 || !bytes[..4].SequenceEqual(Magic) || bytes.Length < 5 + bytes[4]) return false;
        mediaType = Encoding.UTF8.GetString(bytes.Slice(5, bytes[4]));
        clip = bytes[(5 + bytes[4])..].ToArray();
        return true;
    }
}
