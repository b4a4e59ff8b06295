using System.ComponentModel.DataAnnotations;

namespace Chatterbox.Silo.Settings;

/// <summary><c>Chatterbox__Silo__…</c>: where other silos reach this one.</summary>
public sealed class SiloEndpointOptions
{
    /// <summary>Default 11111.</summary>
    [Range(1, 65535)]
    public int Port { get; set; } = 11111;
}

/// <summary><c>Chatterbox__Gateway__…</c>: where Orleans clients, the <c>chatterbox</c> command among them, reach this silo.</summary>
public sealed class GatewayOptions
{
    /// <summary>Default 30000.</summary>
    [Range(1, 65535)]
    public int Port { get; set; } = 30000;
}
