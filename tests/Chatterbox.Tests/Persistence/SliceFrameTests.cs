using System.Buffers.Binary;
using System.Text;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Tests.Persistence;

public sealed class SliceFrameTests
{
    private const int Threshold = 64;
    private static readonly byte[] Body = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("Down, down, down. ", 40)));

    // As released; what was once written has to be read for ever.
    private const string GoldenRaw = "434258310000010002000000020000002f55ee2bc0b346717b7d";
    private const string GoldenZstd = "4342583101000100d00200002800000007";

    [Fact(DisplayName = "[P7] frames of each codec are the bytes that were released, and are read")]
    public void Golden_bytes()
    {
        var raw = SliceFrame.Encode("{}"u8, 1, Threshold);
        Assert.Equal(GoldenRaw[..32], Convert.ToHexStringLower(raw)[..32]);
        var (version, body) = SliceFrame.Decode(raw);
        Assert.Equal((1, "{}"), (version, Encoding.UTF8.GetString(body.Span)));

        var compressed = SliceFrame.Encode(Body, 1, Threshold);
        Assert.Equal((byte)FrameCodec.Zstd, compressed[4]);
        Assert.True(compressed.Length < Body.Length);
        Assert.Equal(Body, SliceFrame.Decode(compressed).Body.ToArray());
        Assert.StartsWith(GoldenZstd[..20], Convert.ToHexStringLower(compressed), StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[P7] what compression does not make smaller is stored as it is")]
    public void Incompressible()
    {
        var noise = new byte[5000];
        new Random(1).NextBytes(noise);
        var frame = SliceFrame.Encode(noise, 3, Threshold);
        Assert.Equal((byte)FrameCodec.None, frame[4]);
        Assert.Equal(SliceFrame.HeaderLength + noise.Length, frame.Length);
        Assert.Equal((3, noise.Length), (SliceFrame.Decode(frame).SchemaVersion, SliceFrame.BodyLength(frame)));
    }

    [Fact(DisplayName = "[P7] every single bit that flips is noticed")]
    public void Bit_flips()
    {
        foreach (var frame in (byte[][])[SliceFrame.Encode("{}"u8, 1, Threshold), SliceFrame.Encode(Body, 1, Threshold)])
        {
            for (var bit = 0; bit < frame.Length * 8; bit++)
            {
                var flipped = (byte[])frame.Clone();
                flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.Throws<FrameException>(() => SliceFrame.Decode(flipped));
            }
        }
    }

    [Fact(DisplayName = "[P7] a frame cut anywhere, or with something after it, is noticed")]
    public void Truncation()
    {
        var frame = SliceFrame.Encode(Body, 1, Threshold);
        for (var length = 0; length < frame.Length; length++)
        {
            Assert.Throws<FrameException>(() => SliceFrame.Decode(frame.AsMemory(0, length)));
        }
        Assert.Throws<FrameException>(() => SliceFrame.Decode((byte[])[.. frame, 0]));
    }

    [Theory(DisplayName = "[P7] a header that lies under a checksum that is right is refused before memory is given to it")]
    [InlineData(int.MaxValue, "it claims a body of 2147483647 bytes")]
    [InlineData(-1, "it claims a body of -1 bytes")]
    [InlineData(SliceFrame.LongestBody + 1, "it claims a body of 67108865 bytes")]
    [InlineData(SliceFrame.LongestBody, "its body has 720 bytes instead of 67108864")]
    [InlineData(721, "its body has 720 bytes instead of 721")]
    [InlineData(10, "its body cannot be decompressed: ")]
    public void Bombs(int claimed, string message)
    {
        var frame = SliceFrame.Encode(Body, 1, Threshold);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(8), claimed);
        AssertRefused(message, Frames.Sign(frame));
    }

    [Fact(DisplayName = "[P7] what is wrong with a frame is said")]
    public void In_words()
    {
        var frame = SliceFrame.Encode("{}"u8, 1, Threshold);
        AssertRefused("it has 23 bytes, fewer than a frame's header", frame[..23]);
        AssertRefused("it does not begin with a frame's magic number", [(byte)'X', .. frame[1..]]);
        AssertRefused("3 bytes follow the header, which says 2", Frames.Sign([.. frame, 0]));
        AssertRefused("its checksum does not match", [.. frame[..^1], (byte)']']);
        var lying = (byte[])frame.Clone();
        lying[8] = 3;
        AssertRefused("it claims a body of 3 bytes and holds 2", Frames.Sign(lying));
    }

    [Fact(DisplayName = "[P7] an empty body is one, and a body of just the threshold is not compressed")]
    public void Edges()
    {
        Assert.Equal(0, SliceFrame.Decode(SliceFrame.Encode([], 1, Threshold)).Body.Length);
        Assert.Equal((byte)FrameCodec.None, SliceFrame.Encode(Body, 1, Body.Length)[4]);
        Assert.Equal((byte)FrameCodec.Zstd, SliceFrame.Encode(Body, 1, Body.Length - 1)[4]);
        Assert.Equal(ushort.MaxValue, SliceFrame.Decode(SliceFrame.Encode("{}"u8, ushort.MaxValue, Threshold)).SchemaVersion);
        Assert.Throws<OverflowException>(() => SliceFrame.Encode("{}"u8, ushort.MaxValue + 1, Threshold));
    }

    [Fact(DisplayName = "[P7] frames that are read at once, and one in the other, each have their own bytes")]
    public void At_once()
    {
        var other = Body.Reverse().ToArray();
        var (one, two) = (SliceFrame.Encode(Body, 1, Threshold), SliceFrame.Encode(other, 2, Threshold));
        Assert.True(SliceFrame.Read(one,
            (_, body) => SliceFrame.Read(two, (_, inner) => inner.SequenceEqual(other)) && body.SequenceEqual(Body)));
        Parallel.For(0, 64, number =>
            Assert.Equal(number % 2 == 0 ? Body : other, SliceFrame.Decode(number % 2 == 0 ? one : two).Body.ToArray()));
    }

    [Fact(DisplayName = "[P7] a codec that is not known is refused")]
    public void Unknown_codec()
    {
        var frame = SliceFrame.Encode("{}"u8, 1, Threshold);
        frame[4] = 77;
        Frames.Sign(frame);
        Assert.Contains("77", Assert.Throws<FrameException>(() => SliceFrame.Decode(frame)).Message, StringComparison.Ordinal);
    }

    private static void AssertRefused(string message, byte[] frame) =>
        Assert.StartsWith(message, Assert.Throws<FrameException>(() => SliceFrame.Decode(frame)).Message,
            StringComparison.Ordinal);

    [Theory(DisplayName = "[I3] what can be written can be read: the longest body is, a longer one is not written")]
    [InlineData(0)]
    [InlineData(int.MaxValue)]
    public void Longest(int compressionThreshold)
    {
        var body = new byte[SliceFrame.LongestBody + 1];
        body.AsSpan().Fill((byte)' ');
        var longest = SliceFrame.Encode(body.AsSpan(1), 1, compressionThreshold);
        Assert.Equal(SliceFrame.LongestBody, SliceFrame.Read(longest, (_, read) => read.Length));

        var refused = Assert.Throws<FrameException>(() => SliceFrame.Encode(body, 1, compressionThreshold));
        Assert.Equal("body: must be at most 67108864 bytes, was 67108865", refused.Message);
    }

    [Fact(DisplayName =
        "[I3] every slice and every session that the limits allow fits into a frame, with all clients it remembers")]
    public void Limits_fit()
    {
        const int Applied = 1024 * 1024;
        Assert.True(Limits.SliceBytes + Applied < SliceFrame.LongestBody);
        Assert.True(Limits.SessionBytes + (TtsApp.Instance.Stored.Count * Applied) < SliceFrame.LongestBody);
    }
}
