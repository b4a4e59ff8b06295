namespace Chatterbox;

/// <summary>The result of a change: the new state, or the old state and the reason for the refusal.</summary>
public readonly record struct ChangeResult(AppState State, Rejection? Rejection)
{
    public static implicit operator ChangeResult(AppState state) => new(state, null);
}

/// <summary>
/// The only code that changes state: pure, run by the grain (the authority) and by each client (optimistically).
/// </summary>
public static class AppStateReducer
{
    /// <summary>
    /// Applies one change. A change without effect returns the same instance; a refused one returns it with the reason. Never
    /// throws for anything a client can send.
    /// </summary>
    /// <param name="slices">The slices that the state includes; null is all. The others are not checked.</param>
    public static ChangeResult Apply(AppState state, AppStateChange change, ValueList<Slice>? slices = null)
    {
        try
        {
            return Validation.Check(state, change, slices) is { } rejection ? new ChangeResult(state, rejection)
                : Reduce(state, change);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // A change that cannot be applied must not stop the changes after it.
            var allowed = $"a change that can be applied ({failure.GetType().Name})";
            return new ChangeResult(state, Rejection.OfText("change", change?.GetType().Name, allowed));
        }
    }

    private static AppState Reduce(AppState state, AppStateChange change) => change switch
    {
        SelectEngine c => Set(state, SwitchEngine(state.Preferences, c.Engine)),
        UpdateParameters c => Set(state, Patch(state.Preferences, c)),
        SetStreaming c => Set(state, state.Preferences with { UseStreaming = c.UseStreaming }),
        SelectWorkSession c => Set(state, state.Preferences with { CurrentSessionId = c.Id }),
        SetSyncedSlices c => Set(state, state.Preferences with { SyncedSlices = c.Slices }),
        UpsertWorkSession c => Set(state, state.WorkSessions.Upsert(c.WorkSession)),
        RemoveWorkSession c => Set(state, Remove(state.WorkSessions, c.Id)),
        UpsertVoice c => Set(state, state.SavedVoices.Upsert(c.Voice)),
        RemoveVoice c => Set(state, Remove(state.SavedVoices, c.Id)),
        UpsertChunk c => Set(state, state.Chunks.Upsert(c.Chunk)),
        RemoveChunk c => Set(state, Remove(state.Chunks, c.Id)),
        SetChunkStatus c => Set(state, state.Chunks.Upsert(state.Chunks.Find(c.Id)! with { Status = c.Status, Audio = null })),
        CompleteChunk c => Set(state,
            state.Chunks.Upsert(state.Chunks.Find(c.Id)! with { Status = WorkStatus.Completed, Audio = c.Audio })),
        UpsertBatchItem c => Set(state, state.BatchItems.Upsert(c.Item)),
        RemoveBatchItem c => Set(state, Remove(state.BatchItems, c.Id)),
        SetBatchItemStatus c => Set(state, state.BatchItems.Upsert(state.BatchItems.Find(c.Id)! with { Status = c.Status })),
        SetGenerating c => Set(state,
            state.Runtime with { IsGenerating = c.IsGenerating, CurrentGeneratingId = c.CurrentGeneratingId }),
        SetSystemStatus c => Set(state, state.Runtime with { SystemStatus = c.Status }),
        ReportError c => Set(state, state.Runtime with { Errors = AddError(state.Runtime.Errors, c.Error) }),
        DismissError c => Set(state, state.Runtime with { Errors = Remove(state.Runtime.Errors, c.Id) }),
        SetVoiceUpload c => Set(state, state.Runtime with { VoiceUpload = c.Name }),
        _ => throw new ArgumentOutOfRangeException(nameof(change), change.GetType().Name,
            "Not one of the closed set of changes."),
    };

    private static Preferences SwitchEngine(Preferences preferences, TtsEngine engine) => preferences with
    {
        Engine = engine,
        Parameters = preferences.ParametersOf(engine),
        OtherEngines = preferences.OtherEngines.With(preferences.Engine, preferences.Parameters).With(engine, null),
    };

    private static Preferences Patch(Preferences preferences, UpdateParameters change)
    {
        var before = preferences.ParametersOf(change.Engine);
        var after = before.With(change.Patch);
        if (after == before) return preferences;
        return change.Engine == preferences.Engine
            ? preferences with { Parameters = after }
            : preferences with { OtherEngines = preferences.OtherEngines.With(change.Engine, after) };
    }

    // The oldest are dropped: an app that keeps failing does not fill the session.
    private static ValueList<TransientError> AddError(ValueList<TransientError> errors, TransientError error)
    {
        var added = errors.Upsert(error);
        return added.Count > Limits.TransientErrors ? added.RemoveAt(0) : added;
    }

    private static ValueList<T> Remove<T>(ValueList<T> list, string id) where T : class, IKeyed =>
        list.RemoveAt(list.IndexOf(id));

    // Each keeps the reference when the value is equal, so that "nothing changed" is a reference comparison everywhere.
    private static AppState Set(AppState state, Preferences slice) =>
        slice == state.Preferences ? state : state with { Preferences = slice };

    private static AppState Set(AppState state, ValueList<WorkSession> slice) =>
        ReferenceEquals(slice, state.WorkSessions) ? state : state with { WorkSessions = slice };

    private static AppState Set(AppState state, ValueList<SavedVoice> slice) =>
        ReferenceEquals(slice, state.SavedVoices) ? state : state with { SavedVoices = slice };

    private static AppState Set(AppState state, ValueList<Chunk> slice) =>
        ReferenceEquals(slice, state.Chunks) ? state : state with { Chunks = slice };

    private static AppState Set(AppState state, ValueList<BatchItem> slice) =>
        ReferenceEquals(slice, state.BatchItems) ? state : state with { BatchItems = slice };

    private static AppState Set(AppState state, RuntimeState slice) =>
        slice == state.Runtime ? state : state with { Runtime = slice };
}
