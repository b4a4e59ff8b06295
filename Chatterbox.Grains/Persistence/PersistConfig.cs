namespace Chatterbox.Grains.Persistence;

/// <summary>What of a store's state is persisted. Registered by store name; a custom one is made from another by <c>with</c>.</summary>
public sealed record PersistConfig
{
    /// <summary>Work sessions kept in storage, most recently added last.</summary>
    public const int KeptWorkSessions = 10;

    /// <summary>The store's name: the second part of a <see cref="SessionId"/>.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Bytes that a session may have stored, slices and audio together; above, the oldest work sessions lose their audio, then
    /// uploads are refused. 1 or more; default 1 GiB, some nine hours of speech.
    /// </summary>
    public long QuotaBytes { get; init; } = 1L << 30;

    /// <summary>
    /// The part of the state that is stored. Slices that it leaves alone keep their reference, and are then not even compared.
    /// Whatever it does, <see cref="AppState.Runtime"/> is never stored.
    /// </summary>
    public Func<AppState, AppState> Partialize { get; init; } = state => state;

    /// <summary>The whole app: all but the oldest work sessions.</summary>
    public static PersistConfig AppState { get; } = new() { Name = SessionId.DefaultStore, Partialize = KeepLastWorkSessions };

    private static AppState KeepLastWorkSessions(AppState state)
    {
        var sessions = state.WorkSessions;
        if (sessions.Count <= KeptWorkSessions) return state;
        var current = state.CurrentWorkSession;
        var kept = sessions.Skip(sessions.Count - KeptWorkSessions).ToList();
        if (current is not null && !kept.Contains(current)) kept[0] = current;
        return state with { WorkSessions = kept.ToValueList() };
    }
}
