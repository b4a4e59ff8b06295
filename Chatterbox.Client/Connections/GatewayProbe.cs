using System.Net;
using System.Net.Sockets;

namespace Chatterbox.Client.Connections;

/// <summary>
/// Whether the process behind a gateway answers. A live silo closes a connection that sends nothing and closes its side. For a
/// hung process the kernel accepts the connection but never closes it; behind a cut network it is not accepted. The probe uses no
/// Orleans protocol, so it works with silos of any version and without an Orleans connection.
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
            // A refused or reset connection is an answer, too.
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
