using Chatterbox.Client;

namespace Chatterbox.Tests.State;

public sealed class RejectionTests
{
    [Fact(DisplayName = "[X2] an error says which field, what it must be and what it was")]
    public void Template()
    {
        Assert.Equal("changes: must be 1 to 1000 per call, was 2000",
            new Rejection("changes", "2000", "1 to 1000 per call").Message);
        Assert.Equal("name: must be 1 to 200 characters, was 'a b'",
            Rejection.OfText("name", "a b", "1 to 200 characters").Message);
        Assert.Equal("chunk: must be a chunk, was missing", Rejection.OfText("chunk", null, "a chunk").Message);
    }

    [Fact(DisplayName = "[X2] a long value is cut in its error, never within a character, and its length is said")]
    public void Cut()
    {
        Assert.Equal($"'{new string('a', 80)}'", Rejection.OfText("f", new string('a', 80), "").Value);
        Assert.Equal($"'{new string('a', 80)}…' (81 characters)", Rejection.OfText("f", new string('a', 81), "").Value);
        Assert.Equal($"'{new string('a', 79)}…' (81 characters)", Rejection.OfText("f", new string('a', 79) + "😀", "").Value);
    }

    [Fact(DisplayName = "[X2] a text that is too long is measured as it is limited: in code points")]
    public void Characters()
    {
        var text = string.Concat(Enumerable.Repeat("😀", TtsLimits.ChunkTextLength + 1));
        var refused = Text.CheckText("chunk.text", text, 1, TtsLimits.ChunkTextLength)!;
        Assert.EndsWith($"…' ({TtsLimits.ChunkTextLength + 1} characters)", refused.Value, StringComparison.Ordinal);
        Assert.Null(Text.CheckText("chunk.text", text[2..], 1, TtsLimits.ChunkTextLength));
    }

    [Fact(DisplayName = "[C3] a full outbox says what it holds, what it may hold and what has no room")]
    public void Outbox() => Assert.Equal(
        "outbox: must be at most 10 changes and 1000 bytes, was 10 changes of 90 bytes that are not "
        + "durable yet; no room for 2 changes",
        new OutboxFullException(10, 90, 10, 1000, "2 changes").Message);
}
