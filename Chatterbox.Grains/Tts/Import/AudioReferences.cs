using Chatterbox.Grains.Import;

namespace Chatterbox.Grains.Tts.Import;

/// <summary>Makes an imported state's audio references consistent: exactly the completed chunks have audio.</summary>
internal static class AudioReferences
{
    /// <summary>Missing audio can be generated again from text, parameters and seed.</summary>
    public static AppState Without(AppState state, ValueList<string> missing, ImportNotes notes)
    {
        if (missing.Count == 0) return state;
        var gone = missing.ToHashSet(StringComparer.Ordinal);
        bool IsGone(AudioRef? audio) => audio is not null && gone.Contains(audio.Hash);
        foreach (var chunk in state.Chunks.Where(chunk => IsGone(chunk.Audio)))
        {
            notes.Note(
                $"chunk {chunk.Id}: its audio is neither in the document nor stored, taken as interrupted, ready to run again");
        }
        foreach (var voice in state.SavedVoices.Where(voice => IsGone(voice.Prompt)))
        {
            notes.Note($"voice {voice.Id}: its recording is neither in the document nor stored, taken without");
        }
        return state with
        {
            Chunks = state.Chunks
                .Select(chunk => IsGone(chunk.Audio) ? chunk with { Status = WorkStatus.Interrupted, Audio = null } : chunk)
                    .ToValueList(),
            SavedVoices = state.SavedVoices.Select(voice => IsGone(voice.Prompt) ? voice with { Prompt = null } : voice)
                .ToValueList(),
        };
    }

    /// <summary>
    /// In a browser's state, work in progress has been interrupted; an export of a working session is not changed.
    /// </summary>
    public static AppState Consistent(AppState state, ImportFormat format, ImportNotes notes)
    {
        var isBrowser = format is ImportFormat.Browser;
        if (isBrowser && state.Preferences.CurrentSessionId is { } current && state.WorkSessions.Find(current) is null)
        {
            notes.Note($"currentSessionId: '{current}' is none of the work sessions, none is selected");
            state = state with { Preferences = state.Preferences with { CurrentSessionId = null } };
        }
        return state with
        {
            Chunks = state.Chunks.Select(chunk => Consistent(chunk, isBrowser, notes)).ToValueList(),
            BatchItems = isBrowser ? state.BatchItems.Select(item => Stopped(item, notes)).ToValueList() : state.BatchItems,
        };
    }

    private static Chunk Consistent(Chunk chunk, bool isBrowser, ImportNotes notes)
    {
        if (chunk is { Status: WorkStatus.Completed, Audio: null } || (isBrowser && chunk.Status is WorkStatus.Generating))
        {
            notes.Note($"chunk {chunk.Id}: was {Name(chunk.Status)}{(chunk.Audio is null ? " without audio" : "")}, "
                + "taken as interrupted, ready to run again");
            return chunk with { Status = WorkStatus.Interrupted, Audio = null };
        }
        if (chunk is not { Status: not WorkStatus.Completed, Audio: not null }) return chunk;
        notes.Note($"chunk {chunk.Id}: its audio is left out, the chunk is not completed ({Name(chunk.Status)})");
        return chunk with { Audio = null };
    }

    private static BatchItem Stopped(BatchItem item, ImportNotes notes)
    {
        if (item.Status is not WorkStatus.Generating) return item;
        notes.Note($"batch item {item.Id}: was generating, taken as interrupted, ready to run again");
        return item with { Status = WorkStatus.Interrupted };
    }

    private static string Name(WorkStatus status) => status.ToString().ToLowerInvariant();
}
