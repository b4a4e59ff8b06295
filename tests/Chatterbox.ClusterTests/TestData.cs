namespace Chatterbox.ClusterTests;

internal static class TestData
{
    public static Chunk Chunk(string id, string text = "Alice was beginning to get very tired.") => new()
    {
        Id = id,
        Text = text,
        Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox),
    };
}
