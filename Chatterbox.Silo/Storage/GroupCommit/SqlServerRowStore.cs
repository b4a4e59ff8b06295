using System.Data;
using Microsoft.Data.SqlClient;
using Microsoft.Data.SqlClient.Server;

namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>A batch is a table-valued parameter, in one statement for the updates and one for the inserts.</summary>
internal sealed class SqlServerRowStore(string connectionString, string serviceId, TimeSpan timeout) : RowStore
{
    private const string Script = "GroupCommit.SqlServer.sql";

    private static readonly string Insert = SqlText.Statement(Script, "Insert");
    private static readonly string Update = SqlText.Statement(Script, "Update");
    private static readonly string Select = SqlText.Statement(Script, "Read");

    private static readonly SqlMetaData[] Columns =
    [
        new("Ordinal", SqlDbType.Int),
        new("GrainIdHash", SqlDbType.Int),
        new("GrainIdN0", SqlDbType.BigInt),
        new("GrainIdN1", SqlDbType.BigInt),
        new("GrainTypeHash", SqlDbType.Int),
        new("GrainTypeString", SqlDbType.NVarChar, 512),
        new("GrainIdExtensionString", SqlDbType.NVarChar, 512),
        new("PayloadBinary", SqlDbType.VarBinary, SqlMetaData.Max),
        new("Version", SqlDbType.Int),
    ];

    private SqlConnection? connection;
    private bool sent;

    public override void Write(List<RowWrite> rows)
    {
        Open();
        foreach (var row in rows)
            row.Written = false;
        using var transaction = connection!.BeginTransaction();
        Run(Update, rows.FindAll(row => row.Version is not null), transaction);
        Run(Insert, rows.FindAll(row => row.Version is null), transaction);
        sent = true;
        transaction.Commit();
    }

    public override void Read(List<RowRead> rows)
    {
        Open();
        using var command = Command(Select, rows, _ => (null, null), transaction: null);
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var row = rows[reader.GetInt32(0)];
            row.Payload = reader.IsDBNull(1) ? null : reader.GetFieldValue<byte[]>(1);
            row.Version = reader.GetInt32(2);
        }
    }

    public override BatchFailure Classify(Exception failure) => failure switch
    {
        // Another silo's first write of a row came between: tried again, it is a conflict of that row alone.
        SqlException { Number: 2601 or 2627 } => BatchFailure.Passing,
        SqlException { Number: 1205 } => BatchFailure.Passing,
        // Too long, out of range, index key too wide.
        SqlException { Number: 8152 or 2628 or 8115 or 220 or 1946 or 547 } => BatchFailure.Row,
        SqlException or InvalidOperationException or IOException or TimeoutException => sent ? BatchFailure.Unknown : BatchFailure.Unavailable,
        _ => BatchFailure.Row,
    };

    public override void Close()
    {
        connection?.Dispose();
        connection = null;
    }

    private void Run(string sql, List<RowWrite> rows, SqlTransaction transaction)
    {
        if (rows.Count == 0)
            return;
        using var command = Command(sql, rows, row => (row.Payload, row.Version), transaction);
        using var reader = command.ExecuteReader();
        while (reader.Read())
            rows[reader.GetInt32(0)].Written = true;
    }

    private SqlCommand Command<T>(string sql, List<T> rows, Func<T, (byte[]? Payload, int? Version)> values, SqlTransaction? transaction)
        where T : PendingRow
    {
        var command = new SqlCommand(sql, connection, transaction) { CommandTimeout = (int)timeout.TotalSeconds };
        command.Parameters.Add(new SqlParameter("@Rows", SqlDbType.Structured) { TypeName = "ChatterboxStorageRows", Value = Records(rows, values) });
        command.Parameters.Add(new SqlParameter("@ServiceId", SqlDbType.NVarChar, 150) { Value = serviceId });
        return command;
    }

    private static IEnumerable<SqlDataRecord> Records<T>(List<T> rows, Func<T, (byte[]? Payload, int? Version)> values) where T : PendingRow
    {
        for (var ordinal = 0; ordinal < rows.Count; ordinal++)
        {
            var key = rows[ordinal].Key;
            // SqlDataRecord would cut a longer text short without a word, and so write another row.
            if (key.Type.Length > 512 || key.Extension?.Length > 512)
                throw new ArgumentException($"A key of more than 512 characters: {key.Type} {key.Extension}");
            var (payload, version) = values(rows[ordinal]);
            var record = new SqlDataRecord(Columns);
            record.SetValues(ordinal, key.IdHash, key.N0, key.N1, key.TypeHash, key.Type,
                key.Extension ?? (object)DBNull.Value, payload ?? (object)DBNull.Value, version ?? (object)DBNull.Value);
            yield return record;
        }
    }

    private void Open()
    {
        sent = false;
        if (connection is { State: ConnectionState.Open })
            return;
        Close();
        connection = new SqlConnection(new SqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        connection.Open();
    }
}
