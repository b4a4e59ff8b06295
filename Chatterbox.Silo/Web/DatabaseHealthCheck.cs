using Chatterbox.Silo.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Chatterbox.Silo.Web;

internal sealed class DatabaseHealthCheck(DatabaseOptions options) : IHealthCheck
{
    // A connection to a file that was removed goes on answering.
    private readonly Action? _checkFiles = DatabaseDialect.Of(options.Provider).WatchFiles(options.ConnectionString);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        // Off the caller: SQLite's driver is synchronous, and one that hangs on a disk ignores the token.
        Task.Run(() =>
            QueryAsync(context.Registration.FailureStatus, cancellationToken), cancellationToken).WaitAsync(cancellationToken);

    private async Task<HealthCheckResult> QueryAsync(HealthStatus failed, CancellationToken cancellationToken)
    {
        try
        {
            _checkFiles?.Invoke();
            await using var connection = DatabaseDialect.Of(options.Provider).Connect(options.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using var command = connection.CreateCommand();
            command.CommandText = "SELECT COUNT(*) FROM OrleansQuery";
            await command.ExecuteScalarAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (System.Data.Common.DbException e)
        {
            return new HealthCheckResult(failed, e.Message);
        }
    }
}
