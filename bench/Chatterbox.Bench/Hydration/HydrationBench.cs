using System.Diagnostics;
using System.Diagnostics.Metrics;
using Chatterbox.ClusterTests.Storage;
using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Storage;
using Orleans.TestingHost;
using Spectre.Console;

namespace Chatterbox.Bench.Hydration;

/// <summary>
/// Time to load a session that is not in memory: ten work sessions, 200 chunks with audio, 20 voices. Compared to the bare
/// prepared SELECTs of the same rows by key, one after the other, on one connection. All are measured alternately in the same run
/// on the same databases.
/// </summary>
internal static class HydrationBench
{
    private const int Sessions = 64;
    private const int Rounds = 8;

    /// <summary>Runs until the JIT has fully compiled the measured code.</summary>
    private const int WarmUp = 1500;

    public static async Task RunAsync(TimeSpan duration)
    {
        var table = new Table().AddColumns("database", "rows", "bytes", "what", "p50 ms", "p99 ms", "x bare");
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
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => silo.AddChatterboxStorage(options).AddChatterboxGrains(new ChatterboxOptions()));
        builder.ConfigureSiloHost((_, host) => host.Logging.SetMinimumLevel(LogLevel.Error));
        builder.ConfigureClient(client => client.AddChatterboxStreams());
        await using var cluster = builder.Build();
        await cluster.DeployAsync();

        var ids = Enumerable.Range(0, Sessions).Select(number => new SessionId($"user{number}")).ToArray();
        foreach (var id in ids) await SampleSession.FillAsync(cluster.Client, id);
        using var bare = new BareSelect(options);
        var silo = cluster.Silos[0].ServiceProvider;
        var sessions = new ColdSessions(cluster, ids);
        var stages = new Stages(silo.GetRequiredKeyedService<IGrainStorage>(ChatterboxStorage.Name),
            silo.GetRequiredService<MigrationChains>().Of(TtsSiloApp.Instance), sessions.GrainIds);
        for (var warm = 0; warm < WarmUp; warm++)
        {
            bare.Run(warm);
            await sessions.HydrateAsync(warm);
            await stages.RunAsync(warm);
        }

        var clock = Stopwatch.StartNew();
        var (selects, all) = (new List<double>(), new List<(double Call, double Hydration)>());
        for (var round = 1; round <= Rounds; round++)
        {
            for (; clock.Elapsed < duration * (round - 2.0 / 3) / Rounds;) selects.Add(bare.Run(selects.Count));
            for (; clock.Elapsed < duration * (round - 1.0 / 3) / Rounds;) all.Add(await sessions.HydrateAsync(all.Count));
            for (; clock.Elapsed < duration * round / Rounds;) await stages.RunAsync(selects.Count);
        }
        var once = Percentiles(selects);
        Add("bare SELECTs", selects);
        Add("hydration", [.. all.Select(each => each.Hydration)]);
        Add("  of it: its rows through the storage", stages.Reads);
        Add("  of it: decoding them", stages.Decodings);
        Add("a cold session's first call, with its state", [.. all.Select(each => each.Call)]);

        void Add(string what, List<double> times)
        {
            var result = Percentiles(times);
            table.AddRow($"{options.Provider}", $"{bare.Rows:N1}", $"{bare.Bytes:N0}", what, $"{result.P50:N2}",
                $"{result.P99:N2}", $"{result.P50 / once.P50:N1}");
        }
    }

    private static (double P50, double P99) Percentiles(List<double> times)
    {
        times.Sort();
        return (times[times.Count / 2], times[(int)(times.Count * 0.99)]);
    }

    /// <summary>Sessions that are deactivated and called again.</summary>
    private sealed class ColdSessions
    {
        private readonly InProcessTestCluster cluster;
        private readonly IUserSessionGrain[] sessions;
        private double hydration;

        public ColdSessions(InProcessTestCluster cluster, SessionId[] ids)
        {
            this.cluster = cluster;
            sessions = [.. ids.Select(id => cluster.Client.GetGrain<IUserSessionGrain>(id.Key))];
            var listener = new MeterListener
            {
                InstrumentPublished = (instrument, listener) =>
                {
                    if (instrument.Name == ChatterboxInstruments.Hydration.Name) listener.EnableMeasurementEvents(instrument);
                },
            };
            listener.SetMeasurementEventCallback<double>((_, seconds, _, _) => hydration = seconds * 1000);
            listener.Start();
        }

        public GrainId[] GrainIds => [.. sessions.Select(session => ((GrainReference)session).GrainId)];

        /// <summary>Milliseconds from the call to its answer, and the load time reported by the session.</summary>
        public async Task<(double Call, double Hydration)> HydrateAsync(int number)
        {
            var session = sessions[number % sessions.Length];
            await cluster.DeactivateAsync(((GrainReference)session).GrainId);
            hydration = double.NaN;
            var start = Stopwatch.GetTimestamp();
            var reply = await session.AttachAsync(SampleSession.Attach);
            var call = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if ((reply.State.Snapshot as AppState)?.Chunks.Count != SampleSession.Chunks || double.IsNaN(hydration))
                throw new InvalidOperationException("The session is not what was stored.");
            return (call, hydration);
        }
    }

    /// <summary>The stages of a hydration, measured separately.</summary>
    private sealed class Stages(IGrainStorage storage, MigrationChain migrations, GrainId[] owners)
    {
        public List<double> Reads { get; } = [];

        public List<double> Decodings { get; } = [];

        public async Task RunAsync(int number)
        {
            var owner = owners[number % owners.Length];
            var start = Stopwatch.GetTimestamp();
            var reads = TtsApp.Instance.Stored.Select(slice => new StoredRow(storage, owner, slice.Name).ReadAsync()).ToArray();
            await Task.WhenAll([.. reads, new Chatterbox.Grains.Session.RecoveryRow(storage, owner).LoadAsync()]);
            Reads.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);

            start = Stopwatch.GetTimestamp();
            foreach (var (index, slice) in TtsApp.Instance.Stored.Index())
                if (SliceReading.Of(owner, slice, reads[index].Result!, migrations).Outcome is { } wrong)
                    throw new InvalidOperationException($"{wrong}");
            Decodings.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
    }
}
