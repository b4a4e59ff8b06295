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

    public override string Resolve(string connectionString, TimeSpan timeout)
    {
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(connectionString);
            if (string.IsNullOrEmpty(builder.Host))
                throw new ArgumentException("Host is missing.");
            return builder.ConnectionString;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw NotAConnectionString("", "Host=127.0.0.1;Database=chatterbox;Username=chatterbox;Password=…", e);
        }
    }

    public override string Describe(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        return $"{builder.Host}:{builder.Port}/{builder.Database ?? builder.Username}";
    }

    public override DbConnection Connect(string connectionString) => new NpgsqlConnection(connectionString);

    public override UpgradeEngineBuilder Upgrade(string connectionString) =>
        DeployChanges.To.PostgresqlDatabase(connectionString).JournalToPostgresqlTable("public", "chatterboxschema");

    public override void Prepare(string connectionString, bool create)
    {
        try
        {
            Connect();
        }
        catch (PostgresException e) when (create && e.SqlState == PostgresErrorCodes.InvalidCatalogName)
        {
            Create();
            Connect();
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidCatalogName)
        {
            throw new SettingsException($"{e.MessageText}: run 'Chatterbox.Silo {DatabaseSchema.MigrateArgument}' with the same settings to create it.", e);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw SettingsException.For(DatabaseOptions.ConnectionStringSetting, Describe(connectionString),
                $"a PostgreSQL server and database that can be reached ({e.Message})", e);
        }

        void Connect()
        {
            using var connection = new NpgsqlConnection(connectionString);
            connection.Open();
        }

        void Create()
        {
            try
            {
                EnsureDatabase.For.PostgresqlDatabase(connectionString, new DbUp.Engine.Output.NoOpUpgradeLog());
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
            {
                // Another one, starting at the same time, was faster.
            }
        }
    }

    public override IDisposable TakeMigrationTurn(string connectionString)
    {
        // A session's lock goes with the connection, so this one must not return to the pool with it.
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        connection.Open();
        Execute(connection, "SELECT pg_advisory_lock(hashtext('chatterbox migration'))", MigrationTurn);
        return connection;
    }

    public override int WriterLanes => 2;

    public override RowStore CreateRowStore(DatabaseOptions options, string serviceId, TimeProvider clock) =>
        new PostgreSqlRowStore(options.ConnectionString, serviceId, options.Timeout);
}
