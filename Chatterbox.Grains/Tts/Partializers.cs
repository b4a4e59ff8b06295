namespace Chatterbox.Grains.Tts;

/// <summary>The parts of the state that the presets keep. Pure and idempotent.</summary>
public static class Partializers
{
    /// <summary>Work sessions kept in storage, most recently added last.</summary>
    public const int KeptWorkSessions = 10;

    /// <summary>Everything except the oldest work sessions. The current one is always kept.</summary>
    public static AppState WholeApp(AppState state)
    {
        var sessions = state.WorkSessions;
        if (sessions.Count <= KeptWorkSessions) return state;
        var kept = sessions.Skip(sessions.Count - KeptWorkSessions).ToArray();
        if (state.CurrentWorkSession is { } current && !kept.Contains(current)) kept[0] = current;
        return state with { WorkSessions = ValueList.Create<WorkSession>(kept) };
    }

    public static AppState PreferencesOnly(AppState state) => AppState.Initial with { Preferences = state.Preferences };

    public static AppState ChunksAndBatches(AppState state) =>
        AppState.Initial with { Chunks = state.Chunks, BatchItems = state.BatchItems };

    /// <summary>Chunks and batch items that are not completed.</summary>
    public static AppState Unfinished(AppState state) => AppState.Initial with
    {
        Chunks = Keep(state.Chunks, chunk => chunk.Status is not WorkStatus.Completed),
        BatchItems = Keep(state.BatchItems, item => item.Status is not WorkStatus.Completed),
    };

    private static ValueList<T> Keep<T>(ValueList<T> list, Func<T, bool> keep) =>
        list.All(keep) ? list : list.Where(keep).ToValueList();
}
