using System.Net;
using System.Net.Sockets;

namespace Chatterbox.Client.Connections;

/// <summary>
/// Whether the process behind a gateway answers. A connection that sends nothing and ends its side is ended by a live silo, too. For a
/// process that hangs the kernel accepts the connection and never ends it; behind a cut network it is not even accepted. Nothing of
/// Orleans' protocol is needed, so this asks silos of any version, and those to which Orleans has no connection.
/// </summary>
internal static class GatewayProbe
{
    public static async Task<bool> AnswersAsync(IPEndPoint gateway, CancellationToken cancellationToken)
    {
        using var socket = new Socket(gateway.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(gateway, cancellationToken);
        }
        catch (Exception refused) when (refused is SocketException or OperationCanceledException)
        {
            return false;
        }
        try
        {
            socket.Shutdown(SocketShutdown.Send);
            await socket.ReceiveAsync(new byte[1], SocketFlags.None, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            // Ended without ceremony.
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
