using System.Net.WebSockets;
using System.Text;

namespace Chatterbox.GatewayTests.Hub;

/// <summary>A WebSocket that speaks SignalR's JSON by hand, or something else.</summary>
internal sealed class RawSocket : IDisposable
{
    private const char End = '\u001e';

    private readonly ClientWebSocket _socket = new();
    private readonly byte[] _buffer = new byte[64 * 1024];
    private string _text = "";

    public static Task<RawSocket> OpenAsync(GatewayHost host, string user) => OpenAsync(host.Address, GatewayHost.Token(user));

    public static async Task<RawSocket> OpenAsync(Uri silo, string token)
    {
        var raw = new RawSocket();
        var address = new UriBuilder(silo) { Scheme = "ws", Path = "/hub", Query = $"access_token={token}" };
        // Its own pings would keep it alive where it is to be silent.
        raw._socket.Options.KeepAliveInterval = TimeSpan.Zero;
        await raw._socket.ConnectAsync(address.Uri, CancellationToken.None);
        await raw.SendAsync("""{"protocol":"json","version":1}""");
        await raw.ReceiveAsync(message => message == "{}");
        return raw;
    }

    public async Task SendAsync(string message) => await _socket.SendAsync(
        Encoding.UTF8.GetBytes(message + End), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    public Task CallAsync(string id, string method, string argument) =>
        SendAsync($$"""{"type":1,"invocationId":"{{id}}","target":"{{method}}","arguments":[{{argument}}]}""");

    /// <summary>The next message that is as expected; null when the socket was closed before.</summary>
    public async Task<string?> ReceiveAsync(Func<string, bool> expected)
    {
        using var patience = new CancellationTokenSource(GatewayHost.Patience);
        while (true)
        {
            while (_text.IndexOf(End) is >= 0 and var at)
            {
                var message = _text[..at];
                _text = _text[(at + 1)..];
                if (expected(message)) return message;
            }
            try
            {
                var read = await _socket.ReceiveAsync(_buffer, patience.Token);
                if (read.MessageType is WebSocketMessageType.Close) return null;
                _text += Encoding.UTF8.GetString(_buffer, 0, read.Count);
            }
            catch (WebSocketException)
            {
                return null;
            }
        }
    }

    /// <summary>Reads, and keeps nothing of what it reads, until the socket is closed.</summary>
    public async Task DrainAsync()
    {
        try
        {
            WebSocketReceiveResult read;
            do read = await _socket.ReceiveAsync(_buffer, CancellationToken.None);
            while (read.MessageType is not WebSocketMessageType.Close);
        }
        catch (Exception closed) when (closed is WebSocketException or ObjectDisposedException or OperationCanceledException)
        {
            // By either side.
        }
    }

    public void Dispose() => _socket.Dispose();
}
