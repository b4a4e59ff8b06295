namespace Chatterbox.Silo.Gateway.Wire;

/// <summary>The calls that a browser makes on <c>/hub</c>, under these names without <c>Async</c>.</summary>
/// <remarks>
/// A call that could not be served fails with a text that begins with a code and a colon: <c>unavailable</c> (call again
/// later), <c>limited</c> (too many calls or clients: later), <c>invalid</c> (never again). Events may come before the answer
/// to Attach.
/// </remarks>
internal interface IGatewayHub
{
    Task<HelloAnswer> HelloAsync(HelloCall call);

    Task<AttachAnswer> AttachAsync(AttachCall call);

    Task<ApplyAnswer> ApplyAsync(ApplyCall call);

    Task<StateAnswer> SinceAsync(SinceCall call);

    Task LeaveAsync(LeaveCall call);
}

/// <summary>The names of what the gateway pushes.</summary>
internal static class Push
{
    public const string Events = "events";
    public const string Behind = "behind";
    public const string Bye = "bye";
}
