using System.Threading.RateLimiting;
using Chatterbox.Silo.Settings;

namespace Chatterbox.Silo.Gateway.Access;

/// <summary>A token bucket for each user's calls: on the hub, by HTTP, and with a token over the Orleans gateway.</summary>
internal sealed class UserCalls(WebOptions options) : IDisposable
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

    /// <summary>Counts a call; says why it is refused when there are too many.</summary>
    public Rejection? Take(string user)
    {
        using var lease = _users.AttemptAcquire(user);
        return lease.IsAcquired
            ? null
            : new("calls", "more", $"at most {options.CallsPerSecond} per second of one user");
    }

    public void Dispose() => _users.Dispose();
}
