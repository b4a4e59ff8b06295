using Chatterbox.Silo.Gateway.Http;
using Microsoft.AspNetCore.SignalR;

namespace Chatterbox.Silo.Gateway.Hub;

/// <summary>A call that could not be served fails with a code that a page can act upon, and shows nothing else.</summary>
internal sealed partial class HubErrors(ILogger<HubErrors> logger) : IHubFilter
{
    public async ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocationContext, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        try
        {
            return await next(invocationContext);
        }
        catch (Exception failure) when (failure is not HubException)
        {
            if (failure is SessionUnknownException unknown) throw new HubException($"invalid: {unknown.Rejection.Message}");
            if (!Problems.IsUnavailable(failure)) LogFailed(failure, invocationContext.HubMethodName);
            throw new HubException($"unavailable: {Problems.Explain(failure)}");
        }
    }

    [LoggerMessage(LogLevel.Error, "A call of {Method} failed")]
    private partial void LogFailed(Exception failure, string method);
}
