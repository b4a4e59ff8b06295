using System.Data.Common;
using System.Diagnostics;
using Chatterbox.Silo.Storage;

namespace Chatterbox.Bench.Hydration;

/// <summary>The rows that a session reads when it is loaded, by their keys.</summary>
internal sealed class BareSelect : IDisposable
{
    private static readonly string[] Names = ["preferences", "workSessions", "savedVoices", "chunks", "batchItems", "recovery"];

    private readonly DbConnection connection;
    private readonly DbCommand select;
    private readonly List<(int, int, long, long, string, string)[]> keys;

    public BareSelect(DatabaseOptions options)
    {
        connection = DatabaseDialect.Of(options.Provider).Connect(options.ConnectionString);
        connection.Open();
        using (var all = connection.CreateCommand())
        {
            all.CommandText = """
                SELECT GrainIdHash, GrainTypeHash, GrainIdN0, GrainIdN1, GrainTypeString, GrainIdExtensionString, ServiceId,
                  length(PayloadBinary)
                FROM OrleansStorage WHERE PayloadBinary IS NOT NULL AND GrainIdExtensionString LIKE 'u/user%/app-state'
                """;
            using var reader = all.ExecuteReader();
            var found = new List<(string Session, (int, int, long, long, string, string) Key, long Bytes)>();
            while (reader.Read())
            {
                if (Names.Contains(reader.GetString(4)))
                    found.Add((reader.GetString(5), (reader.GetInt32(0), reader.GetInt32(1), reader.GetInt64(2),
                        reader.GetInt64(3), reader.GetString(4), reader.GetString(5)),
                        Convert.ToInt64(reader.GetValue(7), System.Globalization.CultureInfo.InvariantCulture)));
                Service = reader.GetString(6);
            }
            keys = [.. found.GroupBy(row => row.Session).Select(session => session.Select(row => row.Key).ToArray())];
            (Rows, Bytes) = ((double)found.Count / keys.Count, found.Sum(row => row.Bytes) / keys.Count);
        }
        select = connection.CreateCommand();
        select.CommandText = """
            SELECT PayloadBinary, Version FROM OrleansStorage
            WHERE GrainIdHash = @h AND GrainTypeHash = @t AND GrainIdN0 = @n0 AND GrainIdN1 = @n1
              AND GrainTypeString = @type AND GrainIdExtensionString = @ext AND ServiceId = @service
            """;
        foreach (var (name, value) in ((string, object)[])[("@h", 0), ("@t", 0), ("@n0", 0L), ("@n1", 0L), ("@type", ""),
            ("@ext", ""), ("@service", Service)])
        {
            var parameter = select.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            select.Parameters.Add(parameter);
        }
        select.Prepare();
    }

    /// <summary>Rows and bytes of a session.</summary>
    public double Rows { get; }

    public long Bytes { get; }

    private string Service { get; } = "";

    /// <summary>Milliseconds for all rows of a session.</summary>
    public double Run(int number)
    {
        var start = Stopwatch.GetTimestamp();
        foreach (var (h, t, n0, n1, type, extension) in keys[number % keys.Count])
        {
            foreach (var (parameter, value) in select.Parameters.Cast<DbParameter>()
                .Zip((object[])[h, t, n0, n1, type, extension]))
                parameter.Value = value;
            using var reader = select.ExecuteReader();
            if (!reader.Read()) throw new InvalidOperationException("The row is not there.");
            reader.GetFieldValue<byte[]>(0);
        }
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    public void Dispose()
    {
        select.Dispose();
        connection.Dispose();
    }
}
