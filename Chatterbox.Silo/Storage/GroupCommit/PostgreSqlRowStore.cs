using System.Net.Sockets;
using Npgsql;
using NpgsqlTypes;

namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>
/// A batch is one prepared statement with an array for each column: one round trip, one transaction, one flush of the log.
/// </summary>
internal sealed class PostgreSqlRowStore(string connectionString, string serviceId, TimeSpan timeout, TimeProvider clock)
    : RowStore
{
    private const string Script = "GroupCommit.PostgreSql.sql";

    /// <summary>
    /// A connection that was idle for longer is asked whether it is alive before a batch is sent: one that a server, a pooler or
    /// a
    /// firewall has ended meanwhile must not take a batch with it, of which nobody could say what became of it.
    /// </summary>
    private static readonly TimeSpan TrustedIdle = TimeSpan.FromSeconds(1);

    private const int LivenessTimeout = 2;

    private static readonly string UpdateSql = SqlText.Statement(Script, "Update");
    private static readonly string WriteSql = SqlText.Statement(Script, "Write");
    private static readonly string ReadSql = SqlText.Statement(Script, "Read");
    private static readonly string FreeSql = SqlText.Statement(Script, "Free");
    private static readonly string PresentSql = SqlText.Statement(Script, "Present");

    private readonly string _connectionString = PostgreSqlConnection.ForGroupCommit(connectionString, timeout);
    private readonly int _timeout = (int)Math.Ceiling(timeout.TotalSeconds);
    private NpgsqlConnection? _connection;
    private long _lastUsed;

    // The connection was there before this call, so that it may have ended while it was idle.
    private bool _isReused;

    // From here on a lost connection may have committed.
    private bool _isSent;

    public override void Open()
    {
        (_isSent, _isReused) = (false, false);
        if (_connection is { State: System.Data.ConnectionState.Open } && IsAlive())
        {
            _isReused = true;
            return;
        }
        Close();
        _connection = new NpgsqlConnection(_connectionString);
        _connection.Open();
        _lastUsed = clock.GetTimestamp();
    }

    public override void Write(List<RowWrite> rows)
    {
        Open();
        var sorted = RowKey.Sorted(rows);
        var added = sorted.FindAll(row => row.Version is null);
        var changed = added.Count == 0 ? sorted : sorted.FindAll(row => row.Version is not null);
        using var command = Command(added.Count == 0 ? UpdateSql : WriteSql, changed);
        command.Parameters.Add(Payloads(changed));
        command.Parameters.Add(new() { Value = changed.ConvertAll(row => row.Version!.Value) });
        if (added.Count > 0)
        {
            AddKeys(command, added);
            command.Parameters.Add(Payloads(added));
        }

        _isSent = true;
        Execute(command, reader =>
        {
            reader.Read();
            foreach (var row in rows) row.Written = false;
            foreach (var ordinal in reader.IsDBNull(0) ? [] : reader.GetFieldValue<long[]>(0))
                changed[(int)ordinal - 1].Written = true;
            if (added.Count > 0 && !reader.IsDBNull(1)) MarkAdded(added, reader);
        });
    }

    public override void Read(List<RowRead> rows, long bytes)
    {
        Open();
        using var command = Command(ReadSql, rows);
        command.Parameters.Add(new() { Value = bytes });
        Execute(command, reader =>
        {
            while (reader.Read())
            {
                var row = rows[(int)reader.GetInt64(0) - 1];
                row.IsLeft = reader.GetBoolean(3);
                if (row.IsLeft) continue;
                row.Payload = reader.IsDBNull(1) ? null : reader.GetFieldValue<byte[]>(1);
                row.Version = reader.GetInt32(2);
            }
        });
    }

    public override IReadOnlySet<RowKey> FindLocked(List<RowWrite> rows)
    {
        Open();
        var locked = new HashSet<RowKey>();
        using (var present = Command(PresentSql, rows))
            Execute(present, reader => AddKeysOf(rows, reader, key => locked.Add(key)));
        using var transaction = _connection!.BeginTransaction();
        using (var free = Command(FreeSql, rows))
            Execute(free, reader => AddKeysOf(rows, reader, key => locked.Remove(key)));
        transaction.Rollback();
        return locked;
    }

    public override BatchFailure Classify(Exception failure) => Classify(failure, Lost);

    /// <param name="lost">Where the connection was lost.</param>
    public static BatchFailure Classify(Exception failure, BatchFailure lost) => failure switch
    {
        PostgresException answer when PostgreSqlErrors.Classify(answer) is { } kind => kind,
        // The server ends the connection, maybe just after it has committed.
        PostgresException or NpgsqlException or SocketException or IOException or TimeoutException => lost,
        // The driver would not even send it: a text that is no Unicode, for one.
        _ => BatchFailure.Row,
    };

    public override void Close()
    {
        _connection?.Dispose();
        _connection = null;
    }

    private BatchFailure Lost => _isSent ? BatchFailure.Unknown : _isReused ? BatchFailure.Stale : BatchFailure.Unavailable;

    private bool IsAlive()
    {
        if (clock.GetElapsedTime(_lastUsed) < TrustedIdle) return true;
        try
        {
            using var question = new NpgsqlCommand("SELECT 1", _connection) { CommandTimeout = LivenessTimeout };
            question.ExecuteScalar();
            return true;
        }
        catch (Exception dead) when (dead is NpgsqlException or IOException or TimeoutException)
        {
            return false;
        }
    }

    private void Execute(NpgsqlCommand command, Action<NpgsqlDataReader> read)
    {
        try
        {
            using var reader = command.ExecuteReader();
            read(reader);
            reader.Close();
            _lastUsed = clock.GetTimestamp();
        }
        catch (Exception failure) when (failure is not PostgresException)
        {
            // Half a request or half an answer may be left in it.
            Close();
            throw;
        }
    }

    private static void MarkAdded(List<RowWrite> added, NpgsqlDataReader reader)
    {
        var byKey = added.ToDictionary(row => row.Key);
        var (hashes, n0, n1) = (reader.GetFieldValue<int[]>(1), reader.GetFieldValue<long[]>(2), reader.GetFieldValue<long[]>(3));
        var (typeHashes, types, extensions) =
            (reader.GetFieldValue<int[]>(4), reader.GetFieldValue<string[]>(5), reader.GetFieldValue<string?[]>(6));
        for (var at = 0; at < hashes.Length; at++)
            byKey[new(hashes[at], n0[at], n1[at], typeHashes[at], types[at], extensions[at])].Written = true;
    }

    private static void AddKeysOf(List<RowWrite> rows, NpgsqlDataReader reader, Action<RowKey> add)
    {
        while (reader.Read()) add(rows[(int)reader.GetInt64(0) - 1].Key);
    }

    private static NpgsqlParameter Payloads(List<RowWrite> rows) =>
        new() { Value = rows.ConvertAll(row => row.Payload), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea };

    private NpgsqlCommand Command<T>(string sql, List<T> rows) where T : PendingRow
    {
        var command = new NpgsqlCommand(sql, _connection) { CommandTimeout = _timeout };
        AddKeys(command, rows);
        command.Parameters.Add(new() { Value = serviceId });
        return command;
    }

    private static void AddKeys<T>(NpgsqlCommand command, List<T> rows) where T : PendingRow
    {
        command.Parameters.Add(new() { Value = rows.ConvertAll(row => row.Key.IdHash) });
        command.Parameters.Add(new() { Value = rows.ConvertAll(row => row.Key.N0) });
        command.Parameters.Add(new() { Value = rows.ConvertAll(row => row.Key.N1) });
        command.Parameters.Add(new() { Value = rows.ConvertAll(row => row.Key.TypeHash) });
        command.Parameters.Add(new() { Value = rows.ConvertAll(row => row.Key.Type) });
        command.Parameters.Add(new()
        {
            Value = rows.ConvertAll(row => row.Key.Extension),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        });
    }
}
