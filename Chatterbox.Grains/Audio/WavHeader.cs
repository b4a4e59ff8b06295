using System.Buffers.Binary;

namespace Chatterbox.Grains.Audio;

/// <summary>Reads sample rate and duration from a WAV header.</summary>
internal static class WavHeader
{
    /// <summary>The clip's description; rate and duration are 0 when unknown.</summary>
    /// <param name="start">The clip, or enough of its start to include the header.</param>
    public static AudioRef Describe(ReadOnlySpan<byte> start, long length, string hash, string mediaType)
    {
        var (sampleRate, duration) = Read(start, length);
        return new() { Hash = hash, Length = length, MediaType = mediaType, SampleRate = sampleRate, Duration = duration };
    }

    private static (int SampleRate, double Duration) Read(ReadOnlySpan<byte> start, long clipLength)
    {
        if (start.Length < 12 || !start[8..12].SequenceEqual("WAVE"u8)) return default;
        var isBigEndian = start.StartsWith("RIFX"u8);
        var isLong = start.StartsWith("RF64"u8) || start.StartsWith("BW64"u8);
        if (!isBigEndian && !isLong && !start.StartsWith("RIFF"u8)) return default;
        var (rate, bytesPerSecond, longLength) = (0, 0u, 0UL);
        for (var rest = start[12..]; rest.Length >= 8;)
        {
            var name = rest[..4];
            ulong length = Number(rest[4..], isBigEndian);
            var body = rest[8..];
            if (name.SequenceEqual("fmt "u8) && body.Length >= 16)
            {
                rate = (int)Math.Min(Number(body[4..], isBigEndian), 768_000);
                bytesPerSecond = Number(body[8..], isBigEndian);
            }
            // Lengths beyond 4 GiB, of the whole and then of the samples.
            if (isLong && name.SequenceEqual("ds64"u8)
                && body.Length >= 16) longLength = BinaryPrimitives.ReadUInt64LittleEndian(body[8..]);
            if (name.SequenceEqual("data"u8))
            {
                if (isLong && length == uint.MaxValue) length = longLength;
                // A header written before the length was known claims too much: the actual length counts.
                return (rate, Seconds(Math.Min(length, (ulong)(clipLength - start.Length + body.Length)), bytesPerSecond));
            }
            // A chunk of odd length is followed by a byte of padding.
            length += length & 1;
            if (length >= (ulong)body.Length) break;
            rest = body[(int)length..];
        }
        return (rate, 0);
    }

    private static uint Number(ReadOnlySpan<byte> bytes, bool isBigEndian) =>
        isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static double Seconds(ulong bytes, uint bytesPerSecond) =>
        bytesPerSecond == 0 ? 0 : Math.Min(Math.Round((double)bytes / bytesPerSecond, 3), 86_400);
}
