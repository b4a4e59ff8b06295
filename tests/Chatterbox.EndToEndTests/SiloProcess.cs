using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Chatterbox.EndToEndTests;

/// <summary>The real silo, as its own process on free ports of this machine, with a data folder of its own.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("chatterbox-e2e-").FullName;
    private readonly int[] _ports = FreePorts(3);
    private readonly ConcurrentQueue<string> _output = new();
    private Process? _process;

    public IPEndPoint Gateway => new(IPAddress.Loopback, _ports[1]);

    public string Folder => _folder;

    public string Output => string.Join('\n', _output);

    public static async Task<SiloProcess> StartAsync()
    {
        var silo = new SiloProcess();
        await silo.StartAgainAsync();
        return silo;
    }

    /// <summary>Starts over the same data. Returns once the silo says that it is ready.</summary>
    public async Task StartAgainAsync()
    {
        var start = Binaries.Start("Chatterbox.Silo", "Chatterbox.Silo");
        start.Environment["Chatterbox__Database__ConnectionString"] = $"Data Source={Path.Combine(_folder, "chatterbox.db")}";
        start.Environment["Chatterbox__Silo__Port"] = $"{_ports[0]}";
        start.Environment["Chatterbox__Gateway__Port"] = $"{_ports[1]}";
        start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{_ports[2]}";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_ports[2]}") };
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (await tick.WaitForNextTickAsync(patience.Token))
        {
            Assert.False(_process.HasExited, $"The silo has ended:\n{Output}");
            try
            {
                if ((await http.GetAsync("/health/ready", patience.Token)).IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
        }
    }

    /// <summary>SIGKILL: no time to save anything.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as Ctrl+C or an orchestrator ends it. Returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        using var kill = Process.Start("kill", $"-TERM {_process!.Id}");
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) await KillAsync();
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
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
