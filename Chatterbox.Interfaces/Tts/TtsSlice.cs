namespace Chatterbox;

/// <summary>Names of the slices of an <see cref="AppState"/>, as rows and messages have them.</summary>
public static class TtsSlice
{
    public const string Preferences = "preferences";
    public const string WorkSessions = "workSessions";
    public const string SavedVoices = "savedVoices";
    public const string Chunks = "chunks";
    public const string BatchItems = "batchItems";

    /// <summary>Never stored.</summary>
    public const string Runtime = "runtime";
}
