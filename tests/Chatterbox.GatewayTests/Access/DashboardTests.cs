using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chatterbox.GatewayTests.Access;

public sealed class DashboardTests
{
    [Fact(DisplayName = "[X1] Orleans' dashboard is for operators: each of its endpoints refuses everybody else")]
    public async Task Is_for_operators()
    {
        await using var host = await GatewayHost.StartAsync(("Web:Dashboard", "true"));
        var paths = host.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(endpoint => "/" + endpoint.RoutePattern.RawText!.Trim('/'))
            .Where(path => path.StartsWith("/dashboard", StringComparison.Ordinal) && path != "/dashboard/sign-in")
            .Select(path => Regex.Replace(path, @"\{[^}]*\}", "1")).ToArray();
        Assert.True(paths.Length > 15, $"Only {paths.Length} endpoints were found.");
        using var anonymous = Http(host, null);
        using var user = Http(host, GatewayHost.Token("alice"));
        using var expired = Http(host, GatewayHost.Token("olga", TimeSpan.FromMinutes(-1), roles: "operator"));
        foreach (var path in paths)
        {
            var isPage = path is "/dashboard" or "/dashboard/index.html";
            foreach (var http in (HttpClient[])[anonymous, expired])
            {
                using var refused = await http.GetAsync(path);
                Assert.Equal((path, isPage ? HttpStatusCode.Redirect : HttpStatusCode.Unauthorized), (path, refused.StatusCode));
                if (isPage) Assert.Equal("/dashboard/sign-in", refused.Headers.Location!.ToString());
            }
            using var forbidden = await user.GetAsync(path);
            Assert.Equal((path, HttpStatusCode.Forbidden), (path, forbidden.StatusCode));
        }
    }

    [Fact(DisplayName =
        "[X1] an operator signs in to the dashboard with a token, which opens nothing else as a cookie; looking at a grain is "
        + "logged")]
    public async Task Signs_in()
    {
        await using var host = await GatewayHost.StartAsync(("Web:Dashboard", "true"));
        using var http = Http(host, null);
        using var form = await http.GetAsync("/dashboard/sign-in");
        Assert.Equal("text/html", form.Content.Headers.ContentType!.MediaType);
        Assert.Equal(HttpStatusCode.Unauthorized, await SignInAsync(http, GatewayHost.Token("alice")));
        Assert.Equal(HttpStatusCode.Unauthorized, await SignInAsync(http, "no token"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await SignInAsync(http, new string('x', 5000)));

        Assert.Equal(HttpStatusCode.Redirect, await SignInAsync(http, GatewayHost.Token("olga", roles: "operator")));
        using var page = await http.GetAsync("/dashboard/");
        var html = await page.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
        Assert.Contains("index.min.js", html, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", html, StringComparison.Ordinal);
        Assert.Contains("\"hosts\"", await http.GetStringAsync("/dashboard/DashboardCounters"), StringComparison.Ordinal);
        using var log = await http.GetAsync("/dashboard/Trace");
        Assert.Equal(HttpStatusCode.Forbidden, log.StatusCode);
        using var elsewhere = await http.GetAsync("/api/users/bob/sessions/app-state/status");
        Assert.Equal(HttpStatusCode.Unauthorized, elsewhere.StatusCode);

        using var looked = await http.GetAsync("/dashboard/GrainState?grainId=u/bob&grainType=x%0Ay");
        Assert.Contains("Operator olga: signed in to /dashboard", host.Log, StringComparison.Ordinal);
        Assert.Contains("Operator olga: looked at the state of u/bob", host.Log, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[X1] the dashboard is not there unless it is configured")]
    public async Task Is_off()
    {
        await using var host = await GatewayHost.StartAsync();
        using var http = Http(host, GatewayHost.Token("olga", roles: "operator"));
        using var reply = await http.GetAsync("/dashboard/sign-in");
        Assert.Equal(HttpStatusCode.NotFound, reply.StatusCode);
    }

    [Fact(DisplayName = "[X4] an operator's calls over the Orleans gateway are logged, and a user's are denied")]
    public async Task Calls_are_logged()
    {
        await using var host = await GatewayHost.StartAsync();
        var olga = await host.ClientAsync(userToken: () => GatewayHost.Token("olga", roles: "operator"));
        await olga.Services.GetRequiredService<IClusterClient>().GetGrain<IManagementGrain>(0).GetHosts();
        Assert.Contains("Operator olga: called Orleans.Runtime.IManagementGrain.GetHosts", host.Log, StringComparison.Ordinal);

        var alice = await host.ClientAsync(userToken: () => GatewayHost.Token("alice"));
        await Assert.ThrowsAsync<AccessDeniedException>(
            () => alice.Services.GetRequiredService<IClusterClient>().GetGrain<IManagementGrain>(0).GetHosts());
    }

    private static HttpClient Http(GatewayHost host, string? token)
    {
        var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = host.Address };
        if (token is not null) http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        return http;
    }

    private static async Task<HttpStatusCode> SignInAsync(HttpClient http, string token)
    {
        using var form = new FormUrlEncodedContent([new("token", token)]);
        using var reply = await http.PostAsync("/dashboard/sign-in", form);
        return reply.StatusCode;
    }
}
