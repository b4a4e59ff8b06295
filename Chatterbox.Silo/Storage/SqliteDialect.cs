using System.Data.Common;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage.GroupCommit;
using DbUp;
using DbUp.Builder;
using Microsoft.Data.Sqlite;

namespace Chatterbox.Silo.Storage;

internal sealed class SqliteDialect : DatabaseDialect
{
    public override string ScriptPrefix => "Sqlite";

    // The name is that of another package; Orleans maps it to Microsoft.Data.Sqlite.
    public override string Invariant => "System.Data.SQLite";

    public override bool MigratesAtStart => true;

    public override string Resolve(string connectionString, TimeSpan timeout)
    {
        SqliteConnectionStringBuilder builder;
        try
        {
            builder = new(connectionString);
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw InvalidConnectionString("", "Data Source=/var/lib/chatterbox/chatterbox.db", e);
        }
        if (builder.DataSource == "")
            builder.DataSource = Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData,
                    Environment.SpecialFolderOption.DoNotVerify),
                "chatterbox", "chatterbox.db");
        builder.DataSource = SqlitePath.Of(builder);
        // Only Prepare creates the file, before the silo starts: one that is removed later must not come up empty.
        builder.Mode = SqliteOpenMode.ReadWrite;
        return builder.ConnectionString;
    }

    public override string Describe(string connectionString) => new SqliteConnectionStringBuilder(connectionString).DataSource;

    public override DbConnection Connect(string connectionString) => new SqliteConnection(connectionString);

    public override DbConnection ConnectToRead(string connectionString) =>
        new SqliteConnection(
            new SqliteConnectionStringBuilder(connectionString) { Mode = SqliteOpenMode.ReadOnly }.ConnectionString);

    public override UpgradeEngineBuilder Upgrade(string connectionString) =>
        DeployChanges.To.SqliteDatabase(connectionString).JournalToSqliteTable("ChatterboxSchema");

    public override void Prepare(string connectionString, bool create)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Describe(connectionString))!);
            using var connection = new SqliteConnection(
                new SqliteConnectionStringBuilder(connectionString) { Mode = SqliteOpenMode.ReadWriteCreate, Pooling =
                    false }.ConnectionString);
            connection.Open();
            // The journal mode is kept in the file, so every later connection has it. Readers then never wait for the writer.
            Execute(connection, "PRAGMA journal_mode = WAL");
            // A file that cannot be written opens without complaint; asking for the write lock tells.
            Execute(connection, "BEGIN IMMEDIATE");
            Execute(connection, "ROLLBACK");
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw SettingsException.For(DatabaseOptions.ConnectionStringSetting, Describe(connectionString),
                $"a SQLite file in a folder that this user can write to ({e.Message})", e);
        }
    }

    /// <summary>Nothing to wait for: the file serves one process, which has locked it (<see cref="Lock"/>).</summary>
    public override IDisposable AcquireMigrationLock(string connectionString) => Stream.Null;

    public override IDisposable Lock(string connectionString) => SqliteFileLock.Take(Describe(connectionString));

    // SQLite has one writer at a time.
    public override int WriterLanes => 1;

    public override BatchFailure Classify(Exception failure) => SqliteRowStore.Classify(failure, lost: BatchFailure.Unknown);

    public override Action WatchFiles(string connectionString) => new SqliteFileWatch(Describe(connectionString)).Check;

    public override RowStore CreateRowStore(DatabaseOptions options, string serviceId, TimeProvider clock) =>
        new SqliteRowStore(options.ConnectionString, serviceId, options.Timeout, clock);
}
