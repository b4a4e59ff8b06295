using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chatterbox.EndToEndTests;

/// <summary>
/// A client in a process of its own, with its outbox on disk, that adds chunks and takes some of them away again, as fast as they
/// are taken. It says so before and after each change. Done twice, an addition would bring back what was taken away.
/// </summary>
internal sealed class OutboxWriter : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly Task _reading;

    private OutboxWriter(Process process)
    {
        _process = process;
        _reading = ReadAsync();
    }

    /// <summary>"+id" and "-id", each twice: when it was begun, and when it was taken.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    public static OutboxWriter Start(IPEndPoint gateway, string folder, string name)
    {
        var start = Binaries.Start("tests/Chatterbox.EndToEndTests", "Chatterbox.EndToEndTests");
        foreach (var argument in (string[])[gateway.ToString(), folder, name]) start.ArgumentList.Add(argument);
        return new(Process.Start(start)!);
    }

    /// <summary>Returns once so many changes have been taken.</summary>
    public async Task TakenAsync(int changes, TimeSpan patience)
    {
        using var deadline = new CancellationTokenSource(patience);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (_lines.Count < 2 * changes)
        {
            Assert.False(_process.HasExited, "The writer has ended.");
            await tick.WaitForNextTickAsync(deadline.Token);
        }
    }

    /// <summary>SIGKILL. Returns once everything that it had written has been read.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    /// <summary>The child's side.</summary>
    public static async Task RunAsync(string[] args)
    {
        var (folder, name) = (args[1], args[2]);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.AddChatterboxClient(options =>
        {
            options.Gateways.Add(IPEndPoint.Parse(args[0]));
            (options.OutboxDirectory, options.KeepConnecting) = (folder, true);
            options.Heartbeat = TimeSpan.FromSeconds(1);
        });
        using var host = builder.Build();
        // Not awaited: the silo may be away.
        _ = host.StartAsync();
        var store = host.Services.GetRequiredService<ChatterboxClient>().Open(new SessionId("alice"));
        var there = new Queue<string>();
        for (var number = 0; ; number++)
        {
            var id = $"{name}-{number.ToString(CultureInfo.InvariantCulture)}";
            await TakeAsync(store, "+", id, new UpsertChunk(TestData.Chunk(id)));
            there.Enqueue(id);
            if (number % 3 > 0) await TakeAsync(store, "-", there.Peek(), new RemoveChunk(there.Dequeue()));
        }
    }

    private static async Task TakeAsync(ChatterboxStore store, string what, string id, AppStateChange change)
    {
        Console.WriteLine($"{what}{id}");
        await store.EnqueueAsync(change);
        Console.WriteLine($"{what}{id}");
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line) _lines.Enqueue(line);
    }
}
