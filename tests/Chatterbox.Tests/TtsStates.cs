namespace Chatterbox.Tests;

/// <summary>The slices of a state that the engine holds, where a test knows that it is of the text-to-speech app.</summary>
internal static class TtsStates
{
    extension(SessionState state)
    {
        public AppState Tts => (AppState)state;

        public Preferences Preferences => state.Tts.Preferences;

        public ValueList<WorkSession> WorkSessions => state.Tts.WorkSessions;

        public ValueList<SavedVoice> SavedVoices => state.Tts.SavedVoices;

        public ValueList<Chunk> Chunks => state.Tts.Chunks;

        public ValueList<BatchItem> BatchItems => state.Tts.BatchItems;

        public RuntimeState Runtime => state.Tts.Runtime;
    }
}
