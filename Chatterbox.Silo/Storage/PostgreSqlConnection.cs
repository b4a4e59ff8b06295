using Npgsql;

namespace Chatterbox.Silo.Storage;

/// <summary>The user's connection string with what group commit needs beside it.</summary>
internal static class PostgreSqlConnection
{
    /// <summary>
    /// How long a batch waits for a row that another transaction has locked. Silos write their own sessions' rows only, so that a
    /// lock
    /// is somebody's at a console, or a dead silo's: the row goes on alone and its neighbours do not wait.
    /// </summary>
    public static readonly TimeSpan LockWait = TimeSpan.FromMilliseconds(100);

    public static string ForGroupCommit(string connectionString, TimeSpan timeout)
    {
        var user = new NpgsqlConnectionStringBuilder(connectionString);
        return new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = false,
            MaxAutoPrepare = 16,
            AutoPrepareMinUsages = 1,
            Timeout = Math.Min(user.Timeout, (int)Math.Ceiling(timeout.TotalSeconds)),
            // A server that does not answer will not answer a request to cancel either: the connection is given up at once.
            CancellationTimeout = -1,
            TcpKeepAlive = true,
            Options =
                string.Join(' ', ((string[])[Defaults(timeout), UserOptions(user), Required]).Where(part => part.Length > 0)),
            ApplicationName = user.ApplicationName ?? "chatterbox group commit",
        }.ConnectionString;
    }

    // Where the connection string has none, the driver takes those of the environment, as every client of PostgreSQL does.
    private static string UserOptions(NpgsqlConnectionStringBuilder user) =>
        user.Options ?? Environment.GetEnvironmentVariable("PGOPTIONS") ?? "";

    // Before the user's options, which override them. The locks of a silo that loses its network are freed within seconds instead
    // of
    // hours, and a statement whose caller has given up ends: a second after the driver's timeout, since an earlier end would be
    // taken
    // for a row's fault.
    private static string Defaults(TimeSpan timeout) =>
        $"-c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3 -c tcp_user_timeout=4000 "
        + $"-c statement_timeout={(long)timeout.TotalMilliseconds + 1000}";

    // After them, since correctness or speed depends on these. The rows are found one by one through the key, however many there
    // are: a
    // plan that reads the whole table, which the planner likes while the table is small, would be kept when it has grown.
    private static string Required =>
        "-c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off -c plan_cache_mode=force_generic_plan "
        + $"-c lock_timeout={(long)LockWait.TotalMilliseconds}";
}
