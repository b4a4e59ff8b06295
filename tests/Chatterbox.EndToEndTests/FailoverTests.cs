using System.Globalization;
using System.Net;
using Chatterbox.ClusterTests.Storage;
using Xunit.Abstractions;

namespace Chatterbox.EndToEndTests;

/// <summary>
/// How long 50 clients are without an answer when one of three silos fails. Prints the times; CHATTERBOX_FAILOVERS sets how many
/// failures (default 1). The goal on an idle machine: 5 s at the median, 10 s at most; the tests allow three times that.
/// </summary>
[Trait("Speed", "Slow")]
public sealed class FailoverTests(ITestOutputHelper output)
{
    private const int Users = 10;
    private const int Processes = 5;

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private static int Failures =>
        int.TryParse(Environment.GetEnvironmentVariable("CHATTERBOX_FAILOVERS"), CultureInfo.InvariantCulture, out var count)
            ? count
            : 1;

    [PostgresFact(DisplayName = "[C5] a silo is killed: every client is live again within seconds, and nothing is lost")]
    public Task A_killed_silo() => FailAsync("killed", silo => silo.KillAsync(), silo => silo.StartAgainAsync());

    [PostgresFact(DisplayName =
        "[C5] a silo hangs: every client is live again within seconds, as if it had been killed, and nothing is lost")]
    public Task A_hung_silo() => FailAsync("stopped", silo => silo.PauseAsync(), async silo =>
    {
        await silo.KillAsync();
        await silo.StartAgainAsync();
    });

    private async Task FailAsync(string what, Func<SiloProcess, Task> fail, Func<SiloProcess, Task> mend)
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
        IPEndPoint[] gateways = [.. silos.Select(silo => silo.Gateway)];
        var processes = await Task.WhenAll(Enumerable.Range(0, Processes).Select(_ => ClientProcess.StartAsync(gateways)));
        try
        {
            var stores = await Task.WhenAll(processes.SelectMany(process => Enumerable.Range(0, Users)
                .Select(user => process.Client.OpenAsync(new SessionId($"user{user}"))))).WaitAsync(Timeout);
            var writers = stores.Select((store, number) => new Writer($"w{number}", store)).ToArray();
            await TimesAsync(writers);

            var all = new List<double>();
            for (var failure = 0; failure < Failures; failure++)
            {
                var silo = silos[failure % silos.Length];
                await fail(silo);
                var times = await TimesAsync(writers);
                all.AddRange(times);
                output.WriteLine($"{what}: {Figures(times)}");
                await mend(silo);
                await TimesAsync(writers);
            }
            output.WriteLine($"{Failures} × {what}, {stores.Length} clients: {Figures(all)}");

            await Task.WhenAll(writers.Select(writer => writer.EndAsync())).WaitAsync(Timeout);
            await using var fresh = await ClientProcess.StartAsync(gateways);
            foreach (var session in writers.GroupBy(writer => writer.Store.Session))
            {
                var stored = await fresh.Client.OpenAsync(session.Key).WaitAsync(Timeout);
                Assert.All(session, writer => Assert.Equal(writer.Expected, writer.Own(stored.State)));
            }
            Assert.InRange(Median(all), 0, 15);
            Assert.InRange(all.Max(), 0, 30);
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
                if (times[index] == 0 && writers[index].LastBegun > asked)
                {
                    times[index] = TimeProvider.System.GetElapsedTime(asked).TotalSeconds;
                }
            }
            await tick.WaitForNextTickAsync(timeout.Token);
        }
        return times;
    }

    // A client that did not depend on the failed silo notices nothing: the median of those that did is the one to look at.
    private static string Figures(IReadOnlyCollection<double> times)
    {
        double[] held = [.. times.Where(time => time > 1)];
        return $"median {Median(times):N1} s, slowest {times.Max():N1} s; {held.Length} of {times.Count} were held up"
            + (held.Length > 0 ? $", median {Median(held):N1} s" : "");
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
