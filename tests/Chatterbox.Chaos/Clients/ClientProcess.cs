using System.Diagnostics;
using Chatterbox.Chaos.Faults;
using Chatterbox.Chaos.Ledgers;

namespace Chatterbox.Chaos.Clients;

/// <summary>
/// A client in a process of its own, whose lines go to the ledger. After a kill it is started again under the next name.
/// </summary>
internal sealed class ClientProcess(ClientSettings settings, Ledger ledger) : IAsyncDisposable
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(30);

    private Process? _process;
    private Task _reading = Task.CompletedTask;
    private TaskCompletionSource _settled = new();
    private int _run;

    public string Name => $"{settings.Name}.{_run}";

    public IReadOnlyList<string> Users => settings.Users;

    /// <summary>Set when the process ended though nobody had ended it.</summary>
    public bool EndedByItself { get; private set; }

    /// <summary>Completes when every change of the process has an outcome.</summary>
    public Task Settled => _settled.Task;

    public void Start()
    {
        _run++;
        _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var start = new ProcessStartInfo("dotnet", [Programs.Self, "client", .. (settings with { Name = Name }).ToArguments()])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        _reading = ReadAsync(_process, Name, _settled);
    }

    public void Settle() => _process!.StandardInput.WriteLine(ClientProgram.Settle);

    public void Report() => _process!.StandardInput.WriteLine(ClientProgram.Report);

    /// <summary>SIGKILL. Returns once all that it said is in the ledger.</summary>
    public async Task KillAsync()
    {
        var process = _process!;
        _process = null;
        process.Kill();
        await process.WaitForExitAsync();
        await _reading;
    }

    /// <summary>Has it close its stores in good order.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _process, null) is not { } process) return;
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync().WaitAsync(CloseTimeout, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            process.Kill();
        }
        await _reading;
    }

    private async Task ReadAsync(Process process, string name, TaskCompletionSource settled)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } text)
        {
            if (Line.Parse(text) is not { } line) continue;
            if (line.Word is Word.Settled) settled.TrySetResult();
            else ledger.Add(line, settings.OutboxDirectory is not null);
        }
        EndedByItself |= _process == process;
        ledger.Ended(name, Line.Now);
    }
}
