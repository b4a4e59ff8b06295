using System.Net;
using Chatterbox.Silo.Gateway.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace Chatterbox.GatewayTests.Access;

public sealed class DevelopmentTests
{
    private static readonly (string, string?)[] Nothing =
        [("Environment", "Development"), ("Auth:SigningKey", null), ("Auth:ServiceKey", null)];

    [Fact(DisplayName =
        "[X1] in Development with nothing configured a token is there for the asking, and .NET clients need none")]
    public async Task Development_is_open()
    {
        await using var host = await GatewayHost.StartAsync(Nothing);
        using var anonymous = host.Http(null);
        using var refused = await anonymous.GetAsync("/api/sessions/app-state");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var asked = await anonymous.PostAsync("/dev/token", new DevTokenCall("alice", 60));
        var answer = await asked.JsonAsync<DevTokenAnswer>();
        Assert.InRange(answer.ExpiresAt - TimeProvider.System.GetUtcNow(), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
        using var alice = host.Http(answer.Token);
        Assert.Equal("alice/app-state", (await alice.GetJsonAsync<SessionStatus>("/api/sessions/app-state/status")).Session);

        var client = await host.ClientAsync();
        await using var store = await client.Services.GetRequiredService<ChatterboxClient>().OpenAsync(new SessionId("alice"));
        Assert.True(store.HasHydrated);

        using var wrong = await anonymous.PostAsync("/dev/token", new DevTokenCall("a/b"));
        Assert.Equal("userId", (await wrong.ProblemAsync()).Field);
        using var tooLong = await anonymous.PostAsync("/dev/token", new DevTokenCall("alice", 3601));
        Assert.Equal("seconds", (await tooLong.ProblemAsync()).Field);
    }

    [Fact(DisplayName = "[X1] where a key is configured nobody is given a token, in Development neither")]
    public async Task Configured_is_closed()
    {
        await using var host = await GatewayHost.StartAsync(("Environment", "Development"));
        using var http = host.HttpOf("alice");
        using var asked = await http.PostAsync("/dev/token", new DevTokenCall("bob"));
        Assert.Equal(HttpStatusCode.NotFound, asked.StatusCode);
    }
}
