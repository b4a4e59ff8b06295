using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>
/// A row is a bind and a step of a prepared statement; the transaction around the batch is what costs. The statements are driven
/// through SQLite's own interface, since the ADO.NET one makes a reader and half a dozen objects for each row.
/// </summary>
internal sealed class SqliteRowStore(string connectionString, string serviceId, TimeSpan timeout, TimeProvider clock) : RowStore
{
    private const string Script = "GroupCommit.Sqlite.sql";

    // Known across connections: once the files are lost, no other is opened.
    private readonly SqliteFiles files = new(new SqliteConnectionStringBuilder(connectionString).DataSource);
    private SqliteConnection? connection;
    private sqlite3 database = null!;
    private sqlite3_stmt begin = null!, commit = null!, rollback = null!, insert = null!, update = null!, read = null!;
    private bool committing;

    public override void Write(List<RowWrite> rows)
    {
        committing = false;
        Open();
        var now = clock.GetUtcNow().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        Run(begin);
        try
        {
            foreach (var row in rows)
                row.Written = Write(row, now);
            committing = true;
            Run(commit);
            // Removed meanwhile: it was committed to a file that has no name any more.
            files.Check();
        }
        catch
        {
            // SQLite rolls back by itself after some errors.
            if (raw.sqlite3_get_autocommit(database) == 0)
                Run(rollback);
            throw;
        }
    }

    public override void Read(List<RowRead> rows, long bytes)
    {
        committing = false;
        files.Check();
        Open();
        var bytesRead = 0L;
        // One snapshot for the batch; without it each row would take and drop the read lock.
        using var transaction = connection!.BeginTransaction(deferred: true);
        foreach (var row in rows)
        {
            row.IsLeft = bytesRead >= bytes;
            if (row.IsLeft) continue;
            BindKey(read, row.Key);
            try
            {
                if (!Step(read))
                    continue;
                row.Payload = raw.sqlite3_column_type(read, 0) == raw.SQLITE_NULL
                    ? null
                    : raw.sqlite3_column_blob(read, 0).ToArray();
                row.Version = raw.sqlite3_column_int(read, 1);
                bytesRead += row.Payload?.Length ?? 0;
            }
            finally
            {
                raw.sqlite3_reset(read);
            }
        }
        transaction.Commit();
    }

    public override BatchFailure Classify(Exception failure) =>
        Classify(failure, lost: committing ? BatchFailure.Unknown : BatchFailure.Unavailable);

    /// <param name="lost">Where the file could not be read or written.</param>
    public static BatchFailure Classify(Exception failure, BatchFailure lost) => failure switch
    {
        SqliteException { SqliteErrorCode: raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN } => lost,
        SqliteException { SqliteErrorCode: raw.SQLITE_CONSTRAINT or raw.SQLITE_TOOBIG or raw.SQLITE_MISMATCH } =>
            BatchFailure.Row,
        SqliteException => BatchFailure.Unavailable,
        _ => BatchFailure.Row,
    };

    public override void Close()
    {
        if (connection is null)
            return;
        foreach (var statement in (sqlite3_stmt[])[begin, commit, rollback, insert, update, read])
            statement?.Dispose();
        connection.Dispose();
        connection = null;
        files.Closed();
    }

    public override void Open()
    {
        if (connection is not null)
            return;
        files.Check();
        // Not pooled: the settings below belong to this connection.
        connection =
            new SqliteConnection(new SqliteConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        try
        {
            connection.Open();
            database = connection.Handle!;
            raw.sqlite3_busy_timeout(database, (int)timeout.TotalMilliseconds);
            // A commit is on the disk when it returns. The larger log only makes checkpoints rarer.
            raw.sqlite3_exec(database, "PRAGMA synchronous = FULL");
            raw.sqlite3_exec(database, "PRAGMA wal_autocheckpoint = 4000");
            begin = Prepare("BEGIN IMMEDIATE");
            commit = Prepare("COMMIT");
            rollback = Prepare("ROLLBACK");
            insert = Prepare(SqlText.Statement(Script, "Insert"));
            update = Prepare(SqlText.Statement(Script, "Update"));
            read = Prepare(SqlText.Statement(Script, "Read"));
            foreach (var statement in (sqlite3_stmt[])[insert, update, read])
                Check(raw.sqlite3_bind_text(statement, 7, serviceId));
            files.Opened();
        }
        catch
        {
            Close();
            throw;
        }
    }

    private bool Write(RowWrite row, string now)
    {
        var statement = row.Version is null ? insert : update;
        BindKey(statement, row.Key);
        Check(row.Payload switch
        {
            null => raw.sqlite3_bind_null(statement, 8),
            // An empty span would bind NULL, which is a cleared row.
            [] => raw.sqlite3_bind_zeroblob(statement, 8, 0),
            var payload => raw.sqlite3_bind_blob(statement, 8, payload),
        });
        Check(raw.sqlite3_bind_text(statement, 9, now));
        if (row.Version is { } version)
            Check(raw.sqlite3_bind_int(statement, 10, version));
        Run(statement);
        return raw.sqlite3_changes(database) == 1;
    }

    private void BindKey(sqlite3_stmt statement, in RowKey key)
    {
        Check(raw.sqlite3_bind_int(statement, 1, key.IdHash));
        Check(raw.sqlite3_bind_int64(statement, 2, key.N0));
        Check(raw.sqlite3_bind_int64(statement, 3, key.N1));
        Check(raw.sqlite3_bind_int(statement, 4, key.TypeHash));
        Check(raw.sqlite3_bind_text(statement, 5, key.Type));
        Check(key.Extension is null ? raw.sqlite3_bind_null(statement, 6) : raw.sqlite3_bind_text(statement, 6, key.Extension));
    }

    private sqlite3_stmt Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(database, sql, out var statement));
        return statement;
    }

    private void Run(sqlite3_stmt statement)
    {
        try
        {
            Step(statement);
        }
        finally
        {
            raw.sqlite3_reset(statement);
        }
    }

    private bool Step(sqlite3_stmt statement)
    {
        var result = raw.sqlite3_step(statement);
        if (result is not (raw.SQLITE_ROW or raw.SQLITE_DONE))
            Check(result);
        return result == raw.SQLITE_ROW;
    }

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, database);
}
