using Chatterbox.Silo.Settings;
using Microsoft.Data.Sqlite;

namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>A frame that the database did not take, and the etag that it was to replace.</summary>
internal sealed record FallbackFrame(string StateName, GrainId Grain, string? ETag, byte[] Bytes, long Number);

/// <summary>
/// The local file: for each row and etag the last frame. A session that keeps trying saves the same row under the same etag with
/// more and more in it; the last holds it all. Used while the database is away, so it is made to be safe, not fast.
/// </summary>
internal sealed class FallbackFile(string path) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private readonly HashSet<(string, GrainId)> keys = [];
    private SqliteConnection? connection;

    public int Count { get; private set; }

    /// <summary>Asked before the silo starts: a file that cannot be written is the operator's to put right.</summary>
    /// <exception cref="SettingsException"/>
    public static void EnsureWritable(string path)
    {
        try
        {
            using var file = new FallbackFile(path);
            file.Open();
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw SettingsException.For("Chatterbox:Database:Fallback", path, $"a file that this user can write to, or none ({e.Message})", e);
        }
    }

    /// <summary>Answered from memory: it is asked for every read and write.</summary>
    public bool Contains(string stateName, GrainId grain)
    {
        lock (keys)
            return keys.Count > 0 && keys.Contains((stateName, grain));
    }

    public Task OpenAsync() => InTurnAsync(Open);

    private int Open()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString);
        connection.Open();
        Execute(SqlText.Statement("Fallback.sql", "Create"));
        foreach (var frame in Query(SqlText.Statement("Fallback.sql", "All")))
            keys.Add((frame.StateName, frame.Grain));
        return Recount();
    }

    public Task SaveAsync(string stateName, GrainId grain, string? etag, byte[] bytes) => InTurnAsync(() =>
    {
        Execute(SqlText.Statement("Fallback.sql", "Save"), Key(stateName, grain, [("@ETag", etag ?? ""), ("@Bytes", bytes)]));
        lock (keys)
            keys.Add((stateName, grain));
        return Recount();
    });

    /// <summary>What is to be replayed, in the order of saving: of one row or of all.</summary>
    public Task<List<FallbackFrame>> ListAsync(string? stateName = null, GrainId grain = default) => InTurnAsync(() =>
        stateName is null
            ? Query(SqlText.Statement("Fallback.sql", "All"))
            : Query(SqlText.Statement("Fallback.sql", "OfRow"), Key(stateName, grain)));

    /// <summary>The database has a later frame of the row than any here.</summary>
    public Task ForgetAsync(string stateName, GrainId grain) => InTurnAsync(() =>
    {
        Execute(SqlText.Statement("Fallback.sql", "Forget"), Key(stateName, grain));
        lock (keys)
            keys.Remove((stateName, grain));
        return Recount();
    });

    /// <summary>The database has this frame, unless a later one took its place here meanwhile.</summary>
    public Task RemoveAsync(FallbackFrame frame) => InTurnAsync(() =>
    {
        Execute(SqlText.Statement("Fallback.sql", "Remove"), ("@Number", frame.Number));
        if (Query(SqlText.Statement("Fallback.sql", "OfRow"), Key(frame.StateName, frame.Grain)).Count == 0)
            lock (keys)
                keys.Remove((frame.StateName, frame.Grain));
        return Recount();
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

    /// <summary>One at a time, and off the caller's thread: the driver is synchronous, and the caller may be a grain.</summary>
    private async Task<T> InTurnAsync<T>(Func<T> action)
    {
        await turn.WaitAsync().ConfigureAwait(false);
        try
        {
            return await Task.Run(action).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }

    private int Recount()
    {
        using var command = Command(SqlText.Statement("Fallback.sql", "Count"), []);
        return Count = Convert.ToInt32(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static (string, object)[] Key(string stateName, GrainId grain, params (string, object)[] more) =>
        [("@StateName", stateName), ("@GrainType", grain.Type.ToString()!), ("@GrainKey", grain.Key.ToString()!), .. more];

    private void Execute(string sql, params (string Name, object Value)[] parameters)
    {
        using var command = Command(sql, parameters);
        command.ExecuteNonQuery();
    }

    private List<FallbackFrame> Query(string sql, params (string Name, object Value)[] parameters)
    {
        using var command = Command(sql, parameters);
        using var reader = command.ExecuteReader();
        var frames = new List<FallbackFrame>();
        while (reader.Read())
            frames.Add(new(
                reader.GetString(0), GrainId.Create(reader.GetString(1), reader.GetString(2)),
                reader.GetString(3) is { Length: > 0 } etag ? etag : null, reader.GetFieldValue<byte[]>(4), reader.GetInt64(5)));
        return frames;
    }

    private SqliteCommand Command(string sql, (string Name, object Value)[] parameters)
    {
        var command = (connection ?? throw new InvalidOperationException("The fallback file is not open.")).CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        return command;
    }
}
