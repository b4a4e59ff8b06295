namespace Chatterbox.Grains.Audio;

/// <summary>Repairs a state that refers to clips that are no longer stored. Pure.</summary>
internal static class MissingAudio
{
    /// <summary>
    /// Interrupts chunks whose clip is missing, ready to run again, and removes missing recordings from voices.
    /// </summary>
    public static IEnumerable<AppStateChange> Changes(AppState state, IReadOnlySet<string> missing) =>
    [
        .. ChunksOf(state, missing).Select(chunk => new SetChunkStatus(chunk.Id, WorkStatus.Interrupted)),
        .. VoicesOf(state, missing).Select(voice => new UpsertVoice(voice with { Prompt = null })),
    ];

    /// <summary>The same for a state that no session has loaded yet, with notes of the changes.</summary>
    public static (AppState State, ValueList<string> Notes) Drop(AppState state, IReadOnlySet<string> missing)
    {
        const string Interrupted = "its audio is no longer stored; it is interrupted, ready to run again";
        const string Silent = "its recording is no longer stored; it is restored without";
        ValueList<string> notes =
        [
            .. ChunksOf(state, missing).Select(chunk => $"chunk {chunk.Id}: {Interrupted}"),
            .. VoicesOf(state, missing).Select(voice => $"voice {voice.Id}: {Silent}"),
        ];
        return (Changes(state, missing).Aggregate(state, (sum, change) => AppStateReducer.Apply(sum, change).State), notes);
    }

    private static IEnumerable<Chunk> ChunksOf(AppState state, IReadOnlySet<string> missing) =>
        state.Chunks.Where(chunk => chunk.Audio is { } audio && missing.Contains(audio.Hash));

    private static IEnumerable<SavedVoice> VoicesOf(AppState state, IReadOnlySet<string> missing) =>
        state.SavedVoices.Where(voice => voice.Prompt is { } prompt && missing.Contains(prompt.Hash));
}
