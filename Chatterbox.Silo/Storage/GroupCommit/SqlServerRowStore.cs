using System.Collections.Frozen;
using System.Data;
using System.Net.Sockets;
using Microsoft.Data.SqlClient;
using Microsoft.Data.SqlClient.Server;

namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>
/// A batch is a table-valued parameter of one command, which begins and ends its own transaction: one round trip, and no lock is
/// held while anything travels.
/// </summary>
internal sealed class SqlServerRowStore(string connectionString, string serviceId, TimeSpan timeout) : RowStore
{
    private const string Script = "GroupCommit.SqlServer.sql";
    private const int LongestName = RowKey.LongestName;

    /// <summary>
    /// An index entry has at most 1,700 bytes, of which 24 are hashes and numbers, and a character two or four.
    /// </summary>
    private const int LongestNames = (1700 - 24) / 2;

    private const int Deadlock = 1205;

    // From this class on the server ends the connection.
    private const int Fatal = 20;

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(50);

    private static readonly string WriteSql = SqlText.Statement(Script, "Write");
    private static readonly string ReadSql = SqlText.Statement(Script, "Read");

    private static readonly SqlMetaData[] Columns =
    [
        new("Ordinal", SqlDbType.Int),
        new("GrainIdHash", SqlDbType.Int),
        new("GrainIdN0", SqlDbType.BigInt),
        new("GrainIdN1", SqlDbType.BigInt),
        new("GrainTypeHash", SqlDbType.Int),
        new("GrainTypeString", SqlDbType.NVarChar, LongestName),
        new("GrainIdExtensionString", SqlDbType.NVarChar, LongestName),
        new("PayloadBinary", SqlDbType.VarBinary, SqlMetaData.Max),
        new("Version", SqlDbType.Int),
    ];

    /// <summary>Whose failure an error is, by its number. Every other one is the database's.</summary>
    internal static readonly FrozenDictionary<int, BatchFailure> Errors = new Dictionary<int, BatchFailure>
    {
        // Another silo's first write of a row came between: tried again, it is a conflict of that row alone.
        [2601] = BatchFailure.Transient, // duplicate key in a unique index
        [2627] = BatchFailure.Transient, // the same of a constraint
        [Deadlock] = BatchFailure.Transient,
        [1222] = BatchFailure.Locked, // locked by another transaction for longer than LOCK_TIMEOUT
        [8152] = BatchFailure.Row, // text or bytes too long
        [2628] = BatchFailure.Row, // the same, with the column's name
        [8115] = BatchFailure.Row, // a version past the last one
        [220] = BatchFailure.Row, // the same, of a smaller type
        [1946] = BatchFailure.Row, // names too long for the index
        [547] = BatchFailure.Row, // a constraint
        [515] = BatchFailure.Row, // NULL where none may be
        [3609] = BatchFailure.Row, // a trigger ended the transaction
        [33504] = BatchFailure.Row, // a security policy
    }.ToFrozenDictionary();

    private SqlConnection? connection;
    private bool sent;

