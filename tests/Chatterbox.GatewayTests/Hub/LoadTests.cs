using System.Text.Json;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests.Hub;

/// <summary>What many connections cost. Memory is that of this process, with the silo and its clients in it.</summary>
[Collection(nameof(LoadTests))]
[Trait("Speed", "Slow")]
public sealed class LoadTests
{
    private static readonly ParallelOptions Some = new() { MaxDegreeOfParallelism = 8 };

    [Fact(DisplayName = "[W1] each of 1,000 connections on one session costs at most 20 KB beyond SignalR's own")]
    public async Task Many_on_one_session()
    {
        const int connections = 1000;
        await using var host = await GatewayHost.StartAsync(("Web:ConnectionsPerUser", "2000"), ("Session:Clients", "2000"),
            ("Web:CallsPerSecond", "100000"), ("Logging:LogLevel:Default", "Warning"));
        var sockets = new RawSocket[connections];
        var before = Heap();
        await Parallel.ForAsync(0, connections, Some, async (at, _) =>
        {
            sockets[at] = await RawSocket.OpenAsync(host, "crowd");
            await sockets[at].CallAsync("1", "Hello", "{\"protocol\":1}");
            await sockets[at].ReceiveAsync(message => message.Contains("\"invocationId\":\"1\"", StringComparison.Ordinal));
        });
        var draining = sockets.Select(socket => socket.DrainAsync()).ToArray();
        var bare = Heap() - before;
        await Parallel.ForAsync(0, connections, Some, async (at, _) => await AttachAsync(sockets[at], $"b{at}"));
        await Eventually.HoldsAsync(
            () => host.Connections.Attachments.Count(each => each.IsAttached) == connections, "all are attached", 60);

        var page = await host.OpenAsync("crowd");
        var epoch = (await page.AttachAsync("writer")).State.Epoch;
        await page.ApplyAsync("writer", epoch, 0, new SetStreaming(true));
        await page.EventAsync<ChangesApplied>();
        await Eventually.HoldsAsync(() => host.Connections.All.All(each => each.Waiting == 0), "all were told", 60);
        var attached = Heap();

        foreach (var socket in sockets) socket.Dispose();
        await Task.WhenAll(draining);
        Array.Clear(sockets);
        await page.DisposeAsync();
        await Eventually.HoldsAsync(() => host.Connections.CountOf("crowd") == 0, "all have gone", 60);
        Assert.Empty(host.Connections.Attachments);
        // What they held is what is free now; buffers that stay in pools are nobody's.
        var each = (attached - Heap() - bare) / connections;
        Assert.True(each <= 20 * 1024, $"{each} bytes beyond {bare / connections}");
    }

    [Fact(DisplayName =
        "[X2] 10,000 connects and disconnects leave nothing behind: memory stays where it was, others are served")]
    public async Task Comes_and_goes()
    {
        await using var host = await GatewayHost.StartAsync(
            ("Web:CallsPerSecond", "100000"), ("Logging:LogLevel:Default", "Warning"));
        var other = await host.OpenAsync("other");
        var epoch = (await other.AttachAsync("b1")).State.Epoch;
        await ConnectAsync(1000);
        var before = Heap();
        await ConnectAsync(10_000);
        var grown = Heap() - before;
        Assert.True(grown < 5 * 1024 * 1024, $"{grown} bytes");
        Assert.Single(host.Connections.All);
        Assert.Equal(ApplyOutcome.Done, (await other.ApplyAsync("b1", epoch, 0, new SetStreaming(true))).Result);

        async Task ConnectAsync(int times)
        {
            await Parallel.ForAsync(0, times, Some, async (at, _) =>
            {
                // Some leave before they have said anything, some in the middle of a call.
                using var socket = await RawSocket.OpenAsync(host, $"user{at % 7}");
                if (at % 3 == 0) return;
                await socket.CallAsync("1", "Hello", "{\"protocol\":1}");
                await AttachAsync(socket, $"b{at % 5}");
                if (at % 3 == 1)
                    await socket.ReceiveAsync(message => message.Contains("\"invocationId\":\"2\"", StringComparison.Ordinal));
            });
            await Eventually.HoldsAsync(() => host.Connections.All.Count() == 1, "all have gone", 60);
        }
    }

    [Fact(DisplayName =
        "[W2] [X2] half-open sockets, which answer no ping, are closed after their silence, and their leases end")]
    public async Task Half_open()
    {
        const int sockets = 200;
        await using var host = await GatewayHost.StartAsync(("Web:ConnectionsPerUser", "1000"), ("Session:Lease", "00:00:02"));
        var opened = new RawSocket[sockets];
        await Parallel.ForAsync(0, sockets, Some, async (at, _) =>
        {
            opened[at] = await RawSocket.OpenAsync(host, "silent");
            await opened[at].CallAsync("1", "Hello", "{\"protocol\":1}");
            await AttachAsync(opened[at], $"b{at}", "minimal");
        });
        var other = await host.OpenAsync("silent");
        await other.AttachAsync("b1");
        await Eventually.HoldsAsync(() => host.Connections.CountOf("silent") == 1,
            () => $"{host.Connections.CountOf("silent")} are open, {host.Connections.All.Count()} known",
            2 * WebProtocol.SilenceSeconds);
        var session = host.Grains.GetGrain<IUserSessionGrain>(new SessionId("silent", "minimal").Key);
        await Eventually.HoldsAsync(
            async () => (await session.GetStatusAsync()).Clients.Count == 0, "their leases have ended");
        Assert.NotNull((await other.SinceAsync(0, 0)).Snapshot);
        foreach (var socket in opened) socket.Dispose();
    }

    private static Task AttachAsync(RawSocket socket, string client, string store = SessionId.DefaultStore) =>
        socket.CallAsync("2", "Attach", JsonSerializer.Serialize(
            new AttachCall(store, client, "d", Epoch: 0, SeenRevision: 0, NextSequence: 1), WireJson.Of<AttachCall>()));

    private static long Heap()
    {
        for (var round = 0; round < 3; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}

/// <summary>Memory is measured: nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(LoadTests), DisableParallelization = true)]
public sealed class LoadCollection;
