using System.Net;
using System.Net.Sockets;

namespace Chatterbox.GatewayTests.Hub;

/// <summary>A slow line to the silo: so many bytes a second come down it, over all connections.</summary>
internal sealed class SlowProxy : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly SemaphoreSlim _line = new(1);
    private readonly int _target;
    private readonly int _perTick;
    private readonly Task _accepting;
    private long _passed;

    public SlowProxy(Uri silo, int bytesPerSecond)
    {
        (_target, _perTick) = (silo.Port, (int)(bytesPerSecond * Tick.TotalSeconds));
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Bytes that came down.</summary>
    public long Passed => Interlocked.Read(ref _passed);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true) _ = RelayAsync(await _listener.AcceptTcpClientAsync(_end.Token));
    }

    private async Task RelayAsync(TcpClient client)
    {
        using (client)
        using (var silo = new TcpClient())
        {
            // Nothing waits in the middle: the silo is to notice how slow it is.
            (silo.ReceiveBufferSize, client.SendBufferSize) = (4096, 4096);
            await silo.ConnectAsync(IPAddress.Loopback, _target, _end.Token);
            var up = client.GetStream().CopyToAsync(silo.GetStream(), _end.Token);
            var down = DownAsync(silo.GetStream(), client.GetStream());
            await (await Task.WhenAny(up, down)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task DownAsync(NetworkStream silo, NetworkStream client)
    {
        var buffer = new byte[_perTick];
        while (await silo.ReadAsync(buffer, _end.Token) is var read and > 0)
        {
            await _line.WaitAsync(_end.Token);
            try
            {
                await Task.Delay(Tick * read / _perTick, TimeProvider.System, _end.Token);
            }
            finally
            {
                _line.Release();
            }
            await client.WriteAsync(buffer.AsMemory(0, read), _end.Token);
            Interlocked.Add(ref _passed, read);
        }
    }
}
