namespace Chatterbox;

/// <summary>The size limits of the text-to-speech app, beside those of every app in <see cref="Limits"/>.</summary>
public static class TtsLimits
{
    /// <summary>Characters (Unicode code points) of text in one chunk: the model's input limit.</summary>
    public const int ChunkTextLength = 300;

    public const int MessageLength = 1000;
    public const int WorkSessions = 200;
    public const int SavedVoices = 500;
    public const int Chunks = 5000;
    public const int BatchItems = 1000;
    public const int ChunkIdsPerItem = 5000;
    public const int TransientErrors = 20;
}
