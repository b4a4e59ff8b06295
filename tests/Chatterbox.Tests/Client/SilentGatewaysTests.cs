using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Chatterbox.Client.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.Client;

public sealed class SilentGatewaysTests : IDisposable
{
    private static readonly IPEndPoint First = new(IPAddress.Loopback, 1);
    private static readonly IPEndPoint Second = new(IPAddress.Loopback, 2);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _clock = new();
    private readonly HashSet<IPEndPoint> _hung = [];
    private readonly Channel<IPEndPoint> _probed = Channel.CreateUnbounded<IPEndPoint>();
    private readonly SilentGateways _gateways;

    public SilentGatewaysTests() => _gateways = new(AnswersAsync, _clock, NullLogger<SilentGateways>.Instance);

    [Fact(DisplayName = "[C5] a gateway that does not answer is left out until it answers")]
    public async Task Is_left_out()
    {
        _gateways.LeaveOut([First, Second]);
        _hung.Add(First);
        _gateways.Suspect();
        await ProbedAsync(2);
        await UntilAsync(() => _gateways.LeaveOut([First, Second]).SequenceEqual([Second]));

        _hung.Clear();
        await UntilAsync(() => _gateways.LeaveOut([First, Second]).Count == 2);
    }

    [Fact(DisplayName = "[C5] where no gateway answers, all stay listed")]
    public async Task All_are_silent()
    {
        _gateways.LeaveOut([First, Second]);
        _hung.UnionWith([First, Second]);
        _gateways.Suspect();
        await ProbedAsync(2);
        // The next round comes once the first one is over.
        await UntilAsync(() => _probed.Reader.TryRead(out _));

        Assert.Equal([First, Second], _gateways.LeaveOut([First, Second]));
    }

    [Fact(DisplayName = "[C5] no gateway is probed while calls are answered, and at most once a second while they are not")]
    public async Task Is_rare()
    {
        _gateways.LeaveOut([First]);
        Assert.False(_probed.Reader.TryRead(out _));

        for (var call = 0; call < 10; call++) _gateways.Suspect();
        await ProbedAsync(1);
        for (var call = 0; call < 10; call++) _gateways.Suspect();
        Assert.False(_probed.Reader.TryRead(out _));

        await UntilAsync(() =>
        {
            _gateways.Suspect();
            return _probed.Reader.TryRead(out _);
        });
    }

    [Fact(DisplayName = "[C5] a probe tells a live process from one that hangs behind an open port, and from none")]
    public async Task Tells_them_apart()
    {
        using var live = new TcpListener(IPAddress.Loopback, 0);
        live.Start();
        var accepting = AcceptAsync(live);
        Assert.True(await GatewayProbe.AnswersAsync((IPEndPoint)live.LocalEndpoint, CancellationToken.None).WaitAsync(Timeout));
        await accepting;
        var port = (IPEndPoint)live.LocalEndpoint;

        // Accepted by the kernel, and by nobody else.
        using var cancelled = new CancellationTokenSource();
        var probe = GatewayProbe.AnswersAsync(port, cancelled.Token);
        await UntilAsync(live.Pending);
        Assert.False(probe.IsCompleted);
        await cancelled.CancelAsync();
        Assert.False(await probe.WaitAsync(Timeout));

        live.Stop();
        Assert.False(await GatewayProbe.AnswersAsync(port, CancellationToken.None).WaitAsync(Timeout));
    }

    public void Dispose() => _gateways.Dispose();

    private static async Task AcceptAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync();
        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1]));
    }

    private async Task<bool> AnswersAsync(IPEndPoint gateway, CancellationToken cancellationToken)
    {
        _probed.Writer.TryWrite(gateway);
        if (!_hung.Contains(gateway)) return true;
        var cancelled = new TaskCompletionSource();
        await using var registration = cancellationToken.Register(cancelled.SetResult);
        await cancelled.Task;
        return false;
    }

    private async Task ProbedAsync(int count)
    {
        for (var probe = 0; probe < count; probe++) await _probed.Reader.ReadAsync().AsTask().WaitAsync(Timeout);
    }

    /// <summary>Time passes until it is so.</summary>
    private async Task UntilAsync(Func<bool> condition)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        while (!condition())
        {
            timeout.Token.ThrowIfCancellationRequested();
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
    }
}
