using System.Net;

namespace Chatterbox.Client;

/// <summary>How a client process reaches its silos.</summary>
public sealed class ChatterboxClientOptions
{
    /// <summary>Gateways of the silos. Default: 127.0.0.1:30000, a silo on this machine.</summary>
    public IList<IPEndPoint> Gateways { get; } = [];

    public string ClusterId { get; set; } = "chatterbox";

    public string ServiceId { get; set; } = "chatterbox";

    /// <summary>What the user's other clients see of this one. 1 to 200 characters; default: the machine's name.</summary>
    public string Device { get; set; } = Environment.MachineName;

    /// <summary>How often each open store renews its lease and looks whether it has missed something. Default 5 s; below the silo's lease.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>A call not answered in this time is tried again. Default 10 s.</summary>
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest wait between two attempts to reach the session. Default 2 s.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long closing a store waits for its changes to become durable. Default 10 s.</summary>
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
