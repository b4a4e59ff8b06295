namespace Chatterbox.Silo.Gateway.Wire;

/// <summary>The version of the contract between browsers and the gateway. .NET clients have another.</summary>
internal static class WebProtocol
{
    public const int Version = 1;

    /// <summary>The version before is served as well: a page outlives a rolling upgrade.</summary>
    public const int OldestSupported = Version > 1 ? Version - 1 : 1;

    /// <summary>Bytes of one message on the hub. A larger one closes the connection.</summary>
    public const int MessageBytes = 128 * 1024;

    /// <summary>
    /// Bytes of JSON of the changes in one Apply, and of the state in one answer. Larger changes and states go by HTTP.
    /// </summary>
    public const int InlineBytes = 64 * 1024;

    /// <summary>Bytes of the body of <c>POST /api/sessions/{store}/changes</c>.</summary>
    public const int ChangesBytes = 2 * 1024 * 1024;

    /// <summary>Stores attached over one connection.</summary>
    public const int StoresPerConnection = 8;

    /// <summary>Seconds between the pings of either side.</summary>
    public const int PingSeconds = 10;

    /// <summary>Seconds without a ping after which either side takes the connection for dead.</summary>
    public const int SilenceSeconds = 30;

    public static Rejection? Check(int version) => version is >= OldestSupported and <= Version
        ? null
        : new("protocol", $"{version}",
            $"{OldestSupported} to {Version}: this page is too {(version < OldestSupported ? "old" : "new")}");
}
