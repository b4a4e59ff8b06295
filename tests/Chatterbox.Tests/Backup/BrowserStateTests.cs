using Chatterbox.Grains.Persistence;

namespace Chatterbox.Tests.Backup;

public sealed class BrowserStateTests
{
    private const string StreamedClip = "e6bf9afb31216f333ff41763ac4d82762326401651e816a68de3e26668522e76";
    private const string UrlClip = "f6c2f6da61610b0be72bc4465e17298945d7851bd76e55a4abf1c1a6a1962317";

    [Fact(DisplayName = "[M4] what the browser app stored under version 0 is taken over, with the defaults of its day")]
    public async Task Version0()
    {
        var (state, report) = await Documents.ImportAsync(Documents.Fixture("browser-state-v0.json"));

        Assert.Null(report.Refused);
        Assert.Equal((0, 1), (report.FromVersion, report.ToVersion));
        Assert.Equal(TtsEngine.Chatterbox, state!.Preferences.Engine);
        Assert.Equal(TtsParameters.DefaultsFor(TtsEngine.Chatterbox), state.Preferences.Parameters);
        Assert.True(state.Preferences.UseStreaming);
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1763800000000), state.WorkSessions.Find("session-1")!.CreatedAt);
        Assert.Equal(StreamedClip, state.Chunks.Find("chunk-1")!.Audio!.Hash);
        Assert.Equal(24000, state.Chunks.Find("chunk-1")!.Audio!.SampleRate);
        Assert.Equal(14, state.Chunks.Find("chunk-2")!.Parameters.Seed);
        Assert.Equal([StreamedClip], report.Clips);
    }

    [Fact(DisplayName = "[R4] an import says what it left out and why")]
    public async Task Notes()
    {
        await using var file = Documents.Fixture("browser-state-v0.json");
        var (document, _) = await Documents.ReadAsync(file);
        var (state, report) = BrowserState.Read(new(document.State(), document.Version, DryRun: true, document.Format), Documents.Migrations);

        Assert.Equal(["audioUrl of 1 chunk(s): left out, a blob: URL means nothing outside the browser tab that made it"], document.Notes);
        Assert.Null(state!.Preferences.CurrentSessionId);
        Assert.Equal(WorkStatus.Interrupted, state.Chunks.Find("chunk-2")!.Status);
        Assert.Equal(
            [
                "currentSessionId: 'session-gone' is none of the work sessions, none is selected",
                "chunk chunk-2: was generating without audio, taken as interrupted, ready to run again",
            ], report.Notes);
    }

    [Fact(DisplayName = "[M4] what the browser app stored under version 1 is taken over: data: URLs, unknown members, unfinished chunks")]
    public async Task Version1()
    {
        var (state, report) = await Documents.ImportAsync(Documents.Fixture("browser-state-v1.json"));

        Assert.Null(report.Refused);
        Assert.Equal(TtsEngine.Turbo, state!.Preferences.Engine);
        Assert.Equal(400, state.Preferences.Parameters.TopK);
        var first = state.Chunks.Find("chunk-1")!;
        Assert.Equal(UrlClip, first.Audio!.Hash);
        Assert.Equal("brisk", first.Unknown!["mood"].GetString());
        Assert.Equal(WorkStatus.Pending, state.Chunks.Find("chunk-2")!.Status);
        Assert.Equal((WorkStatus.Error, null), (state.Chunks.Find("chunk-3")!.Status, state.Chunks.Find("chunk-3")!.Audio));
        Assert.Equal(WorkStatus.Interrupted, state.Chunks.Find("chunk-4")!.Status);
        // A clip that no chunk keeps is not worth an upload.
        Assert.Equal([UrlClip], report.Clips);
        Assert.Contains("state.isGenerating: left out, not part of what is stored", report.Notes);
    }

    [Theory(DisplayName = "[R4] one wrong value refuses the whole import and names its place")]
    [InlineData("""{"parameters": {"temperature": 17}}""", "state.temperature", "17")]
    [InlineData("""{"ttsEngine": "bogus"}""", "state.engine", "\"bogus\"")]
    [InlineData("""{"chunks": [{"id": "a", "text": "t", "parameters": {}}, {"id": "b", "text": "t", "status": "odd", "parameters": {}}]}""", "state.chunks[1].status", "\"odd\"")]
    [InlineData("""{"chunks": [{"id": "a", "text": "t", "parameters": {"temperature": 17}}]}""", "state.chunks[a].temperature", "17")]
    [InlineData("""{"chunks": [{"id": "a", "parameters": {}}]}""", "state.chunks[0]", "an item without 'text'")]
    [InlineData("""{"sessions": [{"id": "s", "name": "n", "createdAt": 1e300}]}""", "state.sessions[0].createdAt", "1e300")]
    [InlineData("""{"sessions": {}}""", "state.sessions", "no list")]
    [InlineData("""{"batchItems": [null]}""", "state.batchItems[0]", "no object")]
    public async Task Refused(string state, string field, string value)
    {
        var (taken, report) = await Documents.ImportAsync(Documents.Of($$"""{"state": {{state}}, "version": 1}"""));
        Assert.Null(taken);
        Assert.Equal((field, value), (report.Refused!.Field, report.Refused.Value));
    }

    [Theory(DisplayName = "[M3] a version that the silo does not know is refused")]
    [InlineData(2)]
    [InlineData(int.MaxValue)]
    public async Task NewerVersion(int version)
    {
        var (taken, report) = await Documents.ImportAsync(Documents.Of($$"""{"state": {}, "version": {{version}}}"""));
        Assert.Null(taken);
        Assert.Equal("version", report.Refused!.Field);
    }

    [Fact(DisplayName = "[X3] no bytes make an import throw")]
    public void AnyBytes()
    {
        var random = new Random(7);
        for (var round = 0; round < 500; round++)
        {
            var bytes = new byte[random.Next(64)];
            random.NextBytes(bytes);
            var (state, report) = BrowserState.Read(new(bytes, 1, DryRun: true, (ImportFormat)random.Next(3)), Documents.Migrations);
            Assert.True(state is not null || report.Refused is not null);
        }
    }
}
