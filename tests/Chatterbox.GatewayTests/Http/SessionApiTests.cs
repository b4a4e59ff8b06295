using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests.Http;

public sealed class SessionApiTests(SharedHost shared) : IClassFixture<SharedHost>
{
    private const string Session = "/api/sessions/app-state";

    private readonly GatewayHost _host = shared.Host;

    [Fact(DisplayName = "[W3] a snapshot has an ETag; it is sent again only when the session has moved on")]
    public async Task Snapshots_have_tags()
    {
        using var http = _host.HttpOf("tags");
        using var first = await http.GetAsync(Session);
        var state = await first.JsonAsync<SnapshotAnswer>();
        Assert.Equal($"\"{state.Epoch}-{state.Revision}\"", first.Headers.ETag!.Tag);

        http.DefaultRequestHeaders.IfNoneMatch.Add(first.Headers.ETag);
        using var unchanged = await http.GetAsync(Session);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        await ChangeAsync("tags", new SetStreaming(true));
        using var changed = await http.GetAsync(Session);
        Assert.True((await changed.JsonAsync<SnapshotAnswer>()).State.Preferences.UseStreaming);
    }

    [Fact(DisplayName = "[C6] a snapshot holds the slices that were asked for; an unknown one is refused with those there are")]
    public async Task Snapshots_have_slices()
    {
        await ChangeAsync("some-slices", new SetStreaming(true), new UpsertChunk(Samples.Chunk("c1")));
        using var http = _host.HttpOf("some-slices");
        var some = (await http.GetJsonAsync<SnapshotAnswer>($"{Session}?slices=chunks,runtime")).State;
        Assert.Single(some.Chunks);
        Assert.False(some.Preferences.UseStreaming);
        using var wrong = await http.GetAsync($"{Session}?slices=chunk");
        var problem = await wrong.ProblemAsync();
        Assert.Equal(("slices", 422), (problem.Field, problem.Status));
        Assert.Contains("workSessions", problem.Allowed, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[W3] a snapshot is compressed where that is asked for")]
    public async Task Snapshots_are_compressed()
    {
        using var http = new HttpClient { BaseAddress = _host.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", GatewayHost.Token("compressed"));
        http.DefaultRequestHeaders.AcceptEncoding.ParseAdd("br");
        using var reply = await http.GetAsync(Session);
        Assert.Equal(["br"], reply.Content.Headers.ContentEncoding);
    }

    [Fact(DisplayName = "[W3] changes that are too large for the hub go by HTTP, with the page's client id and sequences")]
    public async Task Changes_by_http()
    {
        var page = await _host.OpenAsync("by-http");
        var epoch = (await page.AttachAsync("b1")).State.Epoch;
        using var http = _host.HttpOf("by-http");
        var large = new UpsertWorkSession(new()
        {
            Id = "s1", Name = "book", ChunkIds = [.. Enumerable.Range(0, 4000).Select(index => $"chunk-{index:D60}")],
        });
        using var sent = await http.PostAsync($"{Session}/changes", new ChangesCall("b1", epoch, 0, [new(1, large)]));
        Assert.Equal(ApplyOutcome.Done, (await sent.JsonAsync<ApplyAnswer>()).Result);
        Assert.Equal(ApplyOutcome.Done, (await page.ApplyAsync("b1", epoch, 1, new SetStreaming(true))).Result);
        Assert.Single((await http.GetJsonAsync<SnapshotAnswer>(Session)).State.WorkSessions);
    }

    [Fact(DisplayName = "[X2] a body over its limit is refused with 413, one that is no JSON with 400")]
    public async Task Bodies_are_limited()
    {
        using var http = _host.HttpOf("bodies");
        using var large = await http.PostAsync($"{Session}/changes", new ByteArrayContent(new byte[WebProtocol.ChangesBytes + 1])
        {
            Headers = { ContentType = new("application/json") },
        });
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        using var broken = await http.PostAsync($"{Session}/changes", new StringContent("{", Encoding.UTF8, "application/json"));
        Assert.Equal(400, (await broken.ProblemAsync()).Status);
    }

    [Fact(DisplayName = "[W3] status, info, flush, rehydrate, clear and recovery are there for browsers")]
    public async Task Does_what_clients_do()
    {
        await ChangeAsync("all", new SetStreaming(true));
        using var http = _host.HttpOf("all");
        using var flushed = await http.PostAsync($"{Session}/flush", null);
        Assert.Null((await flushed.JsonAsync<FlushReply>()).Failure);
        Assert.Equal("all/app-state", (await http.GetJsonAsync<SessionStatus>($"{Session}/status")).Session);
        Assert.True((await http.GetJsonAsync<StorageInfo>($"{Session}/info")).UsedBytes > 0);
        using var rehydrated = await http.PostAsync($"{Session}/rehydrate", null);
        Assert.Null((await rehydrated.JsonAsync<FlushReply>()).Failure);
        using var recovered = await http.PostAsync($"{Session}/recover", null);
        Assert.Empty((await recovered.JsonAsync<RecoveryReport>()).Chunks);
        using var discarded = await http.DeleteAsync($"{Session}/recovery");
        Assert.Null((await discarded.JsonAsync<FlushReply>()).Failure);
        Assert.True((await http.GetJsonAsync<SnapshotAnswer>(Session)).State.Preferences.UseStreaming);
        using var cleared = await http.PostAsync($"{Session}/clear", null);
        Assert.Null((await cleared.JsonAsync<FlushReply>()).Failure);
        Assert.False((await http.GetJsonAsync<SnapshotAnswer>(Session)).State.Preferences.UseStreaming);
    }

    [Theory(DisplayName = "[X2] what is not there is a problem with field, value and allowed")]
    [InlineData("/api/sessions/no-such-store", "store")]
    [InlineData("/api/sessions/UPPER/status", "store")]
    [InlineData("/api/audio/abc", "sha256")]
    public async Task Problems_say_what_is_wrong(string path, string field)
    {
        using var http = _host.HttpOf("problems");
        using var reply = await http.GetAsync(path);
        var problem = await reply.ProblemAsync();
        Assert.Equal((404, field), (problem.Status, problem.Field));
        Assert.NotNull(problem.Allowed);
    }

    [Fact(DisplayName = "[R4] an export can be imported by another user, audio included; a dry run changes nothing")]
    public async Task Backs_up()
    {
        using var from = _host.HttpOf("export");
        var (clip, hash) = TestClip.Make(AudioPieces.Bytes + 1000);
        var audio = (await TestClip.UploadAsync(from, clip, hash)).Audio!;
        await ChangeAsync("export", new UpsertChunk(Samples.Chunk("c1")), new CompleteChunk("c1", audio));
        var document = await from.GetByteArrayAsync($"{Session}/export");

        using var to = _host.HttpOf("import");
        using var dry = await to.PostAsync($"{Session}/import?dryRun=true", new ByteArrayContent(document));
        Assert.Equal((true, 1), ((await dry.JsonAsync<ImportReport>()).DryRun, (await dry.JsonAsync<ImportReport>()).AudioClips));
        Assert.Empty((await to.GetJsonAsync<SnapshotAnswer>(Session)).State.Chunks);
        using var done = await to.PostAsync($"{Session}/import", new ByteArrayContent(document));
        Assert.Null((await done.JsonAsync<ImportReport>()).Refused);
        Assert.Equal(audio, (await to.GetJsonAsync<SnapshotAnswer>(Session)).State.Chunks[0].Audio);
        Assert.Equal(clip, await to.GetByteArrayAsync($"/api/audio/{hash}"));

        using var broken = await to.PostAsync($"{Session}/import", new ByteArrayContent("no document"u8.ToArray()));
        Assert.Equal(422, (await broken.ProblemAsync()).Status);
    }

    private async Task ChangeAsync(string user, params AppStateChange[] changes)
    {
        var page = await _host.OpenAsync(user);
        var epoch = (await page.AttachAsync("changes")).State.Epoch;
        await page.ApplyAsync("changes", epoch, 0, changes);
        await page.LeaveAsync("changes");
    }
}
