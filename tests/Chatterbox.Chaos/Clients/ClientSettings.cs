using System.Globalization;
using System.Net;

namespace Chatterbox.Chaos.Clients;

/// <summary>What a client of the run does.</summary>
internal enum ClientRole
{
    /// <summary>Keeps a store of each user open and makes changes in bursts.</summary>
    Writer,

    /// <summary>Keeps a store of each user open and makes no changes.</summary>
    Reader,

    /// <summary>
    /// Opens a store, makes a few changes, waits until they are durable and closes it, as the command line tool does.
    /// </summary>
    Visitor,
}

/// <summary>The command line of a client process.</summary>
/// <param name="Name">Of this run of the client: a client that is started again has another.</param>
/// <param name="OutboxDirectory">Null keeps changes in memory only.</param>
/// <param name="Counter">The engine whose seed only this client changes, counting up; null for none.</param>
internal sealed record ClientSettings(
    string Name, ClientRole Role, IReadOnlyList<IPEndPoint> Gateways, IReadOnlyList<string> Users, int Seed,
    string? OutboxDirectory = null, TtsEngine? Counter = null, string ClusterId = "chatterbox")
{
    public IEnumerable<string> ToArguments() =>
    [
        Name, $"{Role}", string.Join(',', Gateways), string.Join(',', Users), Seed.ToString(CultureInfo.InvariantCulture),
        OutboxDirectory ?? "-", Counter?.ToString() ?? "-", ClusterId,
    ];

    public static ClientSettings Parse(string[] arguments) => new(
        arguments[0], Enum.Parse<ClientRole>(arguments[1]), [.. arguments[2].Split(',').Select(IPEndPoint.Parse)],
        arguments[3].Split(','), int.Parse(arguments[4], CultureInfo.InvariantCulture),
        arguments[5] == "-" ? null : arguments[5], arguments[6] == "-" ? null : Enum.Parse<TtsEngine>(arguments[6]),
        arguments[7]);
}
