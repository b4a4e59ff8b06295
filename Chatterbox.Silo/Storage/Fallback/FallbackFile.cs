using System.Globalization;
using System.Security.Cryptography;
using Chatterbox.Silo.Settings;
using Microsoft.Data.Sqlite;

namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>A frame that the database did not take, and the etag that it was to replace.</summary>
/// <param name="Sent">The SHA-256 of frames that were sent under the same etag without an answer: one of them may be in the database.</param>
/// <param name="IsDamaged">The bytes are not those that were saved.</param>
internal sealed record FallbackFrame(
    long Number, string StateName, GrainId Grain, string? ETag, byte[] Bytes, string SavedAt, IReadOnlyList<byte[]> Sent, bool IsDamaged);

/// <summary>The local file takes nothing, or gives nothing: full, not writable, gone.</summary>
internal sealed class FallbackFileException(string message, Exception cause) : Exception(message, cause);

/// <summary>
/// The local file: for each row and etag the last frame. A session that keeps trying saves the same row under the same etag with
/// more and more in it; the last holds it all. Used while the database is away, so it is made to be safe, not fast.
/// </summary>
/// <remarks>A file that SQLite finds damaged is set aside under another name, what can be read of it goes into a new one.</remarks>
internal sealed class FallbackFile(string path, TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private readonly Dictionary<GrainId, HashSet<string>> rows = [];
    private SqliteConnection? connection;

    /// <summary>Rows with frames here.</summary>
    public int Count
    {
        get
        {
            lock (rows)
                return rows.Values.Sum(row => row.Count);
        }
    }

    /// <summary>Raised after a damaged file was set aside: where it is now, and what was found wrong.</summary>
    public event Action<string, string>? SetAside;

    /// <summary>Asked before the silo starts: a file that cannot be written is the operator's to put right.</summary>
    /// <exception cref="SettingsException"/>
    public static void EnsureWritable(string path)
    {
        try
        {
            using var file = new FallbackFile(path, TimeProvider.System);
            file.Open();
        }
        catch (SqliteException e) when (IsDamage(e))
        {
            // Opening it in earnest sets it aside.
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw SettingsException.For("Chatterbox:Database:Fallback", path, $"a file that this user can write to, or none ({e.Message})", e);
        }
    }

    /// <summary>Answered from memory: it is asked for every read and write.</summary>
    public bool Contains(string stateName, GrainId grain)
    {
        lock (rows)
            return rows.Count > 0 && rows.TryGetValue(grain, out var names) && names.Contains(stateName);
    }

    public int CountOf(GrainId grain)
    {
        lock (rows)
            return rows.TryGetValue(grain, out var names) ? names.Count : 0;
    }

    public Task OpenAsync() => InTurnAsync(() => true);

    /// <param name="isSent">The database may have got it and only its answer is missing.</param>
    public Task SaveAsync(string stateName, GrainId grain, string? etag, byte[] bytes, bool isSent) => InTurnAsync(() =>
    {
        Save(stateName, grain, etag, bytes, isSent, clock.GetUtcNow().ToString("u", CultureInfo.InvariantCulture));
        return true;
    });

    /// <summary>What is to be replayed, in the order of saving.</summary>
    public Task<List<long>> ListAsync() => InTurnAsync(() => Query("Numbers", reader => reader.GetInt64(0)));

    public Task<List<long>> ListAsync(string stateName, GrainId grain) => InTurnAsync(() =>
        Query("NumbersOfRow", reader => reader.GetInt64(0), Key(stateName, grain)));

    /// <summary>Null when it is gone: the database has it, or a later one took its place here.</summary>
    public Task<FallbackFrame?> FindAsync(long number) => InTurnAsync(() => Find(number));

    /// <summary>The database has a later frame of the row than any here.</summary>
    public Task ForgetAsync(string stateName, GrainId grain) => InTurnAsync(() =>
    {
        Execute("Forget", Key(stateName, grain));
        Note(stateName, grain, isHere: false);
        return true;
    });

    /// <summary>The database has this frame, unless a later one took its place here meanwhile.</summary>
    public Task RemoveAsync(FallbackFrame frame) => InTurnAsync(() =>
    {
        Execute("Remove", Key(frame.StateName, frame.Grain, ("@Number", frame.Number)));
        Note(frame.StateName, frame.Grain, Query("NumbersOfRow", _ => true, Key(frame.StateName, frame.Grain)).Count > 0);
        return true;
    });

    public void Close()
    {
        connection?.Dispose();
        connection = null;
    }

    public void Dispose()
    {
        Close();
        turn.Dispose();
    }

    private static bool IsDamage(SqliteException failure) => failure.SqliteErrorCode is SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB;

    /// <summary>One at a time, and off the caller's thread: the driver is synchronous, and the caller may be a grain.</summary>
    private async Task<T> InTurnAsync<T>(Func<T> action)
    {
        await turn.WaitAsync().ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Run(action)).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }

    private T Run<T>(Func<T> action)
    {
        try
        {
            try
            {
                Open();
                return action();
            }
            catch (SqliteException damage) when (IsDamage(damage))
            {
                StartAnew(damage.Message);
                return action();
            }
        }
        catch (Exception failure) when (failure is SqliteException or IOException or UnauthorizedAccessException)
        {
            // Of another type than what the database throws, which may be SQLite as well.
            throw new FallbackFileException($"{path}: {failure.Message}", failure);
        }
    }

    private void Open()
    {
        if (connection is not null)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString);
        try
        {
            connection.Open();
            Execute("Create");
            if (Query("Check", reader => reader.GetString(0)) is not ["ok"] and var wrong)
                throw new SqliteException(string.Join(' ', wrong), SQLitePCL.raw.SQLITE_CORRUPT);
            foreach (var (stateName, grain) in Query("Numbers", reader => (reader.GetString(1), GrainId.Create(reader.GetString(2), reader.GetString(3)))))
                Note(stateName, grain, isHere: true);
        }
        catch
        {
            Close();
            throw;
        }
    }

    private void StartAnew(string reason)
    {
        var readable = Salvage();
        Close();
        var aside = $"{path}.damaged-{clock.GetUtcNow():yyyyMMddHHmmssfff}";
        foreach (var part in (string[])["", "-wal", "-shm"])
            if (File.Exists(path + part))
                File.Move(path + part, aside + part);
        lock (rows)
            rows.Clear();
        Open();
        foreach (var frame in readable)
            Save(frame.StateName, frame.Grain, frame.ETag, frame.Bytes, isSent: true, frame.SavedAt);
        SetAside?.Invoke(aside, $"{reason}; {readable.Count} frames of it could be read");
    }

    /// <summary>What can be read of a damaged file, one frame at a time.</summary>
    private List<FallbackFrame> Salvage()
    {
        var frames = new List<FallbackFrame>();
        try
        {
            connection ??= new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString);
            connection.Open();
            foreach (var number in Query("Numbers", reader => reader.GetInt64(0)))
            {
                try
                {
                    if (Find(number) is { IsDamaged: false } frame)
                        frames.Add(frame);
                }
                catch (SqliteException)
                {
                    // The next may be in a part that is whole.
                }
            }
        }
        catch (SqliteException)
        {
            // As far as it goes.
        }
        return frames;
    }

    private void Save(string stateName, GrainId grain, string? etag, byte[] bytes, bool isSent, string savedAt)
    {
        try
        {
            Execute("Save", Key(stateName, grain,
                ("@ETag", etag ?? ""), ("@Bytes", bytes), ("@Digest", SHA256.HashData(bytes)), ("@IsSent", isSent), ("@SavedAt", savedAt)));
        }
        catch
        {
            // Some errors end the transaction, some leave it open.
            if (SQLitePCL.raw.sqlite3_get_autocommit(connection!.Handle) == 0)
                SQLitePCL.raw.sqlite3_exec(connection.Handle, "ROLLBACK");
            throw;
        }
        Note(stateName, grain, isHere: true);
    }

    private FallbackFrame? Find(long number)
    {
        var found = Query("Find", reader => new FallbackFrame(number, reader.GetString(0), GrainId.Create(reader.GetString(1), reader.GetString(2)),
            reader.GetString(3), reader.GetFieldValue<byte[]>(4), reader.GetString(5), [], false), ("@Number", number));
        if (found is not [var frame])
            return null;
        var attempts = Query("AttemptsOf", reader => (Digest: reader.GetFieldValue<byte[]>(0), IsSent: reader.GetBoolean(1)),
            Key(frame.StateName, frame.Grain, ("@ETag", frame.ETag!)));
        var digest = SHA256.HashData(frame.Bytes);
        return frame with
        {
            ETag = frame.ETag is "" ? null : frame.ETag,
            Sent = [.. attempts.Where(attempt => attempt.IsSent).Select(attempt => attempt.Digest)],
            IsDamaged = attempts.Count > 0 && !attempts.Exists(attempt => attempt.Digest.AsSpan().SequenceEqual(digest)),
        };
    }

    private void Note(string stateName, GrainId grain, bool isHere)
    {
        lock (rows)
        {
            if (!rows.TryGetValue(grain, out var names))
                rows[grain] = names = new(StringComparer.Ordinal);
            if (isHere)
                names.Add(stateName);
            else
                names.Remove(stateName);
            if (names.Count == 0)
                rows.Remove(grain);
        }
    }

    private static (string, object)[] Key(string stateName, GrainId grain, params (string, object)[] more) =>
        [("@StateName", stateName), ("@GrainType", grain.Type.ToString()!), ("@GrainKey", grain.Key.ToString()!), .. more];

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
        var command = connection!.CreateCommand();
        command.CommandText = SqlText.Statement("Fallback.sql", statement);
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        return command;
    }
}
