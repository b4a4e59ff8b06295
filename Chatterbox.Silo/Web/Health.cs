using Chatterbox.Silo.Storage;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Chatterbox.Silo.Web;

/// <summary>
/// <c>/health/live</c>: the process answers. <c>/health/ready</c>: the silo is active and its database reachable. With a
/// fallback file a silo whose database is unavailable is degraded and still ready: were all silos taken out of service
/// with it, no session could go on.
/// </summary>
internal static class Health
{
    public const string ReadyPath = "/health/ready";

    public static void AddChatterboxHealth(this IServiceCollection services, DatabaseOptions database)
    {
        var checks = services.AddHealthChecks()
            .AddCheck<SiloHealthCheck>("silo")
            .AddCheck("database", new DatabaseHealthCheck(database),
                database.HasFallback ? HealthStatus.Degraded : HealthStatus.Unhealthy, timeout: TimeSpan.FromSeconds(3));
        if (database.HasFallback)
            checks.AddCheck<FallbackHealthCheck>("fallback");
    }

    public static void MapChatterboxHealth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapHealthChecks("/health/live", Answering(_ => false)).AllowAnonymous();
        endpoints.MapHealthChecks(ReadyPath, Answering(_ => true)).AllowAnonymous();
    }

    private static HealthCheckOptions Answering(Func<HealthCheckRegistration, bool> asked) =>
        new() { Predicate = asked, ResponseWriter = WriteAsync };

    private static Task WriteAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(new
        {
            status = report.Status switch
            {
                HealthStatus.Healthy => "ok",
                HealthStatus.Degraded => "degraded",
                _ => "unavailable",
            },
            reasons = report.Entries
                .Where(entry => entry.Value.Status is not HealthStatus.Healthy)
                .Select(entry => $"{entry.Key}: {entry.Value.Description ?? entry.Value.Exception?.Message}"),
        });
}
