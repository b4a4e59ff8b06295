namespace Chatterbox.EndToEndTests;

internal static class TestData
{
    public static Chunk Chunk(string id) => new()
    {
        Id = id,
        Text = "So she was considering in her own mind.",
        Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox),
    };
}
