namespace Chatterbox.Client.Backup;

/// <summary>What kind of audio a clip is, by how it begins.</summary>
public static class AudioMediaType
{
    public const string Wav = "audio/wav";

    public static string Of(ReadOnlySpan<byte> clip) => clip switch
    {
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', ..] => Wav,
        [(byte)'I', (byte)'D', (byte)'3', ..] or [0xFF, 0xFB or 0xF3 or 0xF2, ..] => "audio/mpeg",
        [(byte)'O', (byte)'g', (byte)'g', (byte)'S', ..] => "audio/ogg",
        [(byte)'f', (byte)'L', (byte)'a', (byte)'C', ..] => "audio/flac",
        [0x1A, 0x45, 0xDF, 0xA3, ..] => "audio/webm",
        _ => "application/octet-stream",
    };
}
