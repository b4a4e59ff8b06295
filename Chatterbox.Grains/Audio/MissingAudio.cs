namespace Chatterbox.Grains.Audio;

/// <summary>What becomes of a state some of whose clips are not stored any more. Pure.</summary>
internal static class MissingAudio
{
    /// <summary>
    /// Interrupts the chunks without their clip, ready to run again, and takes the recording from voices without theirs.
    /// </summary>
    public static IEnumerable<AppStateChange> Changes(AppState state, IReadOnlySet<string> missing) =>
    [
        .. ChunksOf(state, missing).Select(chunk => new SetChunkStatus(chunk.Id, WorkStatus.Interrupted)),
        .. VoicesOf(state, missing).Select(voice => new UpsertVoice(voice with { Prompt = null })),
    ];

    /// <summary>The same for a state that is not a session's yet, and what was changed.</summary>
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
