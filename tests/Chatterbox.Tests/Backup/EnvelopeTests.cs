using System.Text;

namespace Chatterbox.Tests.Backup;

public sealed class EnvelopeTests
{
    [Theory(DisplayName = "[R4] what is no document to import is refused and says what it is")]
    [InlineData("[1, 2]", "an array")]
    [InlineData("5", "a number")]
    [InlineData("null", "was null")]
    [InlineData("", "was an empty file")]
    [InlineData("{}", "was an empty object")]
    [InlineData("""{"version": 1}""", "was an object with \"version\"")]
    [InlineData("""{"state": 5}""", "state: must be an object, was a number")]
    [InlineData("""{"state": null}""", "state: must be an object, was null")]
    [InlineData("""{"format": "other", "state": {}}""", "format: must be \"chatterbox-export\", was \"other\"")]
    [InlineData("""{"format": "chatterbox-export", "formatVersion": 2, "state": {}}""",
        "formatVersion: must be 1 (this version knows no other), was 2")]
    [InlineData("""{"format": "chatterbox-export", "formatVersion": 1, "state": {}}""",
        "schemaVersion: must be a whole number, 0 or more, was missing")]
    public async Task Refused(string json, string says)
    {
        var refused = await Documents.RefusedAsync(Documents.Of(json));
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.Contains("must be ", refused.Message, StringComparison.Ordinal);
    }

    [Theory(DisplayName = "[R4] what is no JSON is refused with line and byte")]
    [InlineData("hello", "line 1, byte 1")]
    [InlineData("{\"state\":\n{\"a\": nope}}", "line 2, byte 8")]
    [InlineData("{\"state\":{}}\n}", "line 2, byte 1")]
    public async Task NoJson(string text, string place) =>
        Assert.Equal(place, (await Documents.RefusedAsync(Documents.Of(text))).Place);

