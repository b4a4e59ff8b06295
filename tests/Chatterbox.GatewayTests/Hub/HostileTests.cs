using Chatterbox.Silo.Gateway.Hub;
using Chatterbox.Silo.Gateway.Wire;
using Microsoft.AspNetCore.SignalR;

namespace Chatterbox.GatewayTests.Hub;

public sealed class HostileTests(SharedHost shared) : IClassFixture<SharedHost>
{
    private readonly GatewayHost _host = shared.Host;

    [Theory(DisplayName = "[X2] a malformed or unknown call fails by itself: the connection and the session go on")]
    [InlineData("Apply", "null")]
    [InlineData("Apply", "{}")]
    [InlineData("Apply",
        """{"store":"app-state","client":"b1","epoch":1,"after":0,"changes":[{"sequence":1,"change":{"type":"no"}}]}""")]
    [InlineData("Apply", "{\"store\":\"app-state\",\"client\":\"b1\",\"epoch\":1,\"after\":0,\"changes\":null}")]
    [InlineData("Apply", "{\"store\":\"app-state\",\"client\":\"b1\",\"epoch\":\"x\"}")]
    [InlineData("Attach", "{\"store\":null,\"client\":null}")]
    [InlineData("Attach", "{\"store\":\"app-state\",\"client\":\"b1\",\"device\":\"d\",\"nextSequence\":-1}")]
    [InlineData("Since", "{\"store\":\"\"}")]
    [InlineData("Leave", "{}")]
    [InlineData("Hello", "[]")]
    [InlineData("NoSuchMethod", "{}")]
    [InlineData("OnConnectedAsync", "")]
    public async Task Malformed(string method, string argument)
    {
        using var socket = await RawSocket.OpenAsync(_host, "malformed");
        await socket.CallAsync("0", "Hello", "{\"protocol\":1}");
        await socket.CallAsync("1", method, argument);
        Assert.NotNull(
            await socket.ReceiveAsync(message => message.Contains("\"invocationId\":\"1\"", StringComparison.Ordinal)));
        await socket.CallAsync("2", "Hello", "{\"protocol\":1}");
        var answer = await socket.ReceiveAsync(message => message.Contains("\"invocationId\":\"2\"", StringComparison.Ordinal));
        Assert.Contains("\"user\":\"malformed\"", answer, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[X2] a message over the hub's limit closes its connection, and harms no other")]
    public async Task Oversized()
    {
        var other = await _host.OpenAsync("oversized");
        await other.AttachAsync("b1");
        using var socket = await RawSocket.OpenAsync(_host, "oversized");
        await socket.CallAsync("1", "Hello", $"{{\"protocol\":1,\"more\":\"{new string('x', WebProtocol.MessageBytes)}\"}}");
        Assert.Null(await socket.ReceiveAsync(message => message.Contains("\"invocationId\":\"1\"", StringComparison.Ordinal)));
        Assert.NotNull((await other.SinceAsync(0, 0)).Snapshot);
    }

    [Fact(DisplayName = "[X2] a user who calls too often is told so, and other users are not")]
    public async Task Limits_calls()
    {
        await using var host = await GatewayHost.StartAsync(("Web:CallsPerSecond", "10"));
        var (busy, other) = (await host.OpenAsync("busy"), await host.OpenAsync("other"));
        var limited = await Assert.ThrowsAsync<HubException>(async () =>
        {
            for (var call = 0; call < 200; call++) await busy.CallAsync<HelloAnswer>("Hello", new HelloCall(1));
        });
        Assert.Contains("limited:", limited.Message, StringComparison.Ordinal);
        Assert.Equal("other", (await other.CallAsync<HelloAnswer>("Hello", new HelloCall(1))).User);
    }

    [Fact(DisplayName = "[X2] [C3] changes out of order, twice, and of no known client change nothing but what is due")]
    public async Task Out_of_order()
    {
        var page = await _host.OpenAsync("disordered");
        var epoch = (await page.AttachAsync("b1")).State.Epoch;
        Assert.Equal(ApplyOutcome.Gap, (await page.ApplyAsync("b1", epoch, 5, new SetStreaming(true))).Result);
        Assert.Equal(ApplyOutcome.OtherEpoch, (await page.ApplyAsync("b1", epoch + 1, 0, new SetStreaming(true))).Result);
        Assert.Equal(ApplyOutcome.OtherEpoch, (await page.ApplyAsync("b2", epoch, 0, new SetStreaming(true))).Result);
        var first = await page.ApplyAsync("b1", epoch, 0, new UpsertChunk(Samples.Chunk("c1")));
        await page.ApplyAsync("b1", epoch, 1, new RemoveChunk("c1"));
        // Sent again after a later one: it is in, and stays removed.
        var again = await page.ApplyAsync("b1", epoch, 0, new UpsertChunk(Samples.Chunk("c1")));
        Assert.Equal((ApplyOutcome.Done, null), (again.Result, again.Outcomes[0].Rejection));
        var state = await page.SinceAsync(0, 0);
        Assert.Empty(state.Snapshot!.Chunks);
        Assert.Equal(first.Outcomes[0].Revision + 1, state.Revision);
    }

    [Fact(DisplayName = "[I4] a session's clients are bounded for pages as well: the one too many may try again later")]
    public async Task Limits_clients()
    {
        await using var host = await GatewayHost.StartAsync(("Session:Clients", "1"));
        var (first, second) = (await host.OpenAsync("full"), await host.OpenAsync("full"));
        await first.AttachAsync("b1");
        var limited = await Assert.ThrowsAsync<HubException>(() => second.AttachAsync("b2"));
        Assert.Contains("limited: clients: must be at most 1", limited.Message, StringComparison.Ordinal);
        Assert.Single(host.Connections.Attachments);
        await first.LeaveAsync("b1");
        Assert.Null((await second.AttachAsync("b2")).Refused);
    }

    [Fact(DisplayName = "[I4] a user's sockets are bounded also when they open at once; others' open")]
    public async Task Limits_connections()
    {
        await using var host = await GatewayHost.StartAsync(("Web:ConnectionsPerUser", "3"));
        var opening = Enumerable.Range(0, 20).Select(async _ =>
        {
            var page = new Page(host.Address, GatewayHost.Token("many"));
            try
            {
                await page.ConnectAsync();
                return page;
            }
            catch (Exception)
            {
                await page.DisposeAsync();
                return null;
            }
        });
        var open = (await Task.WhenAll(opening)).OfType<Page>().ToArray();
        Assert.Equal(3, open.Length);
        await host.OpenAsync("another");
        foreach (var page in open) await page.DisposeAsync();
        await Eventually.HoldsAsync(() => host.Connections.CountOf("many") == 0, "all have gone");
        await host.OpenAsync("many");
    }

    [Fact(DisplayName =
        "[W1] a page that stops reading costs a bounded amount, others hear everything, and it catches up when it reads")]
    public async Task Slow_readers()
    {
        const int changes = 3000;
        using var slow = await RawSocket.OpenAsync(_host, "slow");
        await slow.CallAsync("1", "Hello", "{\"protocol\":1}");
        await slow.CallAsync("2", "Attach",
            "{\"store\":\"app-state\",\"client\":\"slow\",\"device\":\"d\",\"epoch\":0,\"seenRevision\":0,\"nextSequence\":1}");
        await slow.ReceiveAsync(message => message.Contains("\"invocationId\":\"2\"", StringComparison.Ordinal));
        var connection = _host.Connections.All.Single(each => each.User == "slow");

        var (writer, reader) = (await _host.OpenAsync("slow"), await _host.OpenAsync("slow"));
        var epoch = (await writer.AttachAsync("writer")).State.Epoch;
        await reader.AttachAsync("reader");
        var last = 0L;
        for (var sent = 0; sent < changes; sent += 100)
        {
            var batch = Enumerable.Range(sent, 100).Select(
                number => (AppStateChange)new UpsertChunk(Samples.Chunk("c1", $"{number} {new string('x', 280)}")));
            last = (await writer.ApplyAsync("writer", epoch, sent, [.. batch])).Outcomes[^1].Revision;
            Assert.True(connection.Waiting <= SendQueue.MostBytes);
        }
        await reader.EventAsync<ChangesApplied>(what => what.ToRevision == last);

        // It reads again, or was cut off and connects again: either way it gets to where the session is.
        await slow.CallAsync("3", "Since", $"{{\"store\":\"app-state\",\"epoch\":{epoch},\"revision\":0}}");
        var answer = await slow.ReceiveAsync(message => message.Contains("\"invocationId\":\"3\"", StringComparison.Ordinal));
        Assert.Contains($"\"revision\":{last}", answer, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[X2] connections that come and go leave nothing behind")]
    public async Task Comes_and_goes()
    {
        for (var round = 0; round < 50; round++)
        {
            await using var page = new Page(_host.Address, GatewayHost.Token("comes-and-goes"));
            await page.ConnectAsync();
            await page.AttachAsync($"b{round % 5}");
        }
        await Eventually.HoldsAsync(() => _host.Connections.CountOf("comes-and-goes") == 0, "all have gone");
        Assert.DoesNotContain(_host.Connections.Attachments, each => each.Session.UserId == "comes-and-goes");
        Assert.DoesNotContain(_host.Connections.All, each => each.User == "comes-and-goes");
    }
}
