using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;

namespace Chatterbox.Silo.Settings;

/// <summary><c>Chatterbox__Silo__…</c>: where other silos reach this one.</summary>
public sealed class SiloEndpointOptions
{
    /// <summary>Default 11111.</summary>
    [Range(1, 65535)]
    public int Port { get; set; } = 11111;

    /// <summary>
    /// The IP address that other silos and clients are told. Default 127.0.0.1, and then nobody else can connect; with any other
    /// the silo listens on every address of the machine. <c>auto</c> takes this machine's own first address.
    /// </summary>
    public string Address { get; set; } = "127.0.0.1";

    internal IPAddress Advertised { get; private set; } = IPAddress.Loopback;

    internal IPAddress ListenOn => IPAddress.IsLoopback(Advertised) ? Advertised : IPAddress.Any;

    /// <exception cref="SettingsException"/>
    internal void Resolve()
    {
        if (Address.Equals("auto", StringComparison.OrdinalIgnoreCase))
            Advertised =
                Array.Find(Dns.GetHostAddresses(Dns.GetHostName()), own => own.AddressFamily is AddressFamily.InterNetwork)
                ?? IPAddress.Loopback;
        else if (IPAddress.TryParse(Address, out var address) && !address.Equals(IPAddress.Any))
            Advertised = address;
        else
            throw SettingsException.For("Chatterbox:Silo:Address", Address,
                "an IP address of this machine that others can reach, or auto");
    }
}

/// <summary>
/// <c>Chatterbox__Gateway__…</c>: where Orleans clients, the <c>chatterbox</c> command among them, reach this silo.
/// </summary>
public sealed class GatewayOptions
{
    /// <summary>Default 30000.</summary>
    [Range(1, 65535)]
    public int Port { get; set; } = 30000;

    /// <summary>
    /// Calls of one Orleans client, or of one user with a token, that the silo works on at once, where authentication is
    /// configured. Default 10,000; 1 to 1,000,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int CallsPerClient { get; set; } = 10_000;
}
