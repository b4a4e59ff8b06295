using System.Net;

namespace Chatterbox.GatewayTests.Http;

public sealed class PageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("chatterbox-page-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact(DisplayName = "[X1] the page is served at / without a token and revalidated, its hashed assets are kept for ever")]
    public async Task Page_is_served()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "assets"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "index.html"), "<!doctype html><title>The page</title>");
        await File.WriteAllTextAsync(Path.Combine(_folder, "secret.txt"), "not an asset");
        await File.WriteAllTextAsync(Path.Combine(_folder, "assets", "index-abc123.js"), "export {};");
        await using var host = await GatewayHost.StartAsync(("Web:Page", _folder));
        using var http = host.Http(null);

        using var page = await http.GetAsync("/?user=alice");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        Assert.Equal("no-cache", page.Headers.CacheControl!.ToString());
        Assert.Contains("The page", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/");
        again.Headers.IfNoneMatch.Add(page.Headers.ETag!);
        using var same = await http.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);

        using var asset = await http.GetAsync("/assets/index-abc123.js");
        Assert.Equal("text/javascript", asset.Content.Headers.ContentType!.MediaType);
        Assert.Contains("immutable", asset.Headers.CacheControl!.ToString(), StringComparison.Ordinal);

        foreach (var path in new[] { "/assets/other.js", "/assets/..%2Fsecret.txt", "/assets/..%5Csecret.txt" })
        {
            using var missing = await http.GetAsync(path);
            Assert.True(missing.StatusCode is HttpStatusCode.NotFound, $"{path} answered {missing.StatusCode}");
        }
        foreach (var path in new[] { "/secret.txt", "/somewhere" })
        {
            using var other = await http.GetAsync(path);
            Assert.False(other.IsSuccessStatusCode, $"{path} answered {other.StatusCode}");
        }
    }

    [Fact(DisplayName = "[X1] the page runs scripts, styles and connections of its own silo only")]
    public async Task Page_has_a_policy()
    {
        await using var host = await GatewayHost.StartAsync(("Web:Page", _folder));
        using var http = host.Http(null);
        using var page = await http.GetAsync("/");
        var policy = page.Headers.GetValues("Content-Security-Policy").Single().Split("; ");
        Assert.Contains("default-src 'self'", policy);
        Assert.Contains("connect-src 'self'", policy);
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.DoesNotContain(policy, rule => rule.Contains("unsafe", StringComparison.Ordinal)
            || rule.Contains("http", StringComparison.Ordinal));
        Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact(DisplayName = "[X1] a silo without a page runs, and says at / how to get one")]
    public async Task Page_may_be_absent()
    {
        await using var host = await GatewayHost.StartAsync(("Web:Page", _folder));
        using var http = host.Http(null);
        using var page = await http.GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var text = await page.Content.ReadAsStringAsync();
        Assert.Contains("npm run build --workspace app", text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", text, StringComparison.Ordinal);
        using var health = await http.GetAsync("/health/ready");
        Assert.True(health.IsSuccessStatusCode);
    }
}
