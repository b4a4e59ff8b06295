namespace Chatterbox.Grains.Tts;

/// <summary>The work sessions that a store does not keep, with their chunks. Pure.</summary>
internal static class OldWorkSessions
{
    /// <param name="stored">The part of the state that the store keeps.</param>
    /// <returns>Empty if the store keeps all work sessions, or none: then it does not store them at all.</returns>
    public static (IReadOnlyList<WorkSession> Sessions, IReadOnlySet<string> ChunkIds) Of(AppState state, AppState stored)
    {
        if (stored.WorkSessions.Count == 0 || stored.WorkSessions.Count >= state.WorkSessions.Count)
            return ([], new HashSet<string>());
        var kept = stored.WorkSessions.Select(session => session.Id).ToHashSet(StringComparer.Ordinal);
        var gone = state.WorkSessions.Where(session => !kept.Contains(session.Id)).ToArray();
        // Chunks listed by another session or a batch are kept.
        return (gone, gone.SelectMany(session => session.ChunkIds)
            .Except(stored.WorkSessions.SelectMany(session => session.ChunkIds))
            .Except(state.BatchItems.SelectMany(item => item.ChunkIds)).ToHashSet(StringComparer.Ordinal));
    }

    /// <summary>The changes that remove them: the chunks first, so that no change leaves a chunk in no work session.</summary>
    public static IEnumerable<AppStateChange> Removals(AppState state, AppState stored)
    {
        var (sessions, chunkIds) = Of(state, stored);
        foreach (var chunk in state.Chunks.Where(chunk => chunkIds.Contains(chunk.Id))) yield return new RemoveChunk(chunk.Id);
        foreach (var session in sessions) yield return new RemoveWorkSession(session.Id);
    }
}
