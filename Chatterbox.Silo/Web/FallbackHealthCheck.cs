using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Chatterbox.Silo.Web;

/// <summary>Degraded while the database takes nothing, and until it has all that was kept for it: sessions go on all the same.</summary>
internal sealed class FallbackHealthCheck(IStorageStatus storage) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        string[] reasons =
        [
            .. storage.DegradedSince is { } since ? [$"the database has been away since {since:u}"] : Array.Empty<string>(),
            .. storage.PendingFrames is > 0 and var pending ? [$"{pending} rows wait in the fallback file"] : Array.Empty<string>(),
            .. storage.FallbackFailure is { } failure ? [$"the fallback file takes nothing: {failure}"] : Array.Empty<string>(),
        ];
        return Task.FromResult(reasons.Length == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded(string.Join("; ", reasons)));
    }
}
