using System.CommandLine;
using System.Globalization;
using Chatterbox.Cli.Connection;
using Chatterbox.Cli.Work;

namespace Chatterbox.Cli.Cluster;

/// <summary>The silos, for operators: <c>cluster status | drain</c>.</summary>
internal static class ClusterCommands
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private static readonly (string Name, Func<SiloStatusReport, string> Value)[] Columns =
    [
        ("silo", each => each.Silo),
        ("host", each => each.Report?.Host ?? "-"),
        ("status", each => each.Report switch
        {
            null => $"{each.Status}, does not answer",
            { IsDraining: true } => "draining",
            { DegradedSince: { } since } => $"{each.Status}, no database since {ItemList.Time(since)}",
            _ => each.Status,
        }),
        ("version", each => each.Report?.Version ?? "-"),
        ("started", each => each.Report is { } report ? ItemList.Time(report.Started) : "-"),
        ("sessions", each => Number(each.Report?.Sessions)),
        ("clients", each => Number(each.Report?.Clients)),
        ("failing", each => Number(each.Report?.Failing)),
        ("read-only", each => Number(each.Report?.ReadOnly)),
        ("pending rows", each => Number(each.Report?.PendingFrames)),
    ];

    public static Command Create() => new("cluster", "The silos: which there are and what they hold; drain one of them.")
    {
        Status(), Drain(),
    };

    private static ClusterVerb Status()
    {
        var json = JsonOption.Create();
        return new ClusterVerb("status", "Lists the silos with their sessions and clients, a line each.",
            """
            failing: sessions that cannot save at present. pending rows: those in the silo's fallback file only.
            --json prints an array of {silo, status, report}, without the report where a silo has not answered within 2 s.

            Examples:
              chatterbox cluster status
              chatterbox cluster status --json | jq '[.[].report.sessions] | add'
            """)
        {
            json,
        }.Does(async (parsed, connection, deadline) =>
        {
            var silos = await Grain(connection).GetStatusAsync().WaitAsync(deadline.Token);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json)) output.WriteJson(silos, ChatterboxJson.Default.ValueListSiloStatusReport);
            else foreach (var line in ItemList.Lines(silos, Columns)) await output.WriteLineAsync(line);
            return ExitCode.Done;
        });
    }

    private static ClusterVerb Drain()
    {
        var silo = new Argument<string>("SILO")
        {
            Description = "Its address and port, or its host's name, as 'cluster status' shows them.",
        };
        return new ClusterVerb("drain", "Stops a silo: it hands its sessions over to the others first. Waits until it is gone.",
            """
            The same as SIGTERM to its process. What runs the process may start it again: scale in, or cordon, before. Its
            last log line says how many sessions it moved and saved, and what it could not save. The last active silo is not
            drained.
            --gateway should name other silos, too: through its own gateway a silo cannot be seen to be gone.
            --timeout is for the time without progress.

            Examples:
              chatterbox cluster drain 10.0.0.7:11111
              chatterbox cluster drain chatterbox-2
            """)
        {
            silo,
        }.Does(async (parsed, connection, deadline) =>
        {
            var name = parsed.GetRequiredValue(silo);
            var before = await Grain(connection).GetStatusAsync().WaitAsync(deadline.Token);
            if (await Grain(connection).DrainAsync(name).WaitAsync(deadline.Token) is { } refused)
                throw WrongRequestException.For(refused);
            var target = before.First(each => each.Silo == name || each.Report?.Host == name);
            await WaitAsync(connection, target, parsed.InvocationConfiguration.Output, deadline);
            return ExitCode.Done;
        });
    }

    private static async Task WaitAsync(
        ClusterConnection connection, SiloStatusReport target, TextWriter output, Deadline deadline)
    {
        var told = -1;
        while (await FindAsync(connection, target.Silo, deadline) is { } now)
        {
            if (now.Report is { } report && report.Sessions != told)
            {
                await output.WriteLineAsync($"{target.Silo}: {Number(report.Sessions)} sessions left");
                told = report.Sessions;
                deadline.Extend();
            }
            await Task.Delay(Look, TimeProvider.System, deadline.Token);
        }
        await output.WriteLineAsync($"{target.Silo} is gone");
    }

    // The silo that was asked may be the one that stops: then the call goes to another, as soon as this client knows one.
    private static async Task<SiloStatusReport?> FindAsync(ClusterConnection connection, string silo, Deadline deadline)
    {
        while (true)
        {
            try
            {
                var silos = await Grain(connection).GetStatusAsync().WaitAsync(deadline.Token);
                return silos.FirstOrDefault(each => each.Silo == silo);
            }
            catch (Exception lost) when (lost is OrleansException or TimeoutException)
            {
                await Task.Delay(Look, TimeProvider.System, deadline.Token);
            }
        }
    }

    private static IClusterGrain Grain(ClusterConnection connection) => connection.Grains.GetGrain<IClusterGrain>(0);

    private static string Number(int? value) => value?.ToString("N0", CultureInfo.InvariantCulture) ?? "-";
}
