namespace Chatterbox.Grains.Tts;

/// <summary>Repairs a state that refers to clips that are no longer stored. Pure.</summary>
internal static class MissingAudio
{
    private const string Interrupted = "its audio is no longer stored; it is interrupted, ready to run again";
    private const string Silent = "its recording is no longer stored; it is restored without";

    /// <summary>
    /// Interrupts chunks whose clip is missing, ready to run again, and removes missing recordings from voices.
    /// </summary>
    public static IEnumerable<(SessionChange Change, string Note)> Changes(AppState state, IReadOnlySet<string> missing) =>
    [
        .. ChunksOf(state, missing)
            .Select(chunk => (new SetChunkStatus(chunk.Id, WorkStatus.Interrupted), $"chunk {chunk.Id}: {Interrupted}")),
        .. VoicesOf(state, missing)
            .Select(voice => (new UpsertVoice(voice with { Prompt = null }), $"voice {voice.Id}: {Silent}")),
    ];

    private static IEnumerable<Chunk> ChunksOf(AppState state, IReadOnlySet<string> missing) =>
        state.Chunks.Where(chunk => chunk.Audio is { } audio && missing.Contains(audio.Hash));

    private static IEnumerable<SavedVoice> VoicesOf(AppState state, IReadOnlySet<string> missing) =>
        state.SavedVoices.Where(voice => voice.Prompt is { } prompt && missing.Contains(prompt.Hash));
}
