using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>
/// Ports for servers that are killed and started again. Below the range from which the system takes ports for connections: one of
/// those could be taken, even by a connection to itself, while the server is down.
/// </summary>
internal static class FreePort
{
    private static readonly ConcurrentDictionary<int, bool> Given = new();

    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            if (!Given.TryAdd(port, true)) continue;
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's.
            }
        }
    }
}
