using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Chatterbox.ClusterTests.Storage;

namespace Chatterbox.EndToEndTests;

/// <summary>The real silo, as its own process on free ports of this machine, with a data folder of its own.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("chatterbox-e2e-").FullName;
    private readonly int[] _ports = [FreePort.Next(), FreePort.Next(), FreePort.Next()];
    private readonly (string Name, string Value)[] _settings;
    private readonly ConcurrentQueue<string> _output = new();
    private Process? _process;

    private SiloProcess((string Name, string Value)[] settings) => _settings = settings;

    public IPEndPoint Gateway => new(IPAddress.Loopback, _ports[1]);

    /// <summary>Where other silos reach it, as 'chatterbox cluster' names it.</summary>
    public string Address => $"127.0.0.1:{_ports[0]}";

    public Uri Web => new($"http://127.0.0.1:{_ports[2]}");

    public string Folder => _folder;

    public string Output => string.Join('\n', _output);

    /// <param name="settings">What follows <c>Chatterbox__</c>, and its value; without any: one silo on a
    /// SQLite file of its own.</param>
    public static async Task<SiloProcess> StartAsync(params (string Name, string Value)[] settings)
    {
        var silo = new SiloProcess(settings);
        await silo.StartAgainAsync();
        return silo;
    }

    /// <summary>Runs <c>Chatterbox.Silo --migrate-database</c>.</summary>
    public static async Task MigrateAsync(params (string Name, string Value)[] settings)
    {
        var (exitCode, output, errors) = await RunAsync(["--migrate-database"], settings);
        Assert.True(exitCode == 0, output + errors);
    }

    /// <summary>Runs the program to its end: it is not to become a silo.</summary>
    public static Task<(int ExitCode, string Output, string Errors)> RunAsync(IEnumerable<string> arguments,
        params (string Name, string Value)[] settings) =>
        RunAsync(arguments, [], settings);

    /// <param name="environment">Other variables than settings.</param>
    public static Task<(int ExitCode, string Output, string Errors)> RunAsync(
        IEnumerable<string> arguments, (string Name, string Value)[] environment, params (string Name, string Value)[] settings)
    {
        var start = Binaries.Start("Chatterbox.Silo", "Chatterbox.Silo");
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        Configure(start, settings);
        return RunAsync(start);
    }

    public string ConnectionString => $"Data Source={Path.Combine(_folder, "chatterbox.db")}";

    /// <summary>Runs the silo's program beside the silo, with the same settings, for something else than being one.</summary>
    public Task<(int ExitCode, string Output, string Errors)> BesideAsync(params string[] arguments) =>
        RunAsync(arguments, [("Database__ConnectionString", ConnectionString), .. _settings]);

    /// <summary>Runs <c>Chatterbox.Silo --health</c> with the silo's URL.</summary>
    public Task<(int ExitCode, string Output, string Errors)> HealthAsync()
    {
        var start = Binaries.Start("Chatterbox.Silo", "Chatterbox.Silo");
        start.ArgumentList.Add("--health");
        start.Environment["ASPNETCORE_URLS"] = $"http://+:{_ports[2]}";
        return RunAsync(start);
    }

    public int ProcessId => _process!.Id;

    /// <summary>Runs the command line tool on this silo.</summary>
    public Task<(int ExitCode, string Output, string Errors)> ChatterboxAsync(params string[] arguments)
    {
        var start = Binaries.Start("Chatterbox.Cli", "chatterbox");
        foreach (var argument in (string[])[.. arguments, "--gateway", $"{Gateway}"]) start.ArgumentList.Add(argument);
        return RunAsync(start);
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(ProcessStartInfo start)
    {
        using var process = Process.Start(start)!;
        try
        {
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync().WaitAsync(Patience);
            return (process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    /// <summary>What <c>/health/ready</c> says, and its status code.</summary>
    public async Task<(HttpStatusCode Code, string Body)> ReadyAsync()
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_ports[2]}") };
        using var reply = await http.GetAsync("/health/ready");
        return (reply.StatusCode, await reply.Content.ReadAsStringAsync());
    }

    /// <summary>Starts over the same data. Returns once the silo says that it is ready.</summary>
    public async Task StartAgainAsync()
    {
        var start = Binaries.Start("Chatterbox.Silo", "Chatterbox.Silo");
        Configure(start,
        [
            ("Database__ConnectionString", ConnectionString),
            ("Database__Fallback", Path.Combine(_folder, "fallback.db")),
            ("Silo__Port", $"{_ports[0]}"),
            ("Gateway__Port", $"{_ports[1]}"),
            .. _settings,
        ]);
        start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{_ports[2]}";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_ports[2]}") };
        using var patience = new CancellationTokenSource(Patience);
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

    /// <summary>SIGSTOP: connections stay open, and the kernel accepts new ones, but nothing is answered.</summary>
    public Task PauseAsync() => SignalAsync("STOP");

    /// <summary>SIGTERM, as Ctrl+C or an orchestrator ends it. Returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        await SignalAsync("TERM");
        return await EndedAsync();
    }

    /// <summary>Waits until it has ended by itself. Returns the exit code.</summary>
    public async Task<int> EndedAsync()
    {
        await _process!.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        return _process.ExitCode;
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", $"-{signal} {_process!.Id}");
        await kill.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) await KillAsync();
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static void Configure(ProcessStartInfo start, IEnumerable<(string Name, string Value)> settings)
    {
        // Loopback, and nobody has to say who they are.
        start.Environment.TryAdd("ASPNETCORE_ENVIRONMENT", "Development");
        foreach (var (name, value) in settings) start.Environment[$"Chatterbox__{name}"] = value;
    }
}
