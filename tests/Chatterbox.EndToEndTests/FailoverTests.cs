using System.Globalization;
using Chatterbox.Client;
using Chatterbox.ClusterTests.Storage;
using Xunit.Abstractions;

namespace Chatterbox.EndToEndTests;

/// <summary>How long clients are without an answer when a silo fails. Prints the times; CHATTERBOX_FAILOVERS sets how many failures.</summary>
public sealed class FailoverTests(ITestOutputHelper output)
{
    private const int Users = 10;
    private const int Processes = 5;

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private static int Failures =>
        int.TryParse(Environment.GetEnvironmentVariable("CHATTERBOX_FAILOVERS"), CultureInfo.InvariantCulture, out var count) ? count : 1;

    [PostgresFact(DisplayName = "[C3] [C7] silos are killed again and again: every client is live again each time, and nothing is lost")]
    public async Task Clients_are_live_again()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        (string, string)[] settings =
        [
            ("Database__Provider", "PostgreSql"),
            ("Database__ConnectionString", postgres.ConnectionString(await postgres.CreateEmptyDatabaseAsync())),
            ("Cluster__Mode", "AdoNet"),
        ];
        await SiloProcess.MigrateAsync(settings);
        var silos = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => SiloProcess.StartAsync(settings)));
        var processes = await Task.WhenAll(Enumerable.Range(0, Processes)
            .Select(_ => ClientProcess.StartAsync([.. silos.Select(silo => silo.Gateway)])));
        try
        {
            var stores = await Task.WhenAll(processes.SelectMany(process => Enumerable.Range(0, Users)
                .Select(user => process.Client.OpenAsync(new SessionId($"user{user}"))))).WaitAsync(Timeout);
            var writers = stores.Select((store, number) => new Writer($"w{number}", store)).ToArray();
            await TimesAsync(writers);

            var (all, slowest) = (new List<double>(), new List<double>());
            for (var failure = 0; failure < Failures; failure++)
            {
                var silo = silos[failure % silos.Length];
                await silo.KillAsync();
                var times = await TimesAsync(writers);
                all.AddRange(times);
                slowest.Add(times.Max());
                output.WriteLine($"killed: median {Median(times):N1} s, slowest {times.Max():N1} s");
                await silo.StartAgainAsync();
                await TimesAsync(writers);
            }
            output.WriteLine($"{Failures} × killed, {stores.Length} clients: median {Median(all):N1} s, slowest {all.Max():N1} s; "
                + $"median of the slowest {Median(slowest):N1} s");

            await Task.WhenAll(writers.Select(writer => writer.EndAsync())).WaitAsync(Timeout);
            await using var fresh = await ClientProcess.StartAsync([.. silos.Select(silo => silo.Gateway)]);
            foreach (var session in writers.GroupBy(writer => writer.Store.Session))
            {
                var stored = await fresh.Client.OpenAsync(session.Key).WaitAsync(Timeout);
                Assert.All(session, writer => Assert.Equal(writer.Expected, writer.Own(stored.State)));
            }
        }
        finally
        {
            foreach (var process in processes) await process.DisposeAsync();
            foreach (var silo in silos) await silo.DisposeAsync();
        }
    }

    /// <summary>Seconds until each client has had a change applied that it began after this was asked.</summary>
    private static async Task<double[]> TimesAsync(Writer[] writers)
    {
        var asked = TimeProvider.System.GetTimestamp();
        var times = new double[writers.Length];
        using var timeout = new CancellationTokenSource(Timeout);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (times.Contains(0))
        {
            for (var index = 0; index < writers.Length; index++)
            {
                if (writers[index].Failure is { } failure) throw new InvalidOperationException("A client has stopped.", failure);
                if (times[index] == 0 && writers[index].LastBegun > asked) times[index] = TimeProvider.System.GetElapsedTime(asked).TotalSeconds;
            }
            await tick.WaitForNextTickAsync(timeout.Token);
        }
        return times;
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
