using System.Diagnostics;
using Chatterbox.ClusterTests.Storage;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;
using Spectre.Console;

namespace Chatterbox.Bench;

/// <summary>
/// Rows of 200 bytes written per second; every writer updates its own row repeatedly. Compared: the stock provider, group commit,
/// and, as the baseline, a bare batched statement on the same table. Same run, same machine, same databases at their durable
/// settings, in turn, several rounds: the medians, and of the ratio also the least and the most.
/// </summary>
internal static class StorageBench
{
    private const int Rows = 256;

    /// <summary>Odd: the medians are shown.</summary>
    private const int Rounds = 5;

    public static async Task RunAsync(TimeSpan duration)
    {
        var table = new Table()
            .AddColumns("database", "writers", "way", "rows/s", "x stock", "of bare", "p50 ms", "p99 ms", "pool delay ms");
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
        using var store = new BareBatch(options, Rows);
        foreach (var writers in (int[])[Rows, 1])
        {
            var rounds = new List<Round>();
            while (rounds.Count < Rounds)
            {
                rounds.Add(new(await MeasureAsync(options, StorageWriter.Stock, writers, duration / 2), store.Run(duration / 4),
                    await MeasureAsync(options, StorageWriter.GroupCommit, writers, duration / 2), store.Run(duration / 4)));
            }
            Add("stock", round => round.Stock);
            Add("group commit", round => round.Group);
            if (writers == Rows)
                Add($"bare, {Rows} a batch", round => round.Bare);

            void Add(string way, Func<Round, Result> of) => table.AddRow(
                $"{options.Provider}", $"{writers}", way, $"{Median(round => of(round).RowsPerSecond):N0}",
                Spread(round => of(round).RowsPerSecond / round.Stock.RowsPerSecond),
                $"{Median(round => of(round).RowsPerSecond / round.Bare.RowsPerSecond):P0}",
                $"{Median(round => of(round).P50):N2}", $"{Median(round => of(round).P99):N2}",
                $"{rounds.Max(round => of(round).PoolDelay):N1}");

            double Median(Func<Round, double> of) => rounds.Select(of).Order().ElementAt(rounds.Count / 2);

            string Spread(Func<Round, double> of) => $"{Median(of):N1} ({rounds.Min(of):N1}-{rounds.Max(of):N1})";
        }
    }

    private static async Task<Result> MeasureAsync(DatabaseOptions options, StorageWriter writer, int writers, TimeSpan duration)
    {
        await using var running = await RunningStorage.StartAsync(
            new() { Provider = options.Provider, ConnectionString = options.ConnectionString, Writer = writer },
            $"bench-{writer}-{writers}");
        using var end = new CancellationTokenSource();
        var latencies = new List<double>[writers];
        // Warm-up: every row exists, every statement is prepared, every method is fully compiled.
        await WriteAllAsync(duration / 2);

        var pool = WatchPoolAsync(end.Token);
        var elapsed = await WriteAllAsync(duration);
        await end.CancelAsync();

        var all = latencies.SelectMany(latency => latency).Order().ToArray();
        return new(all.Length / elapsed.TotalSeconds, all[all.Length / 2], all[(int)(all.Length * 0.99)], await pool);

        async Task<TimeSpan> WriteAllAsync(TimeSpan time)
        {
            var clock = Stopwatch.StartNew();
            await Task.WhenAll(Enumerable.Range(0, writers).Select(number => WriteAsync(number, clock, time)));
            return clock.Elapsed;
        }

        Task WriteAsync(int number, Stopwatch clock, TimeSpan time) => Task.Run(async () =>
        {
            var state = new GrainState<StoredFrame>(new StoredFrame { Bytes = Payload(number) });
            var key = GrainId.Create("session", $"user{number}/app-state");
            var latency = latencies[number] = [];
            await running.Storage.ReadStateAsync("preferences", key, state);
            state.State = new StoredFrame { Bytes = Payload(number) };
            while (clock.Elapsed < time)
            {
                var start = Stopwatch.GetTimestamp();
                await running.Storage.WriteStateAsync("preferences", key, state);
                latency.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        });
    }

    /// <summary>The longest wait of a work item for a thread, as the Orleans watchdog measures it.</summary>
    private static async Task<double> WatchPoolAsync(CancellationToken end)
    {
        var worst = 0.0;
        while (!end.IsCancellationRequested)
        {
            var queued = Stopwatch.GetTimestamp();
            var done = new TaskCompletionSource<double>(TaskCreationOptions.RunContinuationsAsynchronously);
            ThreadPool.UnsafeQueueUserWorkItem(_ => done.SetResult(Stopwatch.GetElapsedTime(queued).TotalMilliseconds), null);
            worst = Math.Max(worst, await done.Task);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
        }
        return worst;
    }

    internal static byte[] Payload(int seed)
    {
        var bytes = new byte[200];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}

/// <summary>
/// Measured in sequence; the baseline before and after, since it varies on a machine with other load.
/// </summary>
internal readonly record struct Round(Result Stock, Result BareBefore, Result Group, Result BareAfter)
{
    public Result Bare => BareBefore with { RowsPerSecond = (BareBefore.RowsPerSecond + BareAfter.RowsPerSecond) / 2 };
}

internal readonly record struct Result(double RowsPerSecond, double P50, double P99, double PoolDelay);
