using System.Diagnostics;
using System.Net;

namespace Chatterbox.Chaos.Faults;

/// <summary>
/// One silo in its namespace. When its process ends, by a fault or by itself, it is started again, as an orchestrator would.
/// </summary>
internal sealed class SiloProcess(int number, string folder, IReadOnlyDictionary<string, string> settings,
    Action<string> log, Action<SiloProcess> ended)
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromMinutes(1);

    private static readonly HttpClient s_http = new() { Timeout = TimeSpan.FromSeconds(2) };
    private volatile int _process;
    private volatile TaskCompletionSource _exited = new();
    private volatile bool _isExpected;
    private volatile bool _stopped;
    private Task _running = Task.CompletedTask;

    public int Number => number;

    public IPEndPoint Gateway { get; } = new(IPAddress.Parse(Network.AddressOf(number)), 30_000);

    /// <summary>How long it stays away after the next end of its process.</summary>
    public TimeSpan RestartDelay { get; set; }


    /// <summary>How often its process ended without having been told to: a silo that finds itself declared dead does.</summary>
    public int OwnEnds { get; private set; }

    private string ClockFile => Path.Combine(folder, "clock");

    public void Start()
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(ClockFile, "+0");
        _stopped = false;
        _running = KeepRunningAsync();
    }

    public Task KillAsync()
    {
        _isExpected = true;
        return SignalAsync("KILL");
    }

    /// <summary>SIGTERM. Returns once the process has ended; false when that took too long and it was killed.</summary>
    public async Task<bool> StopAsync()
    {
        _isExpected = true;
        var exited = _exited.Task;
        await SignalAsync("TERM");
        if (await Task.WhenAny(exited, Task.Delay(StopTimeout, TimeProvider.System)) == exited) return true;
        await SignalAsync("KILL");
        return false;
    }

    /// <summary>SIGKILL, and it stays down.</summary>
    public async Task EndAsync()
    {
        _stopped = true;
        // A process may be about to start.
        while (!_running.IsCompleted)
        {
            await KillAsync();
            await Task.WhenAny(_running, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System));
        }
    }

    public Task PauseAsync() => SignalAsync("STOP");

    public Task ResumeAsync() => SignalAsync("CONT");

    /// <summary>Its wall clock shows so much more than the machine's, from about a second on.</summary>
    public void SetClock(TimeSpan ahead) =>
        File.WriteAllText(ClockFile, $"{(ahead < TimeSpan.Zero ? "-" : "+")}{(long)Math.Abs(ahead.TotalSeconds)}");

    public async Task<bool> IsReadyAsync()
    {
        try
        {
            using var reply = await s_http.GetAsync(new Uri($"http://{Network.AddressOf(number)}:5080/health/ready"));
            return reply.IsSuccessStatusCode;
        }
        catch (Exception away) when (away is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    private async Task KeepRunningAsync()
    {
        while (!_stopped)
        {
            _isExpected = false;
            await RunAsync();
            if (_stopped) return;
            ended(this);
            if (!_isExpected)
            {
                OwnEnds++;
                log($"silo {number} ended by itself");
            }
            await Task.Delay(RestartDelay, TimeProvider.System);
            RestartDelay = TimeSpan.Zero;
        }
    }

    private async Task RunAsync()
    {
        var start = new ProcessStartInfo(Shell.Find("ip")!,
            ["netns", "exec", Network.NamespaceOf(number), "dotnet", Programs.Silo])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach (var (name, value) in settings) start.Environment[name] = value;
        start.Environment["Chatterbox__Silo__Address"] = Network.AddressOf(number);
        start.Environment["Chatterbox__Silo__Port"] = "11111";
        start.Environment["Chatterbox__Gateway__Port"] = $"{Gateway.Port}";
        start.Environment["Chatterbox__Database__Fallback"] = Path.Combine(folder, "fallback.db");
        start.Environment["ASPNETCORE_URLS"] = $"http://{Network.AddressOf(number)}:5080";
        Programs.SetClockFile(start, ClockFile);
        await using var output =
            TextWriter.Synchronized(new StreamWriter(Path.Combine(folder, "silo.log"), append: true) { AutoFlush = true });
        using var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => output.WriteLine(line.Data);
        process.ErrorDataReceived += (_, line) => output.WriteLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = process.Id;
        await process.WaitForExitAsync();
        _process = 0;
        _exited.TrySetResult();
    }

    // Between two processes there is nobody to tell.
    private Task SignalAsync(string signal) => _process is 0 ? Task.CompletedTask : Shell.SignalAsync(signal, _process);
}
