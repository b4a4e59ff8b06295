using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Orleans.Messaging;

namespace Chatterbox.Client.Connections;

/// <summary>
/// The gateways' addresses, without those that do not answer: Orleans closes its connections to gateways that leave the list.
/// Host names are resolved again every few seconds, to all of their addresses, so that a client survives silos being replaced by
/// others with new addresses, as a headless service of Kubernetes lists them.
/// </summary>
internal sealed partial class GatewayList(
    ChatterboxClientOptions options, SilentGateways silent, TimeProvider clock, ILogger<GatewayList> logger)
    : IGatewayListProvider
{
    private readonly Dictionary<DnsEndPoint, IPAddress[]> _known = [];
    private IReadOnlyCollection<IPEndPoint> _endpoints = [];
    private long _resolved;

    public TimeSpan MaxStaleness => options.GatewayRefresh;

    public bool IsUpdatable => true;

    public Task InitializeGatewayListProvider() => GetGateways();

    public async Task<IList<Uri>> GetGateways()
    {
        if (_endpoints.Count == 0 || clock.GetElapsedTime(_resolved) >= options.GatewayRefresh)
        {
            _endpoints = await ResolveAsync();
            _resolved = clock.GetTimestamp();
        }
        return [.. silent.LeaveOut(_endpoints).Select(endpoint => SiloAddress.New(endpoint, 0).ToGatewayUri())];
    }

    private async Task<IReadOnlyCollection<IPEndPoint>> ResolveAsync()
    {
        var endpoints = new List<IPEndPoint>();
        foreach (var gateway in options.Gateways)
        {
            if (gateway is DnsEndPoint name)
                endpoints.AddRange((await ResolveAsync(name)).Select(address => new IPEndPoint(address, name.Port)));
            else endpoints.Add((IPEndPoint)gateway);
        }
        return [.. endpoints.Distinct()];
    }

    // A name that cannot be resolved keeps its last addresses.
    private async Task<IPAddress[]> ResolveAsync(DnsEndPoint name)
    {
        try
        {
            var addresses = await options.Resolve(name.Host);
            if (addresses.Length > 0) _known[name] = addresses;
        }
        catch (SocketException failure)
        {
            LogNotResolved(name.Host, failure.Message);
        }
        return _known.GetValueOrDefault(name, []);
    }

    [LoggerMessage(LogLevel.Warning, "The gateway name {Host} cannot be resolved: {Reason}")]
    private partial void LogNotResolved(string host, string reason);
}
