using System.Data.Common;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage.GroupCommit;
using DbUp;
using DbUp.Builder;
using Npgsql;

namespace Chatterbox.Silo.Storage;

internal sealed class PostgreSqlDialect : DatabaseDialect
{
    public override string ScriptPrefix => "PostgreSql";

    public override string Invariant => "Npgsql";

    public override bool MigratesAtStart => false;

    public override string SelectUtcNow => "SELECT clock_timestamp() AT TIME ZONE 'utc'";

    public override string Resolve(string connectionString, TimeSpan timeout)
    {
        NpgsqlConnectionStringBuilder builder;
        try
        {
            builder = new(connectionString);
            if (string.IsNullOrEmpty(builder.Host))
                throw new ArgumentException("Host is missing.");
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw InvalidConnectionString("", "Host=127.0.0.1;Database=chatterbox;Username=chatterbox;Password=…", e);
        }
        if (builder.Multiplexing)
            throw SettingsException.For(DatabaseOptions.ConnectionStringSetting, "Multiplexing=true",
                "a connection string without Multiplexing: group commit has connections of its own, and "
                + "sends many rows in each command");
        return builder.ConnectionString;
    }

    public override string Describe(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        return $"{builder.Host}:{builder.Port}/{builder.Database ?? builder.Username}";
    }

    public override DbConnection Connect(string connectionString) => new NpgsqlConnection(connectionString);

    public override UpgradeEngineBuilder Upgrade(string connectionString) => DeployChanges.To.PostgresqlDatabase(connectionString)
        .JournalToPostgresqlTable(PostgreSqlDatabase.SchemaInUse(connectionString), PostgreSqlDatabase.Journal);

    public override void Prepare(string connectionString, bool create)
    {
        try
        {
            if (create) PostgreSqlDatabase.Create(connectionString);
            PostgreSqlDatabase.Check(connectionString, create);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidCatalogName)
        {
            throw new SettingsException(
                $"{e.MessageText}: run 'Chatterbox.Silo {DatabaseSchema.MigrateArgument}' with the same settings to create it.",
                    e);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw SettingsException.For(DatabaseOptions.ConnectionStringSetting, Describe(connectionString),
                $"a PostgreSQL server and database that can be reached and used ({e.Message}{PostgreSqlDatabase.Hint(e)})", e);
        }
    }

    public override void CheckAccess(DatabaseOptions options)
    {
        try
        {
            PostgreSqlDatabase.CheckAccess(options.ConnectionString, options.Timeout);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw SettingsException.For(DatabaseOptions.ConnectionStringSetting, Describe(options.ConnectionString),
                $"a PostgreSQL database that this user may read and write ({e.Message}{PostgreSqlDatabase.Hint(e)})", e);
        }
    }

    public override IDisposable AcquireMigrationLock(string connectionString)
    {
        // A session's lock goes with the connection, so this one must not return to the pool with it.
        var connection =
            new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        connection.Open();
        Execute(connection, "SELECT pg_advisory_lock(hashtext('chatterbox migration'))", MigrationLockTimeout);
        return connection;
    }

    public override int WriterLanes => 2;

    public override int IsolatedLanes => 2;

    public override BatchFailure Classify(Exception failure) => PostgreSqlRowStore.Classify(failure, lost: BatchFailure.Unknown);

    public override RowStore CreateRowStore(DatabaseOptions options, string serviceId, TimeProvider clock) =>
        new PostgreSqlRowStore(options.ConnectionString, serviceId, options.Timeout, clock);
}
