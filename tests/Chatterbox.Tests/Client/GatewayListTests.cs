using System.Net;
using System.Net.Sockets;
using Chatterbox.Client;
using Chatterbox.Client.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.Client;

public sealed class GatewayListTests
{
    private readonly FakeTimeProvider _clock = new();
    private IPAddress[]? _resolved = [IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2"), IPAddress.IPv6Loopback];

    [Fact(DisplayName = "[C7] a name stands for all its addresses, and is resolved again every few seconds")]
    public async Task Resolves_again()
    {
        var list = List(new DnsEndPoint("silos", 30000), new IPEndPoint(IPAddress.Loopback, 30001));
        Assert.Equal(["10.0.0.1:30000", "10.0.0.2:30000", "[::1]:30000", "127.0.0.1:30001"], await GatewaysAsync(list));

        _resolved = [IPAddress.Parse("10.0.0.3")];
        Assert.Equal(4, (await GatewaysAsync(list)).Length);
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["10.0.0.3:30000", "127.0.0.1:30001"], await GatewaysAsync(list));
    }

    [Fact(DisplayName = "[C7] a name that cannot be resolved for a while keeps its addresses")]
    public async Task Keeps_what_it_knew()
    {
        var list = List(new DnsEndPoint("silos", 30000));
        var before = await GatewaysAsync(list);
        _resolved = null;
        _clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(before, await GatewaysAsync(list));
    }

    [Fact(DisplayName = "[C7] anything else than addresses and names is refused as a gateway")]
    public void Refuses_other_endpoints()
    {
        var options = new ChatterboxClientOptions();
        options.Gateways.Add(new UnixDomainSocketEndPoint("/tmp/silo"));

        Assert.Contains("UnixDomainSocketEndPoint", Assert.Throws<ArgumentException>(options.EnsureValid).Message,
            StringComparison.Ordinal);
    }

    private GatewayList List(params EndPoint[] gateways)
    {
        var options = new ChatterboxClientOptions
        {
            Resolve = _ =>
                _resolved is { } addresses ? Task.FromResult(addresses) : throw new SocketException((int)SocketError.TryAgain),
        };
        foreach (var gateway in gateways) options.Gateways.Add(gateway);
        return new(options, new(_clock, NullLogger<SilentGateways>.Instance), _clock, NullLogger<GatewayList>.Instance);
    }

    private static async Task<string[]> GatewaysAsync(GatewayList list) =>
        [.. (await list.GetGateways()).Select(uri => uri.Authority)];
}
