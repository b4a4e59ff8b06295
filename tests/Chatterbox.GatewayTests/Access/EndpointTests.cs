using System.Net;
using System.Reflection;
using Chatterbox.Silo.Gateway.Hub;
using Chatterbox.Silo.Gateway.Wire;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace Chatterbox.GatewayTests.Access;

public sealed class EndpointTests(SharedHost shared) : IClassFixture<SharedHost>
{
    /// <summary>Everything that answers without a token. Adding to it is a decision.</summary>
    private static readonly string[] Open =
        ["/health/live", "/health/ready", "/openapi/{documentName}.json", "/", "/assets/{name}"];

    private const string Hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private readonly GatewayHost _host = shared.Host;

    private IEnumerable<(string Method, string Pattern)> Endpoints =>
        from endpoint in _host.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        select (method, "/" + endpoint.RoutePattern.RawText!.Trim('/'));

    [Fact(DisplayName =
        "[X1] every endpoint refuses a missing, an expired and a wrongly signed token, and one without an expiry or user")]
    public async Task Refuses_tokens()
    {
        string?[] tokens =
        [
            null,
            GatewayHost.Token("alice", TimeSpan.FromMinutes(-1)),
            GatewayHost.Token("alice", key: "another key, also of 32 bytes or more than that"),
            GatewayHost.Token(""),
            Unsigned("alice"),
            "no token at all",
        ];
        var found = Endpoints.Where(endpoint => !Open.Contains(endpoint.Pattern)).ToArray();
        Assert.True(found.Length > 25, $"Only {found.Length} endpoints were found.");
        foreach (var token in tokens)
        {
            using var http = _host.Http(token);
            foreach (var (method, pattern) in found)
            {
                using var reply = await http.SendAsync(new(new(method), PathOf(pattern, "alice")));
                Assert.True(reply.StatusCode is HttpStatusCode.Unauthorized, $"{method} {pattern} answered {reply.StatusCode}");
            }
        }
    }

