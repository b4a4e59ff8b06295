namespace Chatterbox.Client;

/// <summary>One step of a store: what it shows from now on, and what led to it.</summary>
/// <param name="State">What the user sees, own changes included that the session has not confirmed yet.</param>
/// <param name="Revision">The session's revision that the state stands on.</param>
/// <param name="Changes">Changes the session has confirmed with this step; none for an own change just made, or a snapshot.</param>
/// <param name="Confirmed">The state as the session has confirmed it.</param>
public sealed record StoreUpdate(AppState State, long Revision, IReadOnlyList<AppliedChange> Changes, AppState Confirmed);

/// <summary>A change is applied. Await <see cref="Durable"/> to know that it is stored.</summary>
public sealed record ChangeReceipt(long Revision, Task Durable);

/// <summary>The session refused a change; the store has taken it back.</summary>
public sealed class ChangeRejectedException(AppStateChange change, Rejection rejection) : Exception(rejection.Message)
{
    public AppStateChange Change => change;

    public Rejection Rejection => rejection;
}

/// <summary>The session cannot be used by this client, and trying again will not help.</summary>
public sealed class SessionRefusedException(Rejection rejection) : Exception(rejection.Message)
{
    public Rejection Rejection => rejection;
}
