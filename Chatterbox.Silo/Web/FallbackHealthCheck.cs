using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Chatterbox.Silo.Web;

/// <summary>Degraded while the database is unavailable or rows wait in the fallback file: sessions go on all the same.</summary>
internal sealed class FallbackHealthCheck(IStorageStatus storage) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        string[] reasons =
        [
            .. storage.DegradedSince is { } since ? [$"the database has been unavailable since {since:u}"]
                : Array.Empty<string>(),
            .. storage.PendingFrames is > 0 and var pending ? [$"{pending} rows wait in the fallback file"]
                : Array.Empty<string>(),
            .. storage.ForeignFrames is > 0 and var foreign
                ? [$"{foreign} rows in the fallback file are for another database or service, and stay there"]
                : Array.Empty<string>(),
            .. storage.FallbackFailure is { } failure ? [$"fallback: {failure}"] : Array.Empty<string>(),
        ];
        return Task.FromResult(reasons.Length == 0 ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded(string.Join("; ", reasons)));
    }
}
