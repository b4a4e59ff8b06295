using System.Buffers.Binary;

namespace Chatterbox.Grains.Audio;

/// <summary>Reads sample rate and duration off a WAV clip.</summary>
internal static class WavHeader
{
    /// <summary>What the clip says of itself; rate and duration are 0 when it says nothing.</summary>
    /// <param name="start">The clip, or so much of its start that the header is in it.</param>
    public static AudioRef Describe(ReadOnlySpan<byte> start, long length, string hash, string mediaType)
    {
        var (sampleRate, duration) = Read(start, length);
        return new() { Hash = hash, Length = length, MediaType = mediaType, SampleRate = sampleRate, Duration = duration };
    }

    private static (int SampleRate, double Duration) Read(ReadOnlySpan<byte> start, long clipLength)
    {
        if (start.Length < 12 || !start[..4].SequenceEqual("RIFF"u8) || !start[8..12].SequenceEqual("WAVE"u8)) return default;
        var (rate, bytesPerSecond) = (0, 0u);
        for (var rest = start[12..]; rest.Length >= 8;)
        {
            var name = rest[..4];
            var length = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            var body = rest[8..];
            if (name.SequenceEqual("fmt "u8) && body.Length >= 16)
            {
                rate = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(body[4..]), 768_000);
                bytesPerSecond = BinaryPrimitives.ReadUInt32LittleEndian(body[8..]);
            }
            // A header written before the end was known claims more than there is: what is there counts.
            if (name.SequenceEqual("data"u8)) return (rate, Seconds((uint)Math.Min(length, clipLength - start.Length + body.Length), bytesPerSecond));
            if (length >= body.Length) break;
            rest = body[(int)length..];
        }
        return (rate, 0);
    }

    private static double Seconds(uint bytes, uint bytesPerSecond) =>
        bytesPerSecond == 0 ? 0 : Math.Min(Math.Round((double)bytes / bytesPerSecond, 3), 86_400);
}
