using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Chatterbox.Silo;
using Chatterbox.Silo.Gateway;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Bench.FanOut;

/// <summary>Resources used by a silo: CPU since its start, and memory after a collection.</summary>
internal sealed record Usage(TimeSpan Cpu, long Heap, long Resident);

/// <summary>
/// A silo as a separate process on free ports and a new SQLite file; its usage is queried over standard input.
/// </summary>
internal sealed class SiloChild : IAsyncDisposable
{
    public const string Verb = "fanout-silo";

    private readonly string _folder = Directory.CreateTempSubdirectory("chatterbox-bench-").FullName;
    private readonly int[] _ports = FreePorts(2);
    private readonly Process _process;

    /// <param name="poll">How often stock memory streams look for events; null for the silo's own streams.</param>
    /// <param name="isLocked">Whether calls have to prove themselves.</param>
    private SiloChild(TimeSpan? poll, bool isLocked)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            ArgumentList =
            {
                Verb, _folder, $"{_ports[0]}", $"{_ports[1]}",
                (poll?.TotalMilliseconds ?? 0).ToString(CultureInfo.InvariantCulture), isLocked ? ServiceKey : "",
            },
        };
        _process = Process.Start(start)!;
    }

    public const string ServiceKey = "a service key of the benchmark: 32 bytes or more";

    public IPEndPoint Gateway => new(IPAddress.Loopback, _ports[1]);

    public static async Task<SiloChild> StartAsync(TimeSpan? poll = null, bool isLocked = false)
    {
        var silo = new SiloChild(poll, isLocked);
        while (await silo._process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line == "ready") return silo;
            Console.Error.WriteLine(line);
        }
        throw new InvalidOperationException("The silo has not started.");
    }

    public async Task<Usage> UsageAsync(bool collect = false)
    {
        await _process.StandardInput.WriteLineAsync(collect ? "collect" : "usage");
        await _process.StandardInput.FlushAsync();
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Split(' ') is ["usage", var cpu, var heap, var resident])
                return new(TimeSpan.FromTicks(Long(cpu)), Long(heap), Long(resident));
            Console.Error.WriteLine(line);
        }
        throw new InvalidOperationException("The silo has ended.");

        static long Long(string text) => long.Parse(text, CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        // Killed: nothing needs to be saved.
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The code in the child process.</summary>
    public static async Task RunAsync(string[] args)
    {
        var settings = new SiloSettings
        {
            Database = new() { ConnectionString = $"Data Source={Path.Combine(args[0], "bench.db")}" },
            Silo = new() { Port = int.Parse(args[1], CultureInfo.InvariantCulture) },
            Gateway = new() { Port = int.Parse(args[2], CultureInfo.InvariantCulture) },
            Auth = new() { ServiceKey = args[4] },
        };
        DatabaseSchema.Migrate(settings.Database);
        var host = Host.CreateApplicationBuilder();
        host.Logging.ClearProviders();
        if (settings.Auth.IsConfigured) host.Services.AddChatterboxAccess(settings);
        host.UseOrleans(silo =>
        {
            silo.UseChatterbox(settings);
            if (args[3] != "0")
                silo.UseStockStreams(TimeSpan.FromMilliseconds(double.Parse(args[3], CultureInfo.InvariantCulture)));
        });
        using var built = host.Build();
        await built.StartAsync();
        Console.WriteLine("ready");
        while (Console.ReadLine() is { } command)
        {
            if (command == "collect") GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            using var self = Process.GetCurrentProcess();
            Console.WriteLine($"usage {self.TotalProcessorTime.Ticks} {GC.GetTotalMemory(false)} {self.WorkingSet64}");
        }
    }

    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        foreach (var listener in listeners) listener.Start();
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        foreach (var listener in listeners) listener.Dispose();
        return ports;
    }
}