    [Fact(DisplayName = "[R4] a file truncated anywhere is refused and says where it ends")]
    public async Task Truncated()
    {
        var whole = await BytesOf("browser-state-v0.json");
        for (var length = 1; length < whole.AsSpan().TrimEnd((byte)'\n').Length; length++)
        {
            var refused = await Documents.RefusedAsync(new MemoryStream(whole, 0, length));
            Assert.StartsWith("line ", refused.Place, StringComparison.Ordinal);
            Assert.Contains("truncated", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact(DisplayName = "[R4] a truncated file says which value it ends in")]
    public async Task TruncatedWithin()
    {
        var refused =
            await Documents.RefusedAsync(Documents.Of("""{"state": {"chunks": [{"id": "c1"}, {"id": "c2", "audioData": "UklG"""));
        Assert.Contains("within state.chunks[1].audioData", refused.Message, StringComparison.Ordinal);
    }

    [Theory(DisplayName = "[R4] audio that is no base64 is left out, and told with its path")]
    [InlineData("\"UklG$$$$\"", "'$$$$' at character 5 of 8")]
    [InlineData("\"UklGR\"", "at character 5 of 5")]
    [InlineData("\"data:audio/wav,UklG\"", "a data: URL that begins with")]
    [InlineData("17", "a number")]
    [InlineData("{}", "an object")]
    public async Task BadAudio(string value, string says)
    {
        var (document, clips) = await Documents.ReadAsync(Documents.Of(
            $$$"""{"state": {"chunks": [{"id": "c1"}, {"audioData": {{{value}}}}, {"audioData": "UklG"}]}}"""));
        var mend = Assert.Single(document.Mends.Listed);
        Assert.Equal("state.chunks[1].audioData", mend.Place);
        Assert.Contains(says, mend.Found, StringComparison.Ordinal);
        Assert.Equal([(byte)'R', (byte)'I', (byte)'F'], Assert.Single(clips));
    }

    [Theory(DisplayName = "[R4] a version that is none is mended")]
    [InlineData("\"1\"", 1)]
    [InlineData("1.5", 0)]
    [InlineData("null", 0)]
    [InlineData("-1", 0)]
    [InlineData("{}", 0)]
    [InlineData("1e99999999999", 0)]
    public async Task Version(string version, int taken)
    {
        var (document, _) = await Documents.ReadAsync(Documents.Of($$$"""{"state": {}, "version": {{{version}}}}"""));
        Assert.Equal(taken, document.Version);
        Assert.Equal("version", Assert.Single(document.Mends.Listed).Place);
    }

    [Fact(DisplayName = "[R4] a name used twice in an object counts once, with its last value, as a browser reads it")]
    public async Task Twice()
    {
        var (document, _) =
            await Documents.ReadAsync(Documents.Of("""{"state": {"a": 1}, "state": {"b": 1, "c": {"d": 1, "d": 2}}}"""));
        Assert.Equal("""{"b":1,"c":{"d":2}}""", Encoding.UTF8.GetString(document.State()));
        Assert.Equal(["state", "state.c.d"], document.Mends.Listed.Select(mend => mend.Place));
    }

    [Fact(DisplayName = "[R4] a clip that is too large is left out, and the rest is taken")]
    public async Task HugeClip()
    {
        var clip = new string('A', (Limits.ClipBytes / 3 + 1) * 4);
        var (document, clips) = await Documents.ReadAsync(Documents.Of(
            $$$"""{"state": {"chunks": [{"id": "c1", "audioData": "{{{clip}}}"}, {"id": "c2", "audioData": "UklG"}]}}"""));
        Assert.Equal("state.chunks[0].audioData", Assert.Single(document.Mends.Listed).Place);
        Assert.Single(clips);
    }

    [Fact(DisplayName = "[X2] a document of more than the limit without its audio is refused while it is read")]
    public async Task Huge()
    {
        var item = new string('a', 1000);
        await using var endless = new EndlessStream("{\"state\":{\"x\":["u8.ToArray(), Encoding.UTF8.GetBytes($"\"{item}\","));
        var refused = await Documents.RefusedAsync(endless);
        Assert.Contains($"at most {Limits.ImportBytes} bytes", refused.Message, StringComparison.Ordinal);
        Assert.True(endless.Given < Limits.ImportBytes * 1.1, "It read on.");
    }

    [Fact(DisplayName = "[X2] a single value of more than a clip's size is refused while it is read")]
    public async Task HugeValue()
    {
        await using var endless =
            new EndlessStream("{\"state\":{\"x\":\""u8.ToArray(), Encoding.UTF8.GetBytes(new string('a', 64 * 1024)));
        var refused = await Documents.RefusedAsync(endless);
        Assert.Equal("state.x", refused.Place);
        Assert.True(endless.Given <= Limits.ClipBytes * 4L + 64 * 1024, "It read on.");
    }

    [Fact(DisplayName = "[R4] a document reads the same however it arrives, a byte at a time and after a byte order mark")]
    public async Task InPieces()
    {
        var whole = await BytesOf("browser-state-v1.json");
        var (expected, clips) = await Documents.ReadAsync(new MemoryStream(whole));
        var (document, sameClips) = await Documents.ReadAsync(new ByteByByteStream([0xEF, 0xBB, 0xBF, .. whole]));
        Assert.Equal(expected.State(), document.State());
        Assert.Equal(clips, sameClips);
    }

    [Theory(DisplayName = "[R4] bytes and escapes that are no Unicode are replaced, in names and in texts, and told")]
    [InlineData("\\ud83d", "\ufffd")]
    [InlineData("a\\udead\\n\\u0041\\\"", "a\ufffd\nA\"")]
    [InlineData("\\ud83d\\ude00\\ud83d", "\ud83d\ude00\ufffd")]
    public async Task NotUnicode(string escaped, string text)
    {
        var (document, _) = await Documents.ReadAsync(Documents.Of($$$"""{"state": {"{{{escaped}}}": "{{{escaped}}}"}}"""));
        Assert.Equal(2, document.Mends.Listed.Count);
        var member = Assert.Single(System.Text.Json.Nodes.JsonNode.Parse(document.State())!.AsObject());
        Assert.Equal((text, text), (member.Key, member.Value!.GetValue<string>()));
    }

    [Fact(DisplayName = "[R4] a file in another encoding than UTF-8 is taken, with what cannot be read replaced")]
    public async Task Latin1()
    {
        var (document, _) = await Documents.ReadAsync(new MemoryStream(Encoding.Latin1.GetBytes("""{"state": {"a": "café"}}""")));
        Assert.Equal("caf\ufffd", System.Text.Json.Nodes.JsonNode.Parse(document.State())!["a"]!.GetValue<string>());
        Assert.Equal("state.a", Assert.Single(document.Mends.Listed).Place);
    }

    private static async Task<byte[]> BytesOf(string fixture)
    {
        using var bytes = new MemoryStream();
        await using var file = Documents.Fixture(fixture);
        await file.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    private sealed class ByteByByteStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(1, buffer.Length)], cancellationToken);
    }

    /// <summary>A beginning, and then the same again and again.</summary>
    private sealed class EndlessStream(byte[] beginning, byte[] again) : MemoryStream
    {
        public long Given { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var length = 0;
            for (; length < buffer.Length; length++, Given++)
            {
                buffer.Span[length] = Given < beginning.Length
                    ? beginning[Given]
                    : again[(Given - beginning.Length) % again.Length];
            }
            return ValueTask.FromResult(length);
        }
    }
}
