using System.Data.Common;
using System.Diagnostics;
using Chatterbox.Silo.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Chatterbox.Bench;

/// <summary>
/// The baseline of the database on the same table: one connection, one prepared statement, one
/// transaction for a batch, the same columns written, no etags, rows found by their hash alone, no waiting writers.
/// </summary>
internal sealed class BareBatch : IDisposable
{
    private readonly DatabaseOptions options;
    private readonly int rows;
    private readonly DbConnection connection;
    private readonly List<int> keys;
    private readonly List<byte[]> payloads;

    public BareBatch(DatabaseOptions options, int rows)
    {
        (this.options, this.rows) = (options, rows);
        keys = [.. Enumerable.Range(0, rows)];
        payloads = keys.ConvertAll(StorageBench.Payload);
        connection = DatabaseDialect.Of(options.Provider).Connect(options.ConnectionString);
        connection.Open();
        foreach (var key in keys)
        {
            using var insert = Command($"""
                INSERT INTO OrleansStorage
                  (GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString, ServiceId,
                   PayloadBinary, ModifiedOn, Version)
                VALUES ({key}, 0, 0, 0, 'bare', 'bare', 'bare', NULL, '2000-01-01', 1)
                """);
            insert.ExecuteNonQuery();
        }
    }

    public Result Run(TimeSpan duration)
    {
        Action batch = options.Provider is DatabaseProvider.Sqlite ? PrepareSqlite() : PreparePostgreSql();
        for (var warm = Stopwatch.StartNew(); warm.Elapsed < duration / 4;)
            batch();
        var latencies = new List<double>();
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < duration)
        {
            var start = clock.Elapsed;
            batch();
            latencies.Add((clock.Elapsed - start).TotalMilliseconds);
        }
        var elapsed = clock.Elapsed;
        latencies.Sort();
        return new(latencies.Count * rows / elapsed.TotalSeconds, latencies[latencies.Count / 2],
            latencies[(int)(latencies.Count * 0.99)], 0);
    }

    public void Dispose() => connection.Dispose();

    private Action PrepareSqlite()
    {
        Command("PRAGMA synchronous = FULL").ExecuteNonQuery();
        var update = Command("""
            UPDATE OrleansStorage SET PayloadBinary = @payload, ModifiedOn = datetime('now'), Version = Version + 1
            WHERE GrainIdHash = @key AND GrainTypeHash = 0 AND GrainIdN0 = 0 AND GrainIdN1 = 0 AND ServiceId = 'bare'
            """);
        var (key, payload) = (Parameter("@key"), Parameter("@payload"));
        return () =>
        {
            using var transaction = connection.BeginTransaction();
            update.Transaction = transaction;
            for (var row = 0; row < rows; row++)
            {
                (key.Value, payload.Value) = (keys[row], payloads[row]);
                update.ExecuteNonQuery();
            }
            transaction.Commit();
        };

        DbParameter Parameter(string name)
        {
            var parameter = update.CreateParameter();
            parameter.ParameterName = name;
            update.Parameters.Add(parameter);
            return parameter;
        }
    }

    private Action PreparePostgreSql()
    {
        Command("SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off").ExecuteNonQuery();
        var update = (NpgsqlCommand)Command("""
            UPDATE OrleansStorage AS s
            SET PayloadBinary = w.Payload, ModifiedOn = now() AT TIME ZONE 'utc', Version = s.Version + 1
            FROM unnest($1, $2) AS w (Key, Payload)
            WHERE s.GrainIdHash = w.Key
            """);
        update.Parameters.Add(new() { Value = keys, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer });
        update.Parameters.Add(new() { Value = payloads, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        update.Prepare();
        return () => update.ExecuteNonQuery();
    }

    private DbCommand Command(string sql)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }
}
