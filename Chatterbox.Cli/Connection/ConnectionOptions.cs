using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Chatterbox.Cli.Connection;

/// <summary>The options that every verb takes.</summary>
internal static class ConnectionOptions
{
    private const int DefaultPort = 30000;
    private const double ShortestTimeout = 0.1;
    private const double LongestTimeout = 3600;

    public static Option<EndPoint[]> Gateways { get; } = new("--gateway")
    {
        Description =
            "Where silos take clients: host:port. A name stands for all its addresses, and is resolved again. May be repeated.",
        HelpName = "host:port",
        Recursive = true,
        CustomParser = ParseGateways,
        DefaultValueFactory = _ => [new IPEndPoint(IPAddress.Loopback, DefaultPort)],
    };

    public static Option<string> Store { get; } = new("--store")
    {
        Description = "The user's store.",
        HelpName = "name",
        Recursive = true,
        DefaultValueFactory = _ => SessionId.DefaultStore,
    };

    public static Option<double> Timeout { get; } = new("--timeout")
    {
        Description = "Seconds to wait for the service before giving up with exit code 3; watch waits for ever.",
        HelpName = "seconds",
        Recursive = true,
        CustomParser = ParseTimeout,
        DefaultValueFactory = _ => 15,
    };

    public static IReadOnlyList<Option> All { get; } = 
        [Gateways, Store, Timeout, ServiceKey.Value, ServiceKey.File, .. Tls.All];

    private static EndPoint[] ParseGateways(ArgumentResult argument)
    {
        var found = new List<EndPoint>();
        foreach (var text in argument.Tokens.Select(token => token.Value))
        {
            if (ParseGateway(text) is { } gateway) found.Add(gateway);
            else argument.AddError(Rejection.OfText("--gateway", text, "host:port of a silo, such as 127.0.0.1:30000").Message);
        }
        return [.. found];
    }

    // A name that cannot be resolved is an invalid argument; a resolved one is resolved again while the verb runs.
    private static EndPoint? ParseGateway(string text)
    {
        if (IPEndPoint.TryParse(text, out var exact)) return exact.Port > 0 ? exact : new(exact.Address, DefaultPort);
        var colon = text.LastIndexOf(':');
        var (host, port) = colon < 0 ? (text, DefaultPort) : (text[..colon], ParsePort(text[(colon + 1)..]));
        try
        {
            return port is null || Dns.GetHostAddresses(host).Length == 0 ? null : new DnsEndPoint(host, port.Value);
        }
        catch (Exception unknown) when (unknown is SocketException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private static int? ParsePort(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
        && port is > 0 and <= IPEndPoint.MaxPort
            ? port
            : null;

    private static double ParseTimeout(ArgumentResult argument)
    {
        var text = argument.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
            && seconds is >= ShortestTimeout and <= LongestTimeout)
        {
            return seconds;
        }
        argument.AddError(Rejection.OfText("--timeout", text, $"{ShortestTimeout} to {LongestTimeout} seconds").Message);
        return default;
    }
}
