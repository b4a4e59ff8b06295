using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests.Hub;

public sealed class LifetimeTests
{
    [Fact(DisplayName = "[X1] a connection ends when its token expires, and says so")]
    public async Task Tokens_expire()
    {
        await using var host = await GatewayHost.StartAsync();
        var page = await host.OpenAsync("alice", valid: TimeSpan.FromSeconds(4));
        Assert.Equal(new ByePush(ByeReason.Expired), await page.PushedAsync<ByePush>());
        await page.Closed.WaitAsync(GatewayHost.Patience);
    }

    [Fact(DisplayName =
        "[W2] the lease of a page is renewed while its socket lasts, and ends after it without a trace of a crash")]
    public async Task Leases_follow_sockets()
    {
        await using var host = await GatewayHost.StartAsync(("Session:Lease", "00:00:01"));
        var session = host.Grains.GetGrain<IUserSessionGrain>(new SessionId("alice").Key);
        var (stays, goes) = (await host.OpenAsync("alice"), await host.OpenAsync("alice"));
        await stays.AttachAsync("stays");
        await goes.AttachAsync("goes");
        await goes.DisposeAsync();
        await Eventually.HoldsAsync(
            async () => (await session.GetStatusAsync()).Clients.Count == 1, "the lease of the closed one has ended");
        var status = await session.GetStatusAsync();
        Assert.Equal("stays", status.Clients[0].Client);
        Assert.Null(status.Crash);
    }

    [Fact(DisplayName = "[F3] a page whose lease was lost is told to attach again")]
    public async Task Lost_leases_are_told()
    {
        await using var host = await GatewayHost.StartAsync(("Session:Lease", "00:00:01"));
        var page = await host.OpenAsync("alice");
        await page.AttachAsync("b1");
        var attachment = host.Connections.Attachments.Single();
        await host.Grains.GetGrain<IUserSessionGrain>(attachment.Key).DetachAsync(attachment.Client, isDone: true);
        Assert.Equal(0, (await page.PushedAsync<BehindPush>()).Epoch);
    }

    [Fact(DisplayName = "[O1] a silo that stops says so to its pages")]
    public async Task Stops()
    {
        var host = await GatewayHost.StartAsync();
        await using var page = new Page(host.Address, GatewayHost.Token("alice"));
        await page.ConnectAsync();
        await page.AttachAsync("b1");
        await host.DisposeAsync();
        Assert.Equal(new ByePush(ByeReason.Stopping), await page.PushedAsync<ByePush>());
        await page.Closed.WaitAsync(GatewayHost.Patience);
    }
}
