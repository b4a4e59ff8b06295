using System.Data.Common;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage.GroupCommit;
using DbUp.Builder;

namespace Chatterbox.Silo.Storage;

/// <summary>What differs between the databases, apart from their SQL, which is in <c>Sql/</c>, a file for each.</summary>
internal abstract class DatabaseDialect
{
    /// <summary>
    /// Migrations take turns: whoever has to wait longer than this gives up. Generous, since a script may rebuild a table.
    /// </summary>
    protected static readonly TimeSpan MigrationLockTimeout = TimeSpan.FromMinutes(5);

    public static DatabaseDialect Of(DatabaseProvider provider) => provider switch
    {
        DatabaseProvider.Sqlite => new SqliteDialect(),
        DatabaseProvider.PostgreSql => new PostgreSqlDialect(),
        DatabaseProvider.SqlServer => new SqlServerDialect(),
        _ => throw new ArgumentOutOfRangeException(nameof(provider), provider, null),
    };

    /// <summary>The start of the name of this dialect's scripts.</summary>
    public abstract string ScriptPrefix { get; }

    /// <summary>Orleans' name for the driver.</summary>
    public abstract string Invariant { get; }

    /// <summary>True where a silo brings the schema up to date by itself, since no other silo can be using it.</summary>
    public abstract bool MigratesAtStart { get; }

    /// <summary>
    /// A complete connection string, without touching the database. Options that it names are kept as they are.
    /// </summary>
    /// <param name="timeout">How long opening a connection may take, unless the connection string says otherwise.</param>
    public abstract string Resolve(string connectionString, TimeSpan timeout);

    /// <summary>Where the data is, for people: no secrets.</summary>
    public abstract string Describe(string connectionString);

    public abstract DbConnection Connect(string connectionString);

    /// <summary>For a program that only looks: what is not there is not made.</summary>
    public virtual DbConnection ConnectToRead(string connectionString) => Connect(connectionString);

    public abstract UpgradeEngineBuilder Upgrade(string connectionString);

    /// <summary>
    /// Makes sure that the database is there, creating it where <paramref name="create"/> allows, and takes writes.
    /// </summary>
    public abstract void Prepare(string connectionString, bool create);

    /// <summary>
    /// Runs the statements that storage depends on, without changing a row; called once the schema is up to date.
    /// </summary>
    /// <exception cref="SettingsException">A right or an object is missing: the message names it.</exception>
    public virtual void CheckAccess(DatabaseOptions options)
    {
    }

    /// <summary>Settings of the database that work and could be better, each with what to change.</summary>
    public virtual IReadOnlyList<string> Warnings(string connectionString) => [];

    /// <summary>Held while migrating, so that several programs may start at once.</summary>
    public abstract IDisposable AcquireMigrationLock(string connectionString);

    /// <summary>Asks the database for its time, in UTC; null where its clock is this machine's own.</summary>
    public virtual string? SelectUtcNow => null;

    /// <summary>Held for as long as this process uses the database, where that serves one process only.</summary>
    /// <exception cref="SettingsException">Another process uses it.</exception>
    public virtual IDisposable Lock(string connectionString) => Stream.Null;

    /// <summary>How many batches are under way at once: while one waits for the disk, the next is sent.</summary>
    public abstract int WriterLanes { get; }

    /// <summary>
    /// How many connections there are beside those for rows that must not hold up others: locked by another transaction, refused
    /// before, or large. 0 where the database has one writer anyway.
    /// </summary>
    public virtual int IsolatedLanes => 0;

    /// <summary>
    /// Whose failure an exception of this database's driver is, to a caller that does not know how far the statement got: what is
    /// no
    /// answer is <see cref="BatchFailure.Unknown"/>.
    /// </summary>
    public abstract BatchFailure Classify(Exception failure);

    /// <summary>
    /// Asks, from any thread, whether the files that the database has now are still its own; null where they are a server's.
    /// </summary>
    public virtual Action? WatchFiles(string connectionString) => null;

    public abstract RowStore CreateRowStore(DatabaseOptions options, string serviceId, TimeProvider clock);

    protected static SettingsException InvalidConnectionString(string connectionString, string example, Exception cause) =>
        SettingsException.For(DatabaseOptions.ConnectionStringSetting, connectionString,
            $"a connection string such as '{example}' ({cause.Message})", cause);

    protected static void Execute(DbConnection connection, string sql, TimeSpan? timeout = null)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        if (timeout is { } limit)
            command.CommandTimeout = (int)limit.TotalSeconds;
        command.ExecuteNonQuery();
    }
}
