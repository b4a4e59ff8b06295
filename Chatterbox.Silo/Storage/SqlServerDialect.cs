using System.Data.Common;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage.GroupCommit;
using DbUp;
using DbUp.Builder;
using Microsoft.Data.SqlClient;

namespace Chatterbox.Silo.Storage;

internal sealed class SqlServerDialect : DatabaseDialect
{
    private const int NoSuchDatabase = 4060;
    private const int DatabaseExists = 1801;

    public override string ScriptPrefix => "SqlServer";

    public override string Invariant => "Microsoft.Data.SqlClient";

    public override bool MigratesAtStart => false;

    public override string SelectUtcNow => "SELECT SYSUTCDATETIME()";

    public override string Resolve(string connectionString)
    {
        try
        {
            var builder = new SqlConnectionStringBuilder(connectionString);
            if (string.IsNullOrEmpty(builder.DataSource))
                throw new ArgumentException("Server is missing.");
            return builder.ConnectionString;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw NotAConnectionString("", "Server=127.0.0.1;Database=chatterbox;User Id=chatterbox;Password=…", e);
        }
    }

    public override string Describe(string connectionString)
    {
        var builder = new SqlConnectionStringBuilder(connectionString);
        return $"{builder.DataSource}/{builder.InitialCatalog}";
    }

    public override DbConnection Connect(string connectionString) => new SqlConnection(connectionString);

    public override UpgradeEngineBuilder Upgrade(string connectionString) =>
        DeployChanges.To.SqlDatabase(connectionString).JournalToSqlTable("dbo", "ChatterboxSchema");

    public override void Prepare(string connectionString, bool create)
    {
        try
        {
            Connect();
        }
        catch (SqlException e) when (create && e.Number == NoSuchDatabase)
        {
            Create();
            Connect();
        }
        catch (SqlException e)
        {
            throw SettingsException.For(DatabaseOptions.ConnectionStringSetting, Describe(connectionString),
                $"a SQL Server and database that can be reached ({e.Message})", e);
        }

        void Connect()
        {
            using var connection = new SqlConnection(connectionString);
            connection.Open();
        }

        void Create()
        {
            try
            {
                EnsureDatabase.For.SqlDatabase(connectionString, new DbUp.Engine.Output.NoOpUpgradeLog());
            }
            catch (SqlException e) when (e.Number == DatabaseExists)
            {
                // Another one, starting at the same time, was faster.
            }
        }
    }

    public override IDisposable TakeMigrationTurn(string connectionString)
    {
        // A session's lock goes with the connection, so this one must not return to the pool with it.
        var connection = new SqlConnection(new SqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        connection.Open();
        Execute(connection,
            $"""
            DECLARE @result INT;
            EXEC @result = sp_getapplock @Resource = 'chatterbox migration', @LockMode = 'Exclusive', @LockOwner = 'Session',
              @LockTimeout = {(int)MigrationTurn.TotalMilliseconds};
            IF @result < 0 THROW 50000, 'Another migration is taking too long.', 1;
            """,
            MigrationTurn + TimeSpan.FromSeconds(10));
        return connection;
    }

    public override int WriterLanes => 2;

    public override RowStore CreateRowStore(DatabaseOptions options, string serviceId, TimeProvider clock) =>
        new SqlServerRowStore(options.ConnectionString, serviceId, options.Timeout);
}
