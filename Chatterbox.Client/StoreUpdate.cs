namespace Chatterbox.Client;

/// <summary>What kind of step a store has made.</summary>
public enum StoreStep
{
    /// <summary>What is shown, or what the session has confirmed, may be another.</summary>
    Changed,

    /// <summary>The store begins to load what is stored.</summary>
    HydrationBegun,

    /// <summary>The store stands on what is stored.</summary>
    Hydrated,
}

/// <summary>One step of a store: what it shows from now on, and what led to it.</summary>
/// <param name="State">What the user sees, own changes included that the session has not confirmed yet.</param>
/// <param name="Revision">The session's revision that the state stands on.</param>
/// <param name="Changes">Changes the session has confirmed with this step; none for an own change just made, or a snapshot.</param>
/// <param name="Confirmed">The state as the session has confirmed it.</param>
public sealed record StoreUpdate(AppState State, long Revision, IReadOnlyList<AppliedChange> Changes, AppState Confirmed)
{
    public StoreStep Step { get; init; }
}

/// <summary>A change is applied. Await <see cref="Durable"/> to know that it is stored.</summary>
public sealed record ChangeReceipt(long Revision, Task Durable);

/// <summary>A change is taken: it shows, and it is in the outbox, on disk where there is one.</summary>
/// <param name="Applied">The revision at which the session has it; fails with a <see cref="ChangeRejectedException"/> where it is refused.</param>
/// <param name="Durable">Completes when it is stored.</param>
public sealed record PendingChange(Task<long> Applied, Task Durable);

/// <summary>The session refused a change; the store has taken it back.</summary>
public sealed class ChangeRejectedException(AppStateChange change, Rejection rejection) : Exception(rejection.Message)
{
    public AppStateChange Change => change;

    public Rejection Rejection => rejection;
}

/// <summary>The session cannot be used by this client, and trying again will not help.</summary>
public sealed class SessionRefusedException : Exception
{
    public SessionRefusedException(Rejection rejection) : base(rejection.Message) => Rejection = rejection;

    public Rejection Rejection { get; }
}
