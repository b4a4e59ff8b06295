using System.Buffers.Binary;
using Chatterbox.Client.Backup;
using Chatterbox.Grains.Audio;

namespace Chatterbox.Tests.Audio;

public sealed class WavHeaderTests
{
    private const int Rate = 24_000;

    [Theory(DisplayName = "[A1] rate and duration are read off every form of WAV, whatever chunks stand before the samples")]
    [InlineData("RIFF", 0)]
    [InlineData("RIFF", 8)]
    [InlineData("RIFF", 7)]
    [InlineData("RIFF", 1)]
    [InlineData("RIFX", 0)]
    [InlineData("RIFX", 7)]
    [InlineData("RF64", 0)]
    [InlineData("RF64", 7)]
    [InlineData("BW64", 3)]
    public void Duration(string form, int listLength)
    {
        var wav = Wav(form, listLength);
        var audio = WavHeader.Describe(wav, wav.Length, "hash", "audio/wav");
        Assert.Equal((Rate, 0.5), (audio.SampleRate, audio.Duration));
        // The start alone is enough.
        var start = wav.AsSpan(0, wav.Length - Rate + 100);
        Assert.Equal(0.5, WavHeader.Describe(start, wav.Length, "hash", "audio/wav").Duration);
        Assert.Equal(AudioMediaType.Wav, AudioMediaType.Of(wav));
    }

    [Fact(DisplayName = "[X3] no bytes make reading a header throw, or say what a clip cannot be")]
    public void AnyBytes()
    {
        var random = new Random(11);
        for (var round = 0; round < 20_000; round++)
        {
            var wav = Wav(((string[])["RIFF", "RIFX", "RF64", "BW64"])[random.Next(4)], random.Next(40))
                .AsSpan(0, random.Next(200)).ToArray();
            for (var fault = random.Next(6); fault > 0
                && wav.Length > 0; fault--) wav[random.Next(wav.Length)] = (byte)random.Next(256);
            var audio = WavHeader.Describe(wav, wav.Length + random.Next(3) * 1000L, "hash", AudioMediaType.Of(wav));
            Assert.InRange(audio.SampleRate, 0, 768_000);
            Assert.InRange(audio.Duration, 0, 86_400);
        }
    }

    [Theory(DisplayName =
        "[A1] the media type is that of the content, and a picture or film in the same container is none of audio")]
    [InlineData("RIFF....WEBPVP8 ", "application/octet-stream")]
    [InlineData("RIFF....AVI LIST", "application/octet-stream")]
    [InlineData("RIFF", "application/octet-stream")]
    [InlineData("FORM....AIFFCOMM", "audio/aiff")]
    [InlineData("FORM....AIFCFVER", "audio/aiff")]
    [InlineData("FORM....ILBMBMHD", "application/octet-stream")]
    [InlineData("....ftypM4A ....", "audio/mp4")]
    [InlineData("....ftypisom....", "audio/mp4")]
    [InlineData("....ftypmp42....", "audio/mp4")]
    [InlineData("....ftypheic....", "application/octet-stream")]
    [InlineData("....ftypavif....", "application/octet-stream")]
    [InlineData("ID3\u0004", "audio/mpeg")]
    [InlineData("\u00ff\u00fb\u0090\u0064", "audio/mpeg")]
    [InlineData("\u00ff\u00fa\u0090\u0064", "audio/mpeg")]
    [InlineData("\u00ff\u00f3\u0048\u00c4", "audio/mpeg")]
    [InlineData("\u00ff\u00e3\u0048\u00c4", "audio/mpeg")]
    [InlineData("\u00ff\u00fd\u0090\u0064", "audio/mpeg")]
    [InlineData("\u00ff\u00f1\u0050\u0080", "audio/aac")]
    [InlineData("\u00ff\u00f9\u0050\u0080", "audio/aac")]
    [InlineData("ADIF", "audio/aac")]
    [InlineData("\u00ff\u00d8\u00ff\u00e0", "application/octet-stream")]
    [InlineData("\u00ff\u00ff\u00ff\u00ff", "application/octet-stream")]
    [InlineData("\u00ff\u00fe\u0041\u0000", "application/octet-stream")]
    [InlineData("OggS", "audio/ogg")]
    [InlineData("fLaC", "audio/flac")]
    [InlineData("\u001a\u0045\u00df\u00a3", "audio/webm")]
    [InlineData("caff", "audio/x-caf")]
    [InlineData("#!AMR\n", "audio/amr")]
    [InlineData("hello", "application/octet-stream")]
    [InlineData("", "application/octet-stream")]
    public void MediaType(string start, string mediaType) =>
        Assert.Equal(mediaType, AudioMediaType.Of(System.Text.Encoding.Latin1.GetBytes(start)));

    /// <summary>Half a second of silence.</summary>
    private static byte[] Wav(string form, int listLength)
    {
        var (isBigEndian, isLong) = (form is "RIFX", form is "RF64" or "BW64");
        using var wav = new MemoryStream();
        Text(form);
        Number(isLong ? uint.MaxValue : 0u);
        Text("WAVE");
        if (isLong)
        {
            Text("ds64");
            Number(28);
            wav.Write(new byte[8]);
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(length, Rate);
            wav.Write(length);
            wav.Write(new byte[12]);
        }
        Text("fmt ");
        Number(16);
        wav.Write(new byte[4]);
        Number(Rate);
        Number(2 * Rate);
        wav.Write(new byte[4]);
        if (listLength > 0)
        {
            Text("LIST");
            Number((uint)listLength);
            wav.Write(new byte[listLength + listLength % 2]);
        }
        Text("data");
        Number(isLong ? uint.MaxValue : Rate);
        wav.Write(new byte[Rate]);
        return wav.ToArray();

        void Text(string text) => wav.Write(System.Text.Encoding.ASCII.GetBytes(text));

        void Number(uint number)
        {
            Span<byte> bytes = stackalloc byte[4];
            if (isBigEndian) BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
            else BinaryPrimitives.WriteUInt32LittleEndian(bytes, number);
            wav.Write(bytes);
        }
    }
}
