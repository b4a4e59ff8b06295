using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>Stands between a silo and its database, and can stop forwarding without a word, as a network does.</summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly string host;
    private readonly int target;
    private readonly ConcurrentBag<TcpClient> connections = [];
    private readonly CancellationTokenSource end = new();
    private readonly Task accepting;
    private TcpListener listener;

    // Bytes pass once it is completed.
    private volatile TaskCompletionSource open = Completed();

    private TaskCompletionSource listening = Completed();

    // Negative: without limit.
    private int _allowance = -1;

    public TcpProxy(int target, string host = "127.0.0.1")
    {
        (this.target, this.host) = (target, host);
        Port = FreePort.Next();
        listener = new TcpListener(IPAddress.Loopback, Port);
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Connections stay open and new ones are accepted; no byte passes.</summary>
    public void Hang() => open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// So many more bytes pass from clients to the server, and then none in either direction: half a message arrives.
    /// </summary>
    public void HangAfter(int bytes) => Volatile.Write(ref _allowance, bytes);

    /// <summary>Connections are cut and new ones refused.</summary>
    public void Refuse()
    {
        listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
        listener.Stop();
        while (connections.TryTake(out var connection)) connection.Dispose();
    }

    /// <summary>Bytes pass again: those that were held back as well.</summary>
    public void Resume()
    {
        open.TrySetResult();
        if (listening.Task.IsCompleted) return;
        listener = new TcpListener(IPAddress.Loopback, Port);
        listener.Start();
        listening.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        Refuse();
        open.TrySetCanceled();
        listening.TrySetCanceled();
        await accepting.ContinueWith(_ => { }, TaskScheduler.Default);
        end.Dispose();
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }

    private async Task AcceptAsync()
    {
        while (!end.IsCancellationRequested)
        {
            await listening.Task;
            try
            {
                var client = await listener.AcceptTcpClientAsync(end.Token);
                var server = new TcpClient { NoDelay = true };
                client.NoDelay = true;
                connections.Add(client);
                connections.Add(server);
                _ = ConnectAsync(client, server);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // Refusing.
            }
        }
    }

    private async Task ConnectAsync(TcpClient client, TcpClient server)
    {
        try
        {
            await server.ConnectAsync(host, target);
            await Task.WhenAny(PumpAsync(client, server, isToServer: true), PumpAsync(server, client, isToServer: false));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The database is down.
        }
        client.Dispose();
        server.Dispose();
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, bool isToServer)
    {
        var buffer = new byte[32_768];
        try
        {
            while (await from.GetStream().ReadAsync(buffer) is var read and > 0)
            {
                var passed = 0;
                if (isToServer && Volatile.Read(ref _allowance) is >= 0 and var allowed)
                {
                    passed = Math.Min(read, allowed);
                    await to.GetStream().WriteAsync(buffer.AsMemory(0, passed));
                    Volatile.Write(ref _allowance, allowed - passed);
                    if (passed == read) continue;
                    Volatile.Write(ref _allowance, -1);
                    Hang();
                }
                await open.Task;
                await to.GetStream().WriteAsync(buffer.AsMemory(passed, read - passed));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException
            or OperationCanceledException)
        {
            // Cut.
        }
    }
}
