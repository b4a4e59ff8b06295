using System.Data.Common;
using System.Globalization;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage.GroupCommit;
using DbUp;
using DbUp.Builder;
using Microsoft.Data.SqlClient;

namespace Chatterbox.Silo.Storage;

internal sealed class SqlServerDialect : DatabaseDialect
{
    public override string ScriptPrefix => "SqlServer";

    public override string Invariant => "Microsoft.Data.SqlClient";

    public override bool MigratesAtStart => false;

    public override string SelectUtcNow => "SELECT SYSUTCDATETIME()";

    public override string Resolve(string connectionString, TimeSpan timeout)
    {
        RefuseInvariantMode();
        try
        {
            var builder = new SqlConnectionStringBuilder(connectionString);
            if (string.IsNullOrEmpty(builder.DataSource))
                throw new ArgumentException("Server is missing.");
            if (string.IsNullOrEmpty(builder.InitialCatalog))
                throw new ArgumentException("Database is missing.");
            // A pool that has failed to connect would go on failing, without trying, for up to a minute after the server is back.
            if (!builder.ShouldSerialize("Pool Blocking Period"))
                builder.PoolBlockingPeriod = PoolBlockingPeriod.NeverBlock;
            if (!builder.ShouldSerialize("Connect Timeout"))
                builder.ConnectTimeout = (int)Math.Ceiling(timeout.TotalSeconds);
            // The driver would try again after ten seconds, while the grains wait; they try again by themselves.
            if (!builder.ShouldSerialize("Connect Retry Count"))
                builder.ConnectRetryCount = 0;
            return builder.ConnectionString;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw InvalidConnectionString("", "Server=127.0.0.1;Database=chatterbox;User Id=chatterbox;Password=…", e);
        }
    }

    public override string Describe(string connectionString)
    {
        var builder = new SqlConnectionStringBuilder(connectionString);
        return $"{builder.DataSource}/{builder.InitialCatalog}";
    }

    public override DbConnection Connect(string connectionString) => new SqlConnection(connectionString);

    public override UpgradeEngineBuilder Upgrade(string connectionString)
    {
        const string Journal = "ChatterboxSchema";
        using var connection = SqlServerDatabase.Open(connectionString);
        // Where the names of the scripts and of Orleans' queries lead to, none of which has a schema: the user's default one,
        // then dbo.
        var schema = Query<string>(connection,
            $"SELECT COALESCE(OBJECT_SCHEMA_NAME(OBJECT_ID('{Journal}')), SCHEMA_NAME(), 'dbo')");
        return DeployChanges.To.SqlDatabase(connectionString).JournalToSqlTable(schema, Journal);
    }

    public override void Prepare(string connectionString, bool create)
    {
        try
        {
            try
            {
                SqlServerDatabase.Open(connectionString).Dispose();
            }
            catch (SqlException e) when (create && e.Number is SqlServerErrors.NoSuchDatabase or SqlServerErrors.UnknownDatabase)
            {
                SqlServerDatabase.Create(connectionString);
            }
        }
        catch (SqlException e)
        {
            throw SqlServerErrors.Refusal(e, Describe(connectionString), isMigration: create);
        }
    }

    public override void CheckAccess(DatabaseOptions options)
    {
        var nowhere = new RowKey(0, 0, 0, 0, "", null);
        using var store = new SqlServerRowStore(options.ConnectionString, serviceId: "", options.Timeout);
        try
        {
            store.Read([new RowRead(nowhere)], bytes: 1);
            store.Write([new RowWrite(nowhere, payload: null, version: 0)]);
        }
        catch (SqlException e)
        {
            throw SqlServerErrors.Refusal(e, Describe(options.ConnectionString), isMigration: false);
        }
    }

    public override IReadOnlyList<string> Warnings(string connectionString)
    {
        using var connection = SqlServerDatabase.Open(connectionString);
        if (Query<bool>(connection, "SELECT is_read_committed_snapshot_on FROM sys.databases WHERE database_id = DB_ID()"))
            return [];
        return
        [
            $"{Describe(connectionString)}: READ_COMMITTED_SNAPSHOT is off, so that reads wait for writes. "
                + $"Stop the silos and run: {SqlServerDatabase.EnableSnapshots(connection.Database)}",
        ];
    }

    public override IDisposable AcquireMigrationLock(string connectionString)
    {
        // A session's lock goes with the connection, so this one must not return to the pool with it.
        var connection = SqlServerDatabase.Open(connectionString);
        SqlServerDatabase.Lock(connection, "chatterbox migration", MigrationLockTimeout);
        return connection;
    }

    public override int IsolatedLanes => 2;

    public override int WriterLanes => 2;

    public override BatchFailure Classify(Exception failure) => SqlServerRowStore.Classify(failure, lost: BatchFailure.Unknown);

    public override RowStore CreateRowStore(DatabaseOptions options, string serviceId, TimeProvider clock) =>
        new SqlServerRowStore(options.ConnectionString, serviceId, options.Timeout);

    /// <summary>The driver would refuse every connection, without saying what has turned the mode on.</summary>
    private static void RefuseInvariantMode()
    {
        try
        {
            _ = CultureInfo.GetCultureInfo("en-US");
        }
        catch (CultureNotFoundException e)
        {
            const string Variable = "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT";
            throw new SettingsException($"{Variable}: must not be set with SQL Server, whose driver needs ICU, "
                + $"was '{Environment.GetEnvironmentVariable(Variable)}'.", e);
        }
    }

    private static T Query<T>(SqlConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (T)command.ExecuteScalar()!;
    }
}
