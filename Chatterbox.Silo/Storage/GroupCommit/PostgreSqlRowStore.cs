using Npgsql;
using NpgsqlTypes;

namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>A batch is one prepared statement with an array for each column: one round trip, one transaction, one flush of the log.</summary>
internal sealed class PostgreSqlRowStore : RowStore
{
    private const string Script = "GroupCommit.PostgreSql.sql";

    private static readonly string Insert = SqlText.Statement(Script, "Insert");
    private static readonly string Update = SqlText.Statement(Script, "Update");
    private static readonly string Select = SqlText.Statement(Script, "Read");

    private readonly string connectionString;
    private readonly string serviceId;
    private readonly int timeout;
    private NpgsqlConnection? connection;
    private bool sent;

    public PostgreSqlRowStore(string connectionString, string serviceId, TimeSpan timeout)
    {
        this.connectionString = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = false,
            MaxAutoPrepare = 10,
            AutoPrepareMinUsages = 1,
            Timeout = (int)timeout.TotalSeconds,
            // The rows are found one by one through the key, however many there are: a plan that reads the whole table, which the
            // planner likes while the table is small, would be kept when it has grown.
            Options = "-c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off -c plan_cache_mode=force_generic_plan",
            ApplicationName = "chatterbox group commit",
        }.ConnectionString;
        this.serviceId = serviceId;
        this.timeout = (int)timeout.TotalSeconds;
    }

    public override void Write(List<RowWrite> rows)
    {
        using var batch = Open();
        // Inserts and updates are two statements and still one transaction and one round trip.
        var added = rows.FindAll(row => row.Version is null);
        var changed = added.Count == 0 ? rows : rows.FindAll(row => row.Version is not null);
        foreach (var row in rows)
            row.Written = false;
        if (changed.Count > 0)
            batch.BatchCommands.Add(Command(Update, changed,
                Payloads(changed), new() { Value = changed.ConvertAll(row => row.Version!.Value) }));
        if (added.Count > 0)
            batch.BatchCommands.Add(Command(Insert, added, Payloads(added)));

        sent = true;
        using var reader = batch.ExecuteReader();
        if (changed.Count > 0)
        {
            reader.Read();
            foreach (var ordinal in reader.IsDBNull(0) ? [] : reader.GetFieldValue<long[]>(0))
                changed[(int)ordinal - 1].Written = true;
            reader.NextResult();
        }
        if (added.Count > 0)
        {
            var byKey = added.ToDictionary(row => row.Key);
            while (reader.Read())
                byKey[new(reader.GetInt32(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt32(3), reader.GetString(4),
                    reader.IsDBNull(5) ? null : reader.GetString(5))].Written = true;
        }
    }

    public override void Read(List<RowRead> rows)
    {
        using var batch = Open();
        batch.BatchCommands.Add(Command(Select, rows));
        using var reader = batch.ExecuteReader();
        while (reader.Read())
        {
            var row = rows[(int)reader.GetInt64(0) - 1];
            row.Payload = reader.IsDBNull(1) ? null : reader.GetFieldValue<byte[]>(1);
            row.Version = reader.GetInt32(2);
        }
    }

    public override BatchFailure Classify(Exception failure) => failure switch
    {
        // The server has answered, so the transaction is rolled back, unless it was just being ended from outside.
        PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure } => BatchFailure.Passing,
        PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown } => Lost,
        PostgresException e when e.SqlState.StartsWith("22", StringComparison.Ordinal) || e.SqlState.StartsWith("23", StringComparison.Ordinal)
            || e.SqlState == PostgresErrorCodes.ProgramLimitExceeded => BatchFailure.Row,
        PostgresException => BatchFailure.Unavailable,
        NpgsqlException or IOException or TimeoutException => Lost,
        // The driver would not even send it: a text that is no Unicode, for one.
        _ => BatchFailure.Row,
    };

    public override void Close()
    {
        connection?.Dispose();
        connection = null;
    }

    private BatchFailure Lost => sent ? BatchFailure.Unknown : BatchFailure.Unavailable;

    private NpgsqlBatch Open()
    {
        sent = false;
        if (connection is not { State: System.Data.ConnectionState.Open })
        {
            Close();
            connection = new NpgsqlConnection(connectionString);
            connection.Open();
        }
        return new NpgsqlBatch(connection) { Timeout = timeout };
    }

    private static NpgsqlParameter Payloads(List<RowWrite> rows) =>
        new() { Value = rows.ConvertAll(row => row.Payload), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea };

    private NpgsqlBatchCommand Command<T>(string sql, List<T> rows, params ReadOnlySpan<NpgsqlParameter> more) where T : PendingRow
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.Add(new() { Value = rows.ConvertAll(row => row.Key.IdHash) });
        command.Parameters.Add(new() { Value = rows.ConvertAll(row => row.Key.N0) });
        command.Parameters.Add(new() { Value = rows.ConvertAll(row => row.Key.N1) });
        command.Parameters.Add(new() { Value = rows.ConvertAll(row => row.Key.TypeHash) });
        command.Parameters.Add(new() { Value = rows.ConvertAll(row => row.Key.Type) });
        command.Parameters.Add(new() { Value = rows.ConvertAll(row => row.Key.Extension), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = serviceId });
        foreach (var parameter in more)
            command.Parameters.Add(parameter);
        return command;
    }
}
