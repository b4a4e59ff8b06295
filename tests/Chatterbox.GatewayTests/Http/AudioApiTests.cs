using System.Net;
using System.Net.Http.Headers;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests.Http;

public sealed class AudioApiTests(SharedHost shared) : IClassFixture<SharedHost>
{
    private readonly GatewayHost _host = shared.Host;

    [Fact(DisplayName = "[A1] an upload that was broken off goes on with the pieces that are missing")]
    public async Task Uploads_resume()
    {
        using var http = _host.HttpOf("resume");
        var (clip, hash) = TestClip.Make((2 * AudioPieces.Bytes) + 100);
        Assert.Equal([0, 1, 2], (await BeginAsync(http, clip, hash)).Missing);
        await TestClip.PutAsync(http, clip, hash, 1);
        using var early = await http.PostAsync($"/api/audio/{hash}/complete", null);
        Assert.Equal([0, 2], (await early.JsonAsync<UploadAnswer>()).Missing);

        Assert.Equal([0, 2], (await BeginAsync(http, clip, hash)).Missing);
        await TestClip.PutAsync(http, clip, hash, 2);
        await TestClip.PutAsync(http, clip, hash, 0);
        using var complete = await http.PostAsync($"/api/audio/{hash}/complete", null);
        var stored = (await complete.JsonAsync<UploadAnswer>()).Audio!;
        Assert.Equal((hash, clip.Length), (stored.Hash, (int)stored.Length));
        Assert.NotNull((await BeginAsync(http, clip, hash)).Audio);
    }

    [Fact(DisplayName = "[A1] a clip comes whole or by ranges, and stays in the browser's cache by its hash")]
    public async Task Downloads_by_ranges()
    {
        using var http = _host.HttpOf("ranges");
        var (clip, hash) = TestClip.Make((2 * AudioPieces.Bytes) + 100);
        await TestClip.UploadAsync(http, clip, hash);
        using var whole = await http.GetAsync($"/api/audio/{hash}");
        Assert.Equal(clip, await whole.Content.ReadAsByteArrayAsync());
        Assert.Equal($"\"{hash}\"", whole.Headers.ETag!.Tag);
        Assert.Equal(["immutable", "max-age=31536000", "private"], $"{whole.Headers.CacheControl}".Split(", ").Order());

        (int, int)[] ranges = [(0, 0), (AudioPieces.Bytes - 10, AudioPieces.Bytes + 10), (clip.Length - 5, clip.Length - 1)];
        foreach (var (from, to) in ranges)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/audio/{hash}");
            request.Headers.Range = new RangeHeaderValue(from, to);
            using var part = await http.SendAsync(request);
            Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
            Assert.Equal(clip[from..(to + 1)], await part.Content.ReadAsByteArrayAsync());
        }
        http.DefaultRequestHeaders.IfNoneMatch.Add(whole.Headers.ETag);
        using var cached = await http.GetAsync($"/api/audio/{hash}");
        Assert.Equal(HttpStatusCode.NotModified, cached.StatusCode);
    }

    [Fact(DisplayName = "[X2] pieces that are too long, of no upload, or of another hash are refused")]
    public async Task Refuses_pieces()
    {
        using var http = _host.HttpOf("pieces");
        var (clip, hash) = TestClip.Make(AudioPieces.Bytes + 1);
        using var unknown = await http.PutAsync($"/api/audio/{hash}/pieces/0", new ByteArrayContent([1]));
        Assert.Equal(HttpStatusCode.Conflict, unknown.StatusCode);
        await BeginAsync(http, clip, hash);
        using var tooLong = await http.PutAsync(
            $"/api/audio/{hash}/pieces/0", new ByteArrayContent(new byte[AudioPieces.Bytes + 1]));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, tooLong.StatusCode);
        using var tooShort = await http.PutAsync($"/api/audio/{hash}/pieces/0", new ByteArrayContent([1]));
        Assert.Equal("piece", (await tooShort.ProblemAsync()).Field);
        using var wrongLength = await http.PostAsync(
            $"/api/audio/{hash}", new UploadCall("app-state", Limits.ClipBytes + 1L, "audio/wav"));
        Assert.Equal("audio", (await wrongLength.ProblemAsync()).Field);

        await TestClip.PutAsync(http, new byte[clip.Length], hash, 0);
        await TestClip.PutAsync(http, new byte[clip.Length], hash, 1);
        using var wrong = await http.PostAsync($"/api/audio/{hash}/complete", null);
        Assert.Equal(422, (await wrong.ProblemAsync()).Status);
    }

    [Fact(DisplayName = "[A4] an upload over the quota is refused with 507, and says used, needed and allowed")]
    public async Task Refuses_over_quota()
    {
        await using var host = await GatewayHost.StartAsync(("Session:Stores:app-state:QuotaBytes", "600000"));
        using var http = host.HttpOf("quota");
        var (clip, hash) = TestClip.Make(700_000);
        using var begun = await http.PostAsync($"/api/audio/{hash}", new UploadCall("app-state", clip.Length, "audio/wav"));
        var problem = await begun.ProblemAsync();
        Assert.Equal(507, problem.Status);
        Assert.Contains("700000", problem.Value, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[X2] a clip that says it is a page is not served as one")]
    public async Task Serves_no_pages()
    {
        using var http = _host.HttpOf("pages");
        var (clip, hash) = TestClip.Make(100);
        using var begun = await http.PostAsync($"/api/audio/{hash}", new UploadCall("app-state", clip.Length, "text/html"));
        await begun.JsonAsync<UploadAnswer>();
        await TestClip.PutAsync(http, clip, hash, 0);
        using var complete = await http.PostAsync($"/api/audio/{hash}/complete", null);
        using var served = await http.GetAsync($"/api/audio/{hash}");
        Assert.Equal("application/octet-stream", served.Content.Headers.ContentType!.MediaType);
    }

    private static async Task<UploadAnswer> BeginAsync(HttpClient http, byte[] clip, string hash)
    {
        using var begun = await http.PostAsync($"/api/audio/{hash}", new UploadCall("app-state", clip.Length, "audio/wav"));
        return await begun.JsonAsync<UploadAnswer>();
    }
}
