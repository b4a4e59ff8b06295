using System.Net;
using Chatterbox.Silo.Gateway.Access;
using Chatterbox.Silo.Gateway.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Tokens;

namespace Chatterbox.GatewayTests.Access;

public sealed class IssuerTests
{
    [Fact(DisplayName = "[I2] [X1] with several issuers each has users of its own, under the same sub, at every door")]
    public async Task Several_issuers()
    {
        await using var one = await TestIssuer.StartAsync();
        await using var two = await TestIssuer.StartAsync();
        await using var host = await StartAsync($"{one.Address};{two.Address}");
        foreach (var issuer in (TestIssuer[])[one, two])
        {
            var user = UserMapping.UserOf("alice", issuer.Address)!;
            await using var page = new Page(host.Address, issuer.Token("alice"));
            await page.ConnectAsync();
            Assert.Equal(user, (await page.CallAsync<HelloAnswer>("Hello", new HelloCall(1))).User);
            var epoch = (await page.AttachAsync("b1")).State.Epoch;
            await page.ApplyAsync("b1", epoch, 0, new SetSystemStatus($"of {issuer.Address}"));
            using var http = host.Http(issuer.Token("alice"));
            var snapshot = await http.GetJsonAsync<SnapshotAnswer>("/api/sessions/app-state");
            Assert.Equal($"of {issuer.Address}", snapshot.State.Runtime.SystemStatus);

            var client = await host.ClientAsync(userToken: () => issuer.Token("alice"));
            await using var store = await client.Services.GetRequiredService<ChatterboxClient>().OpenAsync(new SessionId(user));
            Assert.Equal($"of {issuer.Address}", store.State.Runtime.SystemStatus);
        }
    }

    [Fact(DisplayName = "[X1] a token is accepted by its own issuer's key, algorithm and audience only")]
    public async Task Refuses()
    {
        await using var one = await TestIssuer.StartAsync();
        await using var two = await TestIssuer.StartAsync();
        await using var stranger = await TestIssuer.StartAsync();
        await using var host = await StartAsync($"{one.Address};{two.Address}");
        string[] refused =
        [
            one.Token("alice", key: two.Key), one.Token("alice", audience: "another"), stranger.Token("alice"),
            one.Token("alice", algorithm: SecurityAlgorithms.HmacSha256), GatewayHost.Token("alice"),
        ];
        foreach (var token in refused)
        {
            using var http = host.Http(token);
            using var reply = await http.GetAsync("/api/sessions/app-state/status");
            Assert.Equal(HttpStatusCode.Unauthorized, reply.StatusCode);
            var client = await host.ClientAsync(userToken: () => token);
            var denied = await Assert.ThrowsAsync<SessionRefusedException>(() => client.Services
                .GetRequiredService<ChatterboxClient>().OpenAsync(new SessionId(UserMapping.UserOf("alice", one.Address)!)));
            Assert.Equal("credential", denied.Rejection.Field);
        }
    }

    [Fact(DisplayName = "[X1] clocks may differ by ten seconds at most: a token that expired before is refused")]
    public async Task Clock_skew()
    {
        Assert.InRange(UserTokens.ClockSkew, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        await using var host = await GatewayHost.StartAsync();
        using var http = host.Http(GatewayHost.Token("alice", TimeSpan.FromSeconds(-11)));
        using var reply = await http.GetAsync("/api/sessions/app-state/status");
        Assert.Equal(HttpStatusCode.Unauthorized, reply.StatusCode);
    }

    private static Task<GatewayHost> StartAsync(string authorities) => GatewayHost.StartAsync(
        ("Auth:SigningKey", null), ("Auth:Authority", authorities), ("Auth:Audience", TestIssuer.Audience));
}