    public override void Write(List<RowWrite> rows)
    {
        Open();
        var byKey = new Dictionary<RowKey, RowWrite>(rows.Count);
        foreach (var row in rows)
        {
            row.Written = false;
            byKey.Add(row.Key, row);
        }
        try
        {
            using var command = Command(WriteSql, RowKey.Sorted(rows), row => (row.Payload, row.Version));
            sent = true;
            Run(command, reader =>
                byKey[new(reader.GetInt32(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt32(3), reader.GetString(4),
                reader.IsDBNull(5) ? null : reader.GetString(5))].Written = true);
        }
        catch (SqlException e) when (e.Number == Deadlock)
        {
            // Two batches that were in each other's way are not to meet again.
            Task.Delay(Random.Shared.NextDouble() * LongestPause, TimeProvider.System).Wait();
            throw;
        }
    }

    public override void Read(List<RowRead> rows, long bytes)
    {
        Open();
        var sorted = RowKey.Sorted(rows);
        using var command = Command(ReadSql, sorted, _ => (null, null));
        command.Parameters.Add(new SqlParameter("@Bytes", SqlDbType.BigInt) { Value = bytes });
        Run(command, reader =>
        {
            var row = sorted[reader.GetInt32(0)];
            row.IsLeft = reader.GetBoolean(3);
            if (row.IsLeft) return;
            row.Payload = reader.IsDBNull(1) ? null : reader.GetFieldValue<byte[]>(1);
            row.Version = reader.GetInt32(2);
        });
    }

    public override BatchFailure Classify(Exception failure) =>
        Classify(failure, lost: sent ? BatchFailure.Unknown : BatchFailure.Unavailable);

    /// <param name="lost">Where the connection was lost.</param>
    public static BatchFailure Classify(Exception failure, BatchFailure lost) => failure switch
    {
        SqlException e when Errors.TryGetValue(e.Number, out var kind) => kind,
        // RAISERROR and THROW, in a trigger.
        SqlException { Number: >= 50_000, Class: < Fatal } => BatchFailure.Row,
        SqlException e when IsAnswer(e) => BatchFailure.Unavailable,
        SqlException or InvalidOperationException or SocketException or IOException or TimeoutException => lost,
        // The driver would not send it.
        _ => BatchFailure.Row,
    };

    public override void Close()
    {
        connection?.Dispose();
        connection = null;
    }

    /// <summary>The server has said no, and so rolled back; a time-out (-2) and a lost connection say nothing.</summary>
    private static bool IsAnswer(SqlException failure) => failure is { Number: > 0, Class: < Fatal };

    private SqlCommand Command<T>(string sql, List<T> rows, Func<T, (byte[]? Payload, int? Version)> values) where T : PendingRow
    {
        var command = new SqlCommand(sql, connection) { CommandTimeout = (int)Math.Ceiling(timeout.TotalSeconds) };
        command.Parameters.Add(new SqlParameter("@Rows", SqlDbType.Structured)
        {
            TypeName = "ChatterboxStorageRows",
            Value = Records(rows, values),
        });
        command.Parameters.Add(new SqlParameter("@ServiceId", SqlDbType.NVarChar, 150) { Value = serviceId });
        return command;
    }

    private void Run(SqlCommand command, Action<SqlDataReader> each)
    {
        try
        {
            using var reader = command.ExecuteReader();
            while (reader.Read())
                each(reader);
            // Whatever went wrong after the result is thrown here.
            while (reader.NextResult())
            {
            }
        }
        catch (Exception e) when (e is not SqlException answer || !Errors.ContainsKey(answer.Number))
        {
            // Half a request or half an answer may be left in it. After an error that is not in the table nothing is known of it.
            Close();
            throw;
        }
    }

    /// <exception cref="StorageRejectedException">The key's names are longer than their columns, or than the index
    /// takes.</exception>
    internal void RequireLengths(in RowKey key)
    {
        // SqlDataRecord would silently shorten a longer name, and so write another row.
        if (key.Type.Length > LongestName || key.Extension?.Length > LongestName)
            throw new StorageRejectedException($"state name and grain key: must be at most {LongestName} UTF-16 units each, "
                + $"were {key.Type.Length} and {key.Extension?.Length ?? 0}");
        if (serviceId.Length + key.Type.Length + (key.Extension?.Length ?? 0) is > LongestNames and var length)
            throw new StorageRejectedException(
                $"service id, state name and grain key: must be at most {LongestNames} UTF-16 units together "
                + $"on SQL Server, was {length}");
    }

    private List<SqlDataRecord> Records<T>(List<T> rows, Func<T, (byte[]? Payload, int? Version)> values) where T : PendingRow
    {
        var records = new List<SqlDataRecord>(rows.Count);
        foreach (var row in rows)
        {
            var key = row.Key;
            RequireLengths(key);
            var (payload, version) = values(row);
            var record = new SqlDataRecord(Columns);
            record.SetValues(records.Count, key.IdHash, key.N0, key.N1, key.TypeHash, key.Type,
                key.Extension ?? (object)DBNull.Value, payload ?? (object)DBNull.Value, version ?? (object)DBNull.Value);
            records.Add(record);
        }
        return records;
    }

    public override void Open()
    {
        sent = false;
        if (connection is { State: ConnectionState.Open })
            return;
        Close();
        connection = new SqlConnection(new SqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        connection.Open();
    }
}
