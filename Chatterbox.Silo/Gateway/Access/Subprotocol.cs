namespace Chatterbox.Silo.Gateway.Access;

/// <summary>What a browser names as the subprotocols of its WebSocket: the one that is spoken, and with it its token.</summary>
internal static class Subprotocol
{
    public const string Name = "chatterbox";

    /// <summary>Before a token. Never answered with.</summary>
    public const string TokenPrefix = "bearer.";

    /// <summary>The one to speak; null, which SignalR's delegate does not say it takes, is none.</summary>
    public static string Select(IList<string> requested) => requested.Contains(Name) ? Name : null!;
}
