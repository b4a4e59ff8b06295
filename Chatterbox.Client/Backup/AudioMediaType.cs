namespace Chatterbox.Client.Backup;

/// <summary>Finds the media type of a clip from its first bytes.</summary>
public static class AudioMediaType
{
    public const string Wav = "audio/wav";

    /// <summary>The type of a clip whose first bytes match no known audio format.</summary>
    public const string Unknown = "application/octet-stream";

    private const string Mpeg = "audio/mpeg";
    private const string Mp4 = "audio/mp4";
    private const string Aac = "audio/aac";

    public static string Of(ReadOnlySpan<byte> clip)
    {
        // Containers name their content from the ninth byte on: RIFF also holds images (WebP) and video (AVI).
        var inner = clip.Length >= 12 ? clip[8..12] : [];
        if (clip.StartsWith("RIFF"u8) || clip.StartsWith("RIFX"u8) || clip.StartsWith("RF64"u8) || clip.StartsWith("BW64"u8))
        {
            return inner.SequenceEqual("WAVE"u8) ? Wav : Unknown;
        }
        if (clip.StartsWith("FORM"u8)) return inner.SequenceEqual("AIFF"u8)
            || inner.SequenceEqual("AIFC"u8) ? "audio/aiff" : Unknown;
        if (clip.Length >= 12 && clip[4..8].SequenceEqual("ftyp"u8)) return OfBrand(inner);
        if (clip.StartsWith("OggS"u8)) return "audio/ogg";
        if (clip.StartsWith("fLaC"u8)) return "audio/flac";
        if (clip.StartsWith("caff"u8)) return "audio/x-caf";
        if (clip.StartsWith("#!AMR"u8)) return "audio/amr";
        if (clip.StartsWith((ReadOnlySpan<byte>)[0x1A, 0x45, 0xDF, 0xA3])) return "audio/webm";
        if (clip.StartsWith("ADIF"u8)) return Aac;
        // AAC with an ID3 tag is rare: taken as MP3.
        if (clip.StartsWith("ID3"u8)) return Mpeg;
        return clip is [0xFF, var second, var third, ..] ? OfFrame(second, third) : Unknown;
    }

    // The other brands are image formats (HEIC, AVIF).
    private static string OfBrand(ReadOnlySpan<byte> brand) =>
        brand[..3].SequenceEqual("M4A"u8) || brand[..3].SequenceEqual("M4B"u8) || brand[..3].SequenceEqual("M4V"u8)
        || brand[..3].SequenceEqual("iso"u8) || brand[..3].SequenceEqual("mp4"u8) || brand[..3].SequenceEqual("avc"u8)
        || brand[..3].SequenceEqual("3gp"u8) || brand[..3].SequenceEqual("3g2"u8) || brand[..3].SequenceEqual("qt "u8)
        || brand.SequenceEqual("dash"u8) || brand.SequenceEqual("MSNV"u8)
            ? Mp4
            : Unknown;

    // The header of an MPEG audio frame: eleven bits of synchronisation, version, layer (3 is layer I, which nothing writes and
    // UTF-16 text begins like); ADTS has layer 0.
    private static string OfFrame(byte second, byte third)
    {
        if ((second & 0xF6) == 0xF0) return (third >> 2 & 0xF) < 13 ? Aac : Unknown;
        var (version, layer, bitRate, sampleRate) = (second >> 3 & 3, second >> 1 & 3, third >> 4, third >> 2 & 3);
        return (second & 0xE0) == 0xE0 && version != 1 && layer is 1 or 2 && bitRate != 15 && sampleRate != 3 ? Mpeg : Unknown;
    }
}
