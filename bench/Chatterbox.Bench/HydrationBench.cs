using System.Data.Common;
using System.Diagnostics;
using Chatterbox.Client;
using Chatterbox.ClusterTests.Storage;
using Chatterbox.Grains;
using Chatterbox.Silo.Storage;
using Microsoft.Extensions.Logging;
using Orleans.TestingHost;
using Spectre.Console;

namespace Chatterbox.Bench;

/// <summary>
/// How long a client waits for a session that is not in memory: ten work sessions, 200 chunks with audio, 20 voices. Beside it the
/// bare SELECTs of the same rows by their keys, one after the other and prepared, on one connection. Same run, same databases.
/// </summary>
internal static class HydrationBench
{
    private const int Sessions = 32;

    public static async Task RunAsync(TimeSpan duration)
    {
        var table = new Table().AddColumns("database", "rows", "bytes", "way", "p50 ms", "p99 ms", "x bare");
        var folder = Directory.CreateTempSubdirectory("chatterbox-bench-").FullName;
        try
        {
            await MeasureAsync(table, duration, new() { ConnectionString = $"Data Source={Path.Combine(folder, "bench.db")}" });
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        if (PostgresServer.Missing is { } reason)
        {
            Console.WriteLine(reason);
        }
        else
        {
            await using var server = await PostgresServer.StartNewAsync();
            await MeasureAsync(table, duration, new()
            {
                Provider = DatabaseProvider.PostgreSql,
                ConnectionString = server.ConnectionString(await server.CreateDatabaseAsync()),
            });
        }
        AnsiConsole.Profile.Width = 120;
        AnsiConsole.Write(table);
    }

    private static async Task MeasureAsync(Table table, TimeSpan duration, DatabaseOptions options)
    {
        DatabaseSchema.Migrate(options);
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) => silo.AddChatterboxStorage(options).AddChatterboxGrains(new ChatterboxOptions()));
        builder.ConfigureSiloHost((_, host) => host.Logging.SetMinimumLevel(LogLevel.Error));
        builder.ConfigureClient(client => client.AddChatterboxStreams());
        await using var cluster = builder.Build();
        await cluster.DeployAsync();

        var ids = Enumerable.Range(0, Sessions).Select(number => new SessionId($"user{number}")).ToArray();
        foreach (var id in ids) await FillAsync(cluster, id);
        using var bare = new BareSelect(options);
        await HydrateAsync(cluster, ids, duration / 4);
        bare.Run(duration / 4);

        var (selects, hydrations) = (new List<double>(), new List<double>());
        // In turns, so that both have the machine as it is.
        for (var turn = 0; turn < 4; turn++)
        {
            selects.AddRange(bare.Run(duration / 4));
            hydrations.AddRange(await HydrateAsync(cluster, ids, duration / 4));
        }
        var (once, whole) = (Percentiles(selects), Percentiles(hydrations));
        Add("bare SELECTs", once);
        Add("hydration", whole);

