namespace Chatterbox.Client;

/// <summary>The kind of a store's step.</summary>
public enum StoreStep
{
    /// <summary>The visible or the confirmed state may have changed.</summary>
    Changed,

    /// <summary>A hydration has started.</summary>
    HydrationBegun,

    /// <summary>A hydration has finished.</summary>
    Hydrated,
}

/// <summary>One step of a store: the new state, and its cause.</summary>
/// <param name="State">The visible state, including unconfirmed own changes.</param>
/// <param name="Revision">The session's revision of the state.</param>
/// <param name="Changes">Changes that the session confirmed with this step; empty for a new own change or a snapshot.</param>
/// <param name="Confirmed">The state as the session has confirmed it.</param>
public record StoreUpdate(SessionState State, long Revision, IReadOnlyList<AppliedChange> Changes, SessionState Confirmed)
{
    public StoreStep Step { get; init; }
}

/// <summary>One step of a store whose state is a <typeparamref name="TState"/>.</summary>
public sealed record StoreUpdate<TState> : StoreUpdate where TState : SessionState
{
    internal StoreUpdate(TState state, long revision, IReadOnlyList<AppliedChange> changes, TState confirmed)
        : base(state, revision, changes, confirmed) { }

    /// <inheritdoc cref="StoreUpdate.State"/>
    public new TState State => (TState)base.State;

    /// <inheritdoc cref="StoreUpdate.Confirmed"/>
    public new TState Confirmed => (TState)base.Confirmed;
}

/// <summary>A change is applied. Await <see cref="Durable"/> to know that it is stored.</summary>
public sealed record ChangeReceipt(long Revision, Task Durable);

/// <summary>A change is accepted: it shows, and it is in the outbox, on disk if configured.</summary>
/// <param name="Applied">The session's revision that includes it; fails with a <see cref="ChangeRejectedException"/> if it is
/// refused.</param>
/// <param name="Durable">Completes when it is stored.</param>
public sealed record PendingChange(Task<long> Applied, Task Durable);

/// <summary>The session refused a change; the store has undone it.</summary>
public sealed class ChangeRejectedException(SessionChange change, Rejection rejection) : Exception(rejection.Message)
{
    public SessionChange Change => change;

    public Rejection Rejection => rejection;
}

/// <summary>The session refuses this client permanently.</summary>
public sealed class SessionRefusedException : Exception
{
    public SessionRefusedException(Rejection rejection) : base(rejection.Message) => Rejection = rejection;

    public Rejection Rejection { get; }
}
