using System.Threading.RateLimiting;
using Chatterbox.Silo.Settings;
using Microsoft.AspNetCore.SignalR;

namespace Chatterbox.Silo.Gateway.Hub;

/// <summary>A token bucket for each user's calls on the hub, over all of the user's connections.</summary>
internal sealed class CallLimits(WebOptions options) : IHubFilter, IDisposable
{
    private static readonly TimeSpan Refill = TimeSpan.FromMilliseconds(100);

    private readonly PartitionedRateLimiter<string> _users = PartitionedRateLimiter.Create<string, string>(user =>
        RateLimitPartition.GetTokenBucketLimiter(user, _ => new()
        {
            TokenLimit = 2 * options.CallsPerSecond,
            TokensPerPeriod = Math.Max(1, options.CallsPerSecond / (int)(TimeSpan.FromSeconds(1) / Refill)),
            ReplenishmentPeriod = Refill,
            AutoReplenishment = true,
        }));

    public async ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocationContext, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        using var lease = _users.AttemptAcquire(invocationContext.Context.UserIdentifier!);
        return lease.IsAcquired
            ? await next(invocationContext)
            : throw new HubException(
                $"limited: {options.CallsPerSecond} calls a second are allowed for a user; call again later.");
    }

    public void Dispose() => _users.Dispose();
}