        void Add(string way, (double P50, double P99) result) => table.AddRow($"{options.Provider}", $"{bare.Rows:N1}", $"{bare.Bytes:N0}", way,
            $"{result.P50:N2}", $"{result.P99:N2}", $"{result.P50 / once.P50:N1}");
    }

    /// <summary>Milliseconds from the call to a session that is not in memory to its state.</summary>
    private static async Task<List<double>> HydrateAsync(InProcessTestCluster cluster, SessionId[] ids, TimeSpan duration)
    {
        var times = new List<double>();
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < duration;)
        {
            var session = cluster.Client.GetGrain<IUserSessionGrain>(ids[times.Count % ids.Length].Key);
            await cluster.DeactivateAsync(((GrainReference)session).GrainId);
            var start = Stopwatch.GetTimestamp();
            var reply = await session.AttachAsync(new() { Client = new("bench", "bench"), Device = "bench", Protocol = Protocol.Version, NextSequence = 1 });
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            if (reply.State.Snapshot?.Chunks.Count != 200) throw new InvalidOperationException("The session is not what was stored.");
        }
        return times;
    }

    private static async Task FillAsync(InProcessTestCluster cluster, SessionId id)
    {
        var session = cluster.Client.GetGrain<IUserSessionGrain>(id.Key);
        await session.AttachAsync(new() { Client = new("bench", id.UserId), Device = "bench", Protocol = Protocol.Version, NextSequence = 1 });
        var epoch = (await session.GetStatusAsync()).Epoch;
        var changes = Changes(new Random(id.UserId.Length)).Select((change, index) => new SequencedChange(index + 1, change)).ToArray();
        foreach (var batch in changes.Chunk(Limits.ChangesPerBatch))
        {
            var reply = await session.ApplyAsync(new(id.UserId, epoch, batch[0].Sequence - 1, ValueList.Create<SequencedChange>(batch)));
            if (reply.Result is not ApplyResult.Done || reply.Outcomes.Any(outcome => outcome.Rejection is not null))
                throw new InvalidOperationException($"{reply.Refused ?? reply.Outcomes.First(outcome => outcome.Rejection is not null).Rejection}");
        }
        if ((await session.FlushAsync()).Failure is { } failure) throw new InvalidOperationException(failure);
        await session.DetachAsync(new("bench", id.UserId));
    }

    private static IEnumerable<AppStateChange> Changes(Random random)
    {
        const string Words = "down down would the fall never come to an end i wonder how many miles i have fallen by this time she said aloud";
        var words = Words.Split(' ');
        for (var number = 0; number < 200; number++)
        {
            yield return new UpsertChunk(new()
            {
                Id = $"chunk-{number}",
                Text = string.Join(' ', Enumerable.Range(0, 30).Select(_ => words[random.Next(words.Length)])),
                Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox) with { Seed = random.Next() },
            });
            var hash = new byte[32];
            random.NextBytes(hash);
            yield return new CompleteChunk($"chunk-{number}", new()
            {
                Hash = Convert.ToHexStringLower(hash), Length = 400_000 + number, MediaType = "audio/wav", SampleRate = 24_000, Duration = 8,
            });
        }
        for (var number = 0; number < 10; number++)
        {
            yield return new UpsertWorkSession(new()
            {
                Id = $"session-{number}",
                Name = $"Chapter {number}",
                ChunkIds = Enumerable.Range(number * 20, 20).Select(chunk => $"chunk-{chunk}").ToValueList(),
            });
        }
        for (var number = 0; number < 20; number++)
            yield return new UpsertVoice(new() { Id = $"voice-{number}", Name = $"Voice {number}", Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox) });
    }

    private static (double P50, double P99) Percentiles(List<double> times)
    {
        times.Sort();
        return (times[times.Count / 2], times[(int)(times.Count * 0.99)]);
    }

    /// <summary>The rows that a session reads when it is loaded, by their keys.</summary>
    private sealed class BareSelect : IDisposable
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
                    SELECT GrainIdHash, GrainTypeHash, GrainIdN0, GrainIdN1, GrainTypeString, GrainIdExtensionString, ServiceId, length(PayloadBinary)
                    FROM OrleansStorage WHERE PayloadBinary IS NOT NULL AND GrainIdExtensionString LIKE 'user%/app-state'
                    """;
                using var reader = all.ExecuteReader();
                var found = new List<(string Session, (int, int, long, long, string, string) Key, long Bytes)>();
                while (reader.Read())
                {
                    if (Names.Contains(reader.GetString(4)))
                        found.Add((reader.GetString(5), (reader.GetInt32(0), reader.GetInt32(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetString(4), reader.GetString(5)),
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
            foreach (var (name, value) in ((string, object)[])[("@h", 0), ("@t", 0), ("@n0", 0L), ("@n1", 0L), ("@type", ""), ("@ext", ""), ("@service", Service)])
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

        public List<double> Run(TimeSpan duration)
        {
            var times = new List<double>();
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < duration;)
            {
                var start = Stopwatch.GetTimestamp();
                foreach (var (h, t, n0, n1, type, extension) in keys[times.Count % keys.Count])
                {
                    foreach (var (parameter, value) in select.Parameters.Cast<DbParameter>().Zip((object[])[h, t, n0, n1, type, extension]))
                        parameter.Value = value;
                    using var reader = select.ExecuteReader();
                    reader.Read();
                    reader.GetFieldValue<byte[]>(0);
                }
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
            return times;
        }

        public void Dispose()
        {
            select.Dispose();
            connection.Dispose();
        }
    }
}