    [Fact(DisplayName = "[X1] every endpoint that names a user refuses the token of another who is no operator")]
    public async Task Refuses_other_users()
    {
        using var http = _host.HttpOf("mallory");
        var found = Endpoints.Where(endpoint => endpoint.Pattern.Contains("{user}", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(found);
        foreach (var (method, pattern) in found)
        {
            using var reply = await http.SendAsync(new(new(method), PathOf(pattern, "alice")));
            Assert.True(reply.StatusCode is HttpStatusCode.Forbidden, $"{method} {pattern} answered {reply.StatusCode}");
        }
    }

    [Fact(DisplayName =
        "[X1] health, the page and the description of the API answer without a token, and the others take no user from the path")]
    public void Open_endpoints_are_few()
    {
        Assert.All(Open, pattern => Assert.Contains(Endpoints, endpoint => endpoint.Pattern == pattern));
        var patterns = Endpoints.Select(endpoint => endpoint.Pattern).Except(Open).ToArray();
        Assert.All(patterns, pattern => Assert.True(
            pattern.StartsWith("/api/sessions/{store}", StringComparison.Ordinal)
            || pattern.StartsWith("/api/users/{user}/sessions/{store}", StringComparison.Ordinal)
            || pattern.StartsWith("/api/audio/{sha256}", StringComparison.Ordinal)
            || pattern.StartsWith("/hub", StringComparison.Ordinal),
            $"{pattern} has no rule"));
    }

    [Fact(DisplayName = "[X1] a user's token opens that user's sessions and clips only, through every door")]
    public async Task Users_are_apart()
    {
        using var alice = _host.HttpOf("alice");
        using var mallory = _host.HttpOf("mallory");
        var (clip, hash) = TestClip.Make(1000);
        await TestClip.UploadAsync(alice, clip, hash);
        using var other = await mallory.GetAsync($"/api/audio/{hash}");
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);

        var page = await _host.OpenAsync("alice");
        var epoch = (await page.AttachAsync("b1")).State.Epoch;
        await page.ApplyAsync("b1", epoch, 0, new SetSystemStatus("alice was here"));
        var snapshot = await mallory.GetJsonAsync<SnapshotAnswer>("/api/sessions/app-state");
        Assert.Null(snapshot.State.Runtime.SystemStatus);
        var stranger = await _host.OpenAsync("mallory");
        Assert.Null((await stranger.AttachAsync("b1")).State.Snapshot!.Runtime.SystemStatus);
        // The client id is alice's, the session is not.
        await stranger.ApplyAsync("b1", epoch, 1, new SetSystemStatus("mallory was here"));
        Assert.Equal("alice was here", (await page.SinceAsync(0, 0)).Snapshot!.Runtime.SystemStatus);
    }

    [Fact(DisplayName =
        "[X1] every call of the hub takes the user from the token, never from its message, and needs an attached client")]
    public async Task Hub_calls_have_rules()
    {
        var methods = typeof(GatewayHub).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(method => method.GetBaseDefinition().DeclaringType == typeof(GatewayHub)).ToArray();
        Assert.Equal(["Apply", "Attach", "Hello", "Leave", "Since"],
            methods.Select(method => method.GetCustomAttribute<HubMethodNameAttribute>()?.Name ?? method.Name).Order());
        Assert.All(methods, method => Assert.DoesNotContain(method.GetParameters().Single().ParameterType.GetProperties(),
            property => property.Name.Contains("User", StringComparison.OrdinalIgnoreCase) || property.Name is "Session"));

        await using var page = new Page(_host.Address, GatewayHost.Token("fresh"));
        await page.ConnectAsync();
        Assert.Equal(ApplyOutcome.OtherEpoch, (await page.ApplyAsync("b1", 1, 0, new SetStreaming(true))).Result);
        await Assert.ThrowsAsync<HubException>(() => page.SinceAsync(0, 0));
        await page.LeaveAsync("b1");
        Assert.Empty((await _host.Grains.GetGrain<IUserSessionGrain>(new SessionId("fresh").Key).GetStatusAsync()).Clients);
    }

    [Fact(DisplayName = "[X1] an operator reaches another user's session, and the log says so")]
    public async Task Operators_are_audited()
    {
        using var http = _host.Http(GatewayHost.Token("olga", roles: "operator"));
        var status = await http.GetJsonAsync<SessionStatus>("/api/users/bob/sessions/app-state/status");
        Assert.Equal("bob/app-state", status.Session);
        Assert.Contains("Operator olga: GET /api/users/bob/sessions/app-state/status", _host.Log, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[X1] a WebSocket is refused to a page of another origin, and to a user with too many")]
    public async Task Handshakes_are_checked()
    {
        await using var host = await GatewayHost.StartAsync(
            ("Web:ConnectionsPerUser", "2"), ("Web:Origins", "https://app.example.com"));
        Assert.Equal(HttpStatusCode.Forbidden, await HandshakeAsync(host, "carol", "https://evil.example.com"));
        Assert.Equal(HttpStatusCode.SwitchingProtocols, await HandshakeAsync(host, "carol", "https://app.example.com"));
        Assert.Equal(HttpStatusCode.SwitchingProtocols,
            await HandshakeAsync(host, "carol", host.Address.GetLeftPart(UriPartial.Authority)));

        await host.OpenAsync("dave");
        await host.OpenAsync("dave");
        Assert.Equal(HttpStatusCode.TooManyRequests, await HandshakeAsync(host, "dave", null));
    }

    [Fact(DisplayName = "[X1] pages of other origins may call only where they are configured")]
    public async Task Cors_is_closed()
    {
        await using var host = await GatewayHost.StartAsync(("Web:Origins", "https://app.example.com"));
        Assert.Null(await AllowedOriginAsync(host, "https://evil.example.com"));
        Assert.Equal("https://app.example.com", await AllowedOriginAsync(host, "https://app.example.com"));
        Assert.Null(await AllowedOriginAsync(_host, "https://app.example.com"));
    }

    [Fact(DisplayName = "[X1] every answer carries a content security policy")]
    public async Task Answers_have_a_policy()
    {
        using var http = _host.Http(null);
        foreach (var path in (string[])["/health/live", "/api/sessions/app-state", "/nothing-here"])
        {
            using var reply = await http.GetAsync(path);
            Assert.Contains(
                "default-src 'self'", reply.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            Assert.Equal("nosniff", reply.Headers.GetValues("X-Content-Type-Options").Single());
        }
    }

    [Fact(DisplayName = "[X1] no token is in any log, at any level")]
    public async Task Tokens_are_not_logged()
    {
        await using var host = await GatewayHost.StartAsync(("Logging:LogLevel:Default", "Trace"));
        var token = GatewayHost.Token("erin");
        await using var page = new Page(host.Address, token);
        await page.ConnectAsync();
        await page.AttachAsync("b1");
        using var http = host.Http(token);
        await http.GetJsonAsync<SessionStatus>("/api/sessions/app-state/status");
        using var inAddress = await host.Http(null).GetAsync($"/hub?access_token={token}");
        using var expired = await host.Http(GatewayHost.Token("erin", TimeSpan.FromMinutes(-1))).GetAsync(
            "/api/sessions/app-state");
        using var socket = await AsSubprotocolAsync(host, token);
        Assert.Contains("erin", host.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(token.Split('.')[2], host.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(GatewayHost.ServiceKey, host.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(GatewayHost.SigningKey, host.Log, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[W1] a page's WebSocket takes its token as a subprotocol, which is in no address, and is not sent back")]
    public async Task A_token_comes_as_a_subprotocol()
    {
        await using var host = await GatewayHost.StartAsync();
        using var socket = await AsSubprotocolAsync(host, GatewayHost.Token("erin"));
        Assert.Equal("chatterbox", socket.SubProtocol);
        var refused = await Assert.ThrowsAsync<System.Net.WebSockets.WebSocketException>(
            () => AsSubprotocolAsync(host, GatewayHost.Token("erin", TimeSpan.FromMinutes(-1))));
        Assert.Contains("401", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<System.Net.WebSockets.ClientWebSocket> AsSubprotocolAsync(GatewayHost host, string token)
    {
        var socket = new System.Net.WebSockets.ClientWebSocket();
        socket.Options.AddSubProtocol("chatterbox");
        socket.Options.AddSubProtocol($"bearer.{token}");
        await socket.ConnectAsync(new UriBuilder(host.Address) { Scheme = "ws", Path = "/hub" }.Uri, CancellationToken.None);
        return socket;
    }

    private static string PathOf(string pattern, string user) => pattern
        .Replace("{user}", user, StringComparison.Ordinal).Replace("{store}", "app-state", StringComparison.Ordinal)
        .Replace("{sha256}", Hash, StringComparison.Ordinal).Replace("{piece:int}", "0", StringComparison.Ordinal);

    private static string Unsigned(string user)
    {
        var parts = GatewayHost.Token(user).Split('.');
        var header = Convert.ToBase64String("{\"alg\":\"none\"}"u8).TrimEnd('=');
        return $"{header}.{parts[1]}.";
    }

    private static async Task<HttpStatusCode> HandshakeAsync(GatewayHost host, string user, string? origin)
    {
        using var socket = new System.Net.WebSockets.ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        if (origin is not null) socket.Options.SetRequestHeader("Origin", origin);
        var address = new UriBuilder(host.Address)
        {
            Scheme = "ws", Path = "/hub", Query = $"access_token={GatewayHost.Token(user)}",
        };
        try
        {
            await socket.ConnectAsync(address.Uri, CancellationToken.None);
        }
        catch (System.Net.WebSockets.WebSocketException)
        {
            // The status says why.
        }
        return socket.HttpStatusCode;
    }

    private static async Task<string?> AllowedOriginAsync(GatewayHost host, string origin)
    {
        using var http = host.HttpOf("carol");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/sessions/app-state/status");
        request.Headers.Add("Origin", origin);
        using var reply = await http.SendAsync(request);
        return reply.Headers.TryGetValues("Access-Control-Allow-Origin", out var allowed) ? allowed.Single() : null;
    }
}
