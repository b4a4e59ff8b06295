using Chatterbox.Silo.Gateway.Access;
using Microsoft.AspNetCore.SignalR;

namespace Chatterbox.Silo.Gateway.Hub;

/// <summary>Calls on the hub count against <see cref="UserCalls"/>, over all of the user's connections.</summary>
internal sealed class CallLimits(UserCalls calls) : IHubFilter
{
    public ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocationContext, Func<HubInvocationContext, ValueTask<object?>> next) =>
        calls.Take(invocationContext.Context.UserIdentifier!) is { } limited
            ? throw new HubException($"limited: {limited.Message}.")
            : next(invocationContext);
}
