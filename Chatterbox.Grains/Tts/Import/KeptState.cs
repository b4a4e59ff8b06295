using Chatterbox.Grains.Import;

namespace Chatterbox.Grains.Tts.Import;

/// <summary>Reduces a state to what its store keeps, by limits and configuration.</summary>
internal static class KeptState
{
    private const int ShownNames = 5;

    /// <summary>The state without parts over the limits. The newest items are kept: lists grow at their end.</summary>
    public static AppState Of(AppState state, Func<AppState, AppState> partialize, Func<SliceDefinition, string> placeOf,
        ImportNotes notes)
    {
        state = state with
        {
            WorkSessions = Newest(state.WorkSessions, TtsLimits.WorkSessions, placeOf(TtsApp.WorkSessions), notes),
            SavedVoices = Newest(state.SavedVoices, TtsLimits.SavedVoices, placeOf(TtsApp.SavedVoices), notes),
            Chunks = Newest(state.Chunks, TtsLimits.Chunks, placeOf(TtsApp.Chunks), notes),
            BatchItems = Newest(state.BatchItems, TtsLimits.BatchItems, placeOf(TtsApp.BatchItems), notes),
        };
        state = WithoutOldWorkSessions(state, partialize(state), placeOf(TtsApp.WorkSessions), notes);
        state = WithinBytes(state, placeOf, notes);
        DescribeUnstored(state, partialize(state), placeOf, notes);
        return state;
    }

    private static ValueList<T> Newest<T>(ValueList<T> items, int most, string place, ImportNotes notes) where T : class, IKeyed
    {
        if (items.Count <= most) return items;
        notes.Mend(place, $"{items.Count} items", $"at most {most}", $"the first {items.Count - most} are left out");
        return items.Skip(items.Count - most).ToValueList();
    }

    // Their chunks are removed with them, since nothing lists them any more.
    private static AppState WithoutOldWorkSessions(AppState state, AppState stored, string place, ImportNotes notes)
    {
        var (gone, orphans) = OldWorkSessions.Of(state, stored);
        if (gone.Count == 0) return state;
        var chunks = state.Chunks.Where(chunk => !orphans.Contains(chunk.Id)).ToValueList();
        var names = string.Join(", ", gone.Take(ShownNames).Select(session => $"'{session.Name}'"));
        notes.Note(
            $"{place}: of {state.WorkSessions.Count} work sessions {stored.WorkSessions.Count} stay, "
            + $"the newest and the one selected; left out: {names}"
            + $"{(gone.Count > ShownNames ? $" and {gone.Count - ShownNames} more" : "")}, "
            + $"with {state.Chunks.Count - chunks.Count} chunks that no other lists");
        return state with { WorkSessions = stored.WorkSessions, Chunks = chunks };
    }

    private static AppState WithinBytes(AppState state, Func<SliceDefinition, string> placeOf, ImportNotes notes)
    {
        var left = (long)Limits.SessionBytes;
        foreach (var slice in TtsApp.Instance.Stored)
        {
            var allowed = Math.Min(left, Limits.SliceBytes);
            var value = slice.Get(state);
            var bytes = slice.Measure(value);
            if (bytes > allowed)
            {
                // Preferences can only be this large because of unknown members.
                object kept = value switch
                {
                    ValueList<WorkSession> items => Last(items, slice, allowed),
                    ValueList<SavedVoice> items => Last(items, slice, allowed),
                    ValueList<Chunk> items => Last(items, slice, allowed),
                    ValueList<BatchItem> items => Last(items, slice, allowed),
                    _ => ((Preferences)value) with { Unknown = null },
                };
                notes.Mend(placeOf(slice), $"{bytes} bytes", $"at most {allowed} bytes",
                    $"the first {slice.Count(value) - slice.Count(kept)} are left out");
                state = (AppState)slice.With(state, kept);
                bytes = slice.Measure(kept);
            }
            left -= bytes;
        }
        return state;
    }

    private static ValueList<T> Last<T>(ValueList<T> items, SliceDefinition slice, long allowed)
    {
        // Counts the brackets, and a comma per item.
        var (bytes, first) = (2L, items.Count);
        while (first > 0 && (bytes += slice.Measure((ValueList<T>)[items[first - 1]])) <= allowed) first--;
        return items.Skip(first).ToValueList();
    }

    private static void DescribeUnstored(AppState state, AppState stored, Func<SliceDefinition, string> placeOf,
        ImportNotes notes)
    {
        foreach (var slice in TtsApp.Instance.Stored.Where(each => each != TtsApp.Preferences))
        {
            var (all, kept) = (slice.Count(slice.Get(state)), slice.Count(slice.Get(stored)));
            if (kept == all) continue;
            notes.Note($"{placeOf(slice)}: this kind of store saves {kept} of {all}; "
                + "the others are gone when it is loaded again");
        }
    }
}
