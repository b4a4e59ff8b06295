using System.Globalization;
using System.Security.Cryptography;
using Chatterbox.Silo.Settings;
using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>
/// The local file: for each row and etag the last frame. A session that keeps trying saves the same row under the same etag with
/// more and more in it; the last holds it all. Each frame says for which database and service it is; those of others are counted
/// and stay. Used while the database is unavailable, so it is made to be safe, not fast.
/// </summary>
/// <remarks>A file that SQLite finds damaged is moved to another name, and its readable frames go into a new one.</remarks>
/// <param name="limit">Bytes. A frame that does not fit is refused; those that are in the file stay.</param>
internal sealed class FallbackFile(string path, TimeProvider clock, long limit = DatabaseOptions.DefaultFallbackBytes) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);

    // For each row with frames, which one was saved last; null where it was saved before the start.
    private readonly Dictionary<GrainId, Dictionary<string, Saved?>> _rows = [];
    private SqliteConnection? _connection;
    private FallbackOwner? _owner;
    private int _foreign;

    private sealed record Saved(string ETag, byte[] Digest, bool IsSent);

    public string Location => path;

    /// <summary>Rows of this silo's database and service with frames here.</summary>
    public int Count
    {
        get
        {
            lock (_rows)
                return _rows.Values.Sum(row => row.Count);
        }
    }

    /// <summary>Frames for other databases or services.</summary>
    public int ForeignCount => Volatile.Read(ref _foreign);

    /// <summary>Raised after a damaged file was moved: to where, and what was found wrong.</summary>
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
            // OpenAsync moves it.
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw SettingsException.For("Chatterbox:Database:Fallback", path, $"a file that this user can write to, or none ({e.Message})", e);
        }
    }

    /// <summary>Answered from memory: it is asked for every read and write.</summary>
    public bool Contains(string stateName, GrainId grain)
    {
        lock (_rows)
            return _rows.Count > 0 && _rows.TryGetValue(grain, out var names) && names.ContainsKey(stateName);
    }

    public int CountOf(GrainId grain)
    {
        lock (_rows)
            return _rows.TryGetValue(grain, out var names) ? names.Count : 0;
    }

    public Task OpenAsync(FallbackOwner owner)
    {
        _owner = owner;
        return RunAsync(() => true);
    }

    /// <summary>A frame that is the last one that was saved for its row is not written again.</summary>
    /// <param name="isSent">The database may have got it and only its answer is missing.</param>
    public Task SaveAsync(string stateName, GrainId grain, string? etag, byte[] bytes, bool isSent) => RunAsync(() =>
    {
        var digest = SHA256.HashData(bytes);
        if (LastOf(stateName, grain) is { } last && last.ETag == (etag ?? "") && (last.IsSent || !isSent)
            && last.Digest.AsSpan().SequenceEqual(digest))
            return false;
        Save(Owner, stateName, grain, etag, bytes, digest, isSent, clock.GetUtcNow().ToString("u", CultureInfo.InvariantCulture));
        return true;
    });

    /// <summary>What is to be replayed, in the order of saving.</summary>
    public Task<List<long>> ListAsync() => RunAsync(() => Query("Numbers", reader => reader.GetInt64(0), OwnerKey(Owner)));

    public Task<List<long>> ListAsync(string stateName, GrainId grain) => RunAsync(() =>
        Query("NumbersOfRow", reader => reader.GetInt64(0), Key(Owner, stateName, grain)));

    /// <summary>Null when it is gone: the database has it, or a later one replaced it here.</summary>
    public Task<FallbackFrame?> FindAsync(long number) => RunAsync(() => Find(number));

    /// <summary>The database has a later frame of the row than any here.</summary>
    public Task ForgetAsync(string stateName, GrainId grain) => RunAsync(() =>
    {
        Execute("Forget", Key(Owner, stateName, grain));
        NoteRemoved(stateName, grain);
        return true;
    });

    /// <summary>The database has this frame, unless a later one replaced it here meanwhile.</summary>
    public Task RemoveAsync(FallbackFrame frame) => RunAsync(() =>
    {
        Execute("Remove", Key(frame.Owner, frame.StateName, frame.Grain, ("@Number", frame.Number)));
        if (Query("NumbersOfRow", _ => true, Key(frame.Owner, frame.StateName, frame.Grain)).Count == 0)
            NoteRemoved(frame.StateName, frame.Grain);
        return true;
    });

    public void Close()
    {
        _connection?.Dispose();
        _connection = null;
    }

    public void Dispose()
    {
        Close();
        _turn.Dispose();
    }

    private FallbackOwner Owner => _owner ?? throw new InvalidOperationException("The fallback file has not been opened.");

    private static bool IsDamage(SqliteException failure) => failure.SqliteErrorCode is SQLITE_CORRUPT or SQLITE_NOTADB;

    /// <summary>One at a time, and off the caller's thread: the driver is synchronous, and the caller may be a grain.</summary>
    private async Task<T> RunAsync<T>(Func<T> action)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Run(action)).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
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
        catch (SqliteException full) when (full.SqliteErrorCode is SQLITE_FULL)
        {
            throw new FallbackFileException($"{path} is full: Chatterbox__Database__FallbackBytes allows {limit} bytes, "
                + $"and its disk has {FreeBytes()} bytes free", full);
        }
        catch (Exception failure) when (failure is SqliteException or IOException or UnauthorizedAccessException)
        {
            // Of another type than what the database throws, which may be SQLite as well.
            throw new FallbackFileException($"{path}: {failure.Message}", failure);
        }
    }

    private void Open()
    {
        if (_connection is not null)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        _connection = Connection();
        try
        {
            _connection.Open();
            Execute("Create");
            if (Query("Check", reader => reader.GetString(0)) is not ["ok"] and var wrong)
                throw new SqliteException(string.Join(' ', wrong), SQLITE_CORRUPT);
            var pageBytes = Scalar("PRAGMA page_size");
            // SQLite never makes it smaller than the file is.
            Scalar($"PRAGMA max_page_count = {Math.Max(1, limit / pageBytes)}");
            if (_owner is null)
                return;
            foreach (var (stateName, grain) in Query("Numbers",
                reader => (reader.GetString(1), GrainId.Create(reader.GetString(2), reader.GetString(3))), OwnerKey(_owner)))
                Note(stateName, grain, saved: null);
            Volatile.Write(ref _foreign, Query("Foreign", reader => reader.GetInt32(0), OwnerKey(_owner))[0]);
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
        lock (_rows)
            _rows.Clear();
        Open();
        foreach (var frame in readable)
            Save(frame.Owner, frame.StateName, frame.Grain, frame.ETag, frame.Bytes, SHA256.HashData(frame.Bytes), isSent: true, frame.SavedAt);
        SetAside?.Invoke(aside, $"{reason}; {readable.Count} of its frames could be read");
    }

    /// <summary>What can be read of a damaged file, one frame at a time.</summary>
    private List<FallbackFrame> Salvage()
    {
        var frames = new List<FallbackFrame>();
        try
        {
            _connection ??= Connection();
            _connection.Open();
            foreach (var number in Query("All", reader => reader.GetInt64(0)))
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
            // As far as it can be read.
        }
        return frames;
    }

    private void Save(
        FallbackOwner owner, string stateName, GrainId grain, string? etag, byte[] bytes, byte[] digest, bool isSent, string savedAt)
    {
        try
        {
            Execute("Save", Key(owner, stateName, grain,
                ("@ETag", etag ?? ""), ("@Bytes", bytes), ("@Digest", digest), ("@IsSent", isSent), ("@SavedAt", savedAt)));
        }
        catch
        {
            // Some errors end the transaction, some leave it open.
            if (sqlite3_get_autocommit(_connection!.Handle) == 0)
                sqlite3_exec(_connection.Handle, "ROLLBACK");
            throw;
        }
        if (owner == _owner)
            Note(stateName, grain, new(etag ?? "", digest, isSent));
        else
            Interlocked.Increment(ref _foreign);
    }

    private FallbackFrame? Find(long number)
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

    private Saved? LastOf(string stateName, GrainId grain)
    {
        lock (_rows)
            return _rows.TryGetValue(grain, out var names) ? names.GetValueOrDefault(stateName) : null;
    }

    private void Note(string stateName, GrainId grain, Saved? saved)
    {
        lock (_rows)
        {
            if (!_rows.TryGetValue(grain, out var names))
                _rows[grain] = names = new(StringComparer.Ordinal);
            names[stateName] = saved;
        }
    }

    private void NoteRemoved(string stateName, GrainId grain)
    {
        lock (_rows)
        {
            if (!_rows.TryGetValue(grain, out var names))
                return;
            names.Remove(stateName);
            if (names.Count == 0)
                _rows.Remove(grain);
        }
    }

    private string FreeBytes()
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(path)).AvailableFreeSpace.ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return "an unknown number of";
        }
    }

    private SqliteConnection Connection() =>
        new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString);

    private static (string, object)[] OwnerKey(FallbackOwner owner) => [("@Database", owner.Database), ("@Service", owner.Service)];

    private static (string, object)[] Key(FallbackOwner owner, string stateName, GrainId grain, params (string, object)[] more) =>
        [.. OwnerKey(owner), ("@StateName", stateName), ("@GrainType", grain.Type.ToString()!), ("@GrainKey", grain.Key.ToString()!), .. more];

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
