using Chatterbox.Grains.Audio;

namespace Chatterbox.Grains.Tts;

/// <param name="WorkSessions">The work sessions that lose audio, oldest first.</param>
/// <param name="LooseChunks">Chunks in no work session that lose their audio.</param>
/// <param name="Bytes">The bytes freed.</param>
internal sealed record QuotaPlan(ValueList<CleanedWorkSession> WorkSessions, ValueList<string> LooseChunks, long Bytes)
{
    public IEnumerable<string> ChunkIds => WorkSessions.SelectMany(session => session.ChunkIds).Concat(LooseChunks);

    public CleanUpPlan ToCleanUp() =>
        new([.. ChunkIds.Select(chunk => new SetChunkStatus(chunk, WorkStatus.Pending))], Bytes, WorkSessions, LooseChunks);
}

/// <summary>Selects the audio to drop for a quota. Pure.</summary>
internal static class QuotaCleanUp
{
    public static IEnumerable<AudioRef> ClipsOf(AppState state) => TtsApp.Instance.ClipsOf(state);

    /// <summary>
    /// The work sessions, and the chunks in none, that must lose their audio to free this many bytes: oldest first, by the last
    /// update of a work session and the creation of a chunk. Never the current work session's, nor that of voices. Null when all
    /// of it would not be enough: then nothing is dropped.
    /// </summary>
    public static QuotaPlan? Plan(AppState state, long bytes)
    {
        var listed = state.WorkSessions.SelectMany(session => session.ChunkIds).ToHashSet(StringComparer.Ordinal);
        var current = (state.CurrentWorkSession?.ChunkIds ?? []).ToHashSet(StringComparer.Ordinal);
        var needed = ClipsOf(state with { Chunks = state.Chunks.Where(chunk => current.Contains(chunk.Id)).ToValueList() })
            .Select(audio => audio.Hash).ToHashSet(StringComparer.Ordinal);
        var sessions = state.WorkSessions.Where(session => session != state.CurrentWorkSession)
            .Select(session => new Unit(session.UpdatedAt, session, session.ChunkIds));
        var loose = state.Chunks.Where(chunk => !listed.Contains(chunk.Id))
            .Select(chunk => new Unit(chunk.CreatedAt, null, [chunk.Id]));

        // A clip is freed only when no chunk refers to it, so chunks that share a clip lose it together, ordered by the oldest.
        var withAudio = state.Chunks.Where(chunk => chunk.Audio is not null).ToArray();
        var byHash = withAudio.ToLookup(chunk => chunk.Audio!.Hash);
        var hashes = withAudio.ToDictionary(chunk => chunk.Id, chunk => chunk.Audio!.Hash, StringComparer.Ordinal);
        var (cleaned, looseChunks, freed) = (new List<CleanedWorkSession>(), new List<string>(), 0L);
        foreach (var (_, session, ids) in sessions.Concat(loose).OrderBy(unit => unit.At))
        {
            if (freed >= bytes) break;
            var clips = ids.Select(id => hashes.GetValueOrDefault(id)).OfType<string>().Where(needed.Add).ToArray();
            if (clips.Length == 0) continue;
            var length = clips.Sum(hash => byHash[hash].First().Audio!.Length);
            var chunks = clips.SelectMany(hash => byHash[hash]).Select(chunk => chunk.Id);
            if (session is null) looseChunks.AddRange(chunks);
            else cleaned.Add(new(session.Id, session.Name, chunks.ToValueList(), length));
            freed += length;
        }
        return freed >= bytes ? new(cleaned.ToValueList(), looseChunks.ToValueList(), freed) : null;
    }

    /// <summary>Chunks that lose their audio together.</summary>
    private readonly record struct Unit(DateTimeOffset At, WorkSession? Session, ValueList<string> ChunkIds);
}
