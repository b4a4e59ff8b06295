using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>
/// The tables of the fallback file and the statements on them (<c>Sql/Fallback.sql</c>): one connection, one thread at a time.
/// </summary>
/// <param name="limit">Bytes, of the file without its log.</param>
internal sealed class FallbackTables(string path, long limit) : IDisposable
{
    private SqliteConnection? _connection;

    public bool IsOpen => _connection is not null;

    /// <summary>Opens the file, and creates it where it is missing.</summary>
    /// <exception cref="SqliteException">It cannot be opened, or is damaged: <see cref="IsDamage"/>.</exception>
    public void Open()
    {
        if (_connection is not null)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        OpenUnchecked();
        try
        {
            Execute("Create");
            if (Query("Check", reader => reader.GetString(0)) is not ["ok"] and var wrong)
                throw new SqliteException(string.Join(' ', wrong), SQLITE_CORRUPT);
            // SQLite never makes it smaller than the file is.
            Scalar($"PRAGMA max_page_count = {Math.Max(1, limit / Scalar("PRAGMA page_size"))}");
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>Opens a damaged file, of which single frames may be readable.</summary>
    public void OpenUnchecked()
    {
        _connection ??= new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString);
        _connection.Open();
    }

    public void Close()
    {
        _connection?.Dispose();
        _connection = null;
    }

    public void Dispose() => Close();

    public static bool IsDamage(SqliteException failure) => failure.SqliteErrorCode is SQLITE_CORRUPT or SQLITE_NOTADB;

    /// <summary>The bytes that frames take, without the free room in the file.</summary>
    public long UsedBytes() => (Scalar("PRAGMA page_count") - Scalar("PRAGMA freelist_count")) * Scalar("PRAGMA page_size");

    public List<(string StateName, GrainId Grain)> RowsOf(FallbackOwner owner) => Query("Numbers",
        reader => (reader.GetString(1), GrainId.Create(reader.GetString(2), reader.GetString(3))), OwnerKey(owner));

    public List<long> NumbersOf(FallbackOwner owner) => Query("Numbers", reader => reader.GetInt64(0), OwnerKey(owner));

    public List<long> NumbersOf(FallbackOwner owner, string stateName, GrainId grain) =>
        Query("NumbersOfRow", reader => reader.GetInt64(0), Key(owner, stateName, grain));

    public List<long> AllNumbers() => Query("All", reader => reader.GetInt64(0));

    /// <summary>Frames that are not this owner's.</summary>
    public int CountForeign(FallbackOwner owner) => Query("Foreign", reader => reader.GetInt32(0), OwnerKey(owner))[0];

    public FallbackFrame? Find(long number)
    {
        var found = Query("Find", reader => new FallbackFrame(number, new(reader.GetString(0), reader.GetString(1)),
            reader.GetString(2), GrainId.Create(reader.GetString(3), reader.GetString(4)),
            reader.GetString(5), reader.GetFieldValue<byte[]>(6), reader.GetString(7), [], false), ("@Number", number));
        if (found is not [var frame])
            return null;
        var attempts = Query("AttemptsOf", reader => (Digest: reader.GetFieldValue<byte[]>(0), IsSent: reader.GetBoolean(1)),
            Key(frame.Owner, frame.StateName, frame.Grain, ("@ETag", frame.ETag!)));
        var digest = SHA256.HashData(frame.Bytes);
        return frame with
        {
            ETag = frame.ETag is "" ? null : frame.ETag,
            Sent = [.. attempts.Where(attempt => attempt.IsSent).Select(attempt => attempt.Digest)],
            IsDamaged = attempts.Count > 0 && !attempts.Exists(attempt => attempt.Digest.AsSpan().SequenceEqual(digest)),
        };
    }

    public void Save(FallbackOwner owner, string stateName, GrainId grain, SavedFrame saved, byte[] bytes, string savedAt)
    {
        try
        {
            Execute("Save", Key(owner, stateName, grain, ("@ETag", saved.ETag), ("@Bytes", bytes), ("@Digest", saved.Digest),
                ("@IsSent", saved.IsSent), ("@SavedAt", savedAt)));
        }
        catch
        {
            // Some errors end the transaction, some leave it open.
            if (sqlite3_get_autocommit(_connection!.Handle) == 0)
                sqlite3_exec(_connection.Handle, "ROLLBACK");
            throw;
        }
    }

    /// <summary>Removes all frames of a row.</summary>
    public void Forget(FallbackOwner owner, string stateName, GrainId grain) => Execute("Forget", Key(owner, stateName, grain));

    /// <summary>Removes one frame.</summary>
    public void Remove(FallbackFrame frame) =>
        Execute("Remove", Key(frame.Owner, frame.StateName, frame.Grain, ("@Number", frame.Number)));

    private static (string, object)[] OwnerKey(FallbackOwner owner) =>
        [("@Database", owner.Database), ("@Service", owner.Service)];

    private static (string, object)[] Key(FallbackOwner owner, string stateName, GrainId grain, params (string, object)[] more) =>
    [
        .. OwnerKey(owner), ("@StateName", stateName), ("@GrainType", grain.Type.ToString()!),
        ("@GrainKey", grain.Key.ToString()!), .. more,
    ];

    private long Scalar(string sql)
    {
        using var command = _connection!.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    private void Execute(string statement, params (string Name, object Value)[] parameters)
    {
        using var command = Command(statement, parameters);
        command.ExecuteNonQuery();
    }

    private List<T> Query<T>(string statement, Func<SqliteDataReader, T> read, params (string Name, object Value)[] parameters)
    {
        using var command = Command(statement, parameters);
        using var reader = command.ExecuteReader();
        var found = new List<T>();
        while (reader.Read())
            found.Add(read(reader));
        return found;
    }

    private SqliteCommand Command(string statement, (string Name, object Value)[] parameters)
    {
        var command = _connection!.CreateCommand();
        command.CommandText = SqlText.Statement("Fallback.sql", statement);
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        return command;
    }
}
