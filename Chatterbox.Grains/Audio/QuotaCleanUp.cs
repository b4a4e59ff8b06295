namespace Chatterbox.Grains.Audio;

/// <summary>Which audio a state can do without. Pure.</summary>
internal static class QuotaCleanUp
{
    public static IEnumerable<AudioRef> ClipsOf(AppState state) =>
        state.Chunks.Select(chunk => chunk.Audio).Concat(state.SavedVoices.Select(voice => voice.Prompt)).OfType<AudioRef>();

    /// <summary>
    /// The work sessions, oldest first, that have to lose their audio for so many bytes to become free. Never the current one's,
    /// nor that of voices and of chunks in no work session. Null when all of it would not be enough: then nothing is to be lost.
    /// </summary>
    public static IReadOnlyList<CleanedWorkSession>? Plan(AppState state, long bytes)
    {
        var old = state.WorkSessions.Where(session => session != state.CurrentWorkSession).OrderBy(session => session.UpdatedAt).ToArray();
        var spare = old.SelectMany(session => session.ChunkIds).Except(state.CurrentWorkSession?.ChunkIds ?? []).ToHashSet(StringComparer.Ordinal);
        var needed = ClipsOf(state with { Chunks = state.Chunks.Where(chunk => !spare.Contains(chunk.Id)).ToValueList() })
            .Select(audio => audio.Hash).ToHashSet(StringComparer.Ordinal);

        // A clip is free when the last chunk that has it lets go, so chunks that share one go together, with the oldest of them.
        var byHash = state.Chunks.Where(chunk => chunk.Audio is { } audio && !needed.Contains(audio.Hash)).ToLookup(chunk => chunk.Audio!.Hash);
        var (cleaned, freed) = (new List<CleanedWorkSession>(), 0L);
        foreach (var session in old)
        {
            if (freed >= bytes) break;
            var ids = session.ChunkIds.ToHashSet(StringComparer.Ordinal);
            var clips = byHash.Where(clip => needed.Contains(clip.Key) is false && clip.Any(chunk => ids.Contains(chunk.Id))).ToArray();
            if (clips.Length == 0) continue;
            var length = clips.Sum(clip => clip.First().Audio!.Length);
            cleaned.Add(new(session.Id, session.Name, clips.SelectMany(clip => clip).Select(chunk => chunk.Id).ToValueList(), length));
            needed.UnionWith(clips.Select(clip => clip.Key));
            freed += length;
        }
        return freed >= bytes ? cleaned : null;
    }
}
