using Chatterbox.Grains.Persistence;

namespace Chatterbox.Tests.Persistence;

/// <summary>
/// Rows as released versions wrote them, byte for byte: <c>tests/fixtures/rows/VERSION/ROW</c>. Never
/// changed, only ever added to.
/// </summary>
public sealed class ReleasedRowsTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "fixtures", "rows");

    private static readonly MigrationChain Chain = new([new DefaultEngineAndParameters()]);

    public static TheoryData<string> Versions =>
        [.. Directory.GetDirectories(Folder).Select(folder => Path.GetFileName(folder)).Order()];

    [Theory(DisplayName = "[M4] [P7] the rows of every released version load, all of them, with whose changes they hold")]
    [MemberData(nameof(Versions))]
    public async Task Released_rows_load(string version)
    {
        var storage = new MemoryStorage();
        foreach (var file in Directory.GetFiles(Path.Combine(Folder, version)))
        {
            storage[Path.GetFileName(file)] = await File.ReadAllBytesAsync(file);
        }
        var store = SessionStoreTests.New(storage, migrations: Chain);
        var moment = await store.LoadAsync();
        Assert.Empty(store.Notices);
        Assert.Equal(Expected, moment.State);
        Assert.Equal(7, moment.Revision);
        Assert.All(moment.Applied, applied => Assert.Equal(3, applied["client"]));
    }

    [Fact(DisplayName = "[M4] there are rows of every version up to the current one, of each codec")]
    public async Task Nothing_is_missing()
    {
        var rows = await Task.WhenAll(Directory.GetFiles(Folder, "*", SearchOption.AllDirectories)
            .Select(file => File.ReadAllBytesAsync(file)));
        var headers = rows.Select(row => (Codec: (FrameCodec)row[4], Version: (int)BitConverter.ToUInt16(row, 6))).ToArray();
        Assert.Equal(Enum.GetValues<FrameCodec>(), headers.Select(header => header.Codec).Distinct().Order());
        Assert.Equal(Enumerable.Range(0, Chain.CurrentVersion + 1), headers.Select(header => header.Version).Distinct().Order());
    }

    private static AppState Expected => State.ReducerTests.Apply(AppState.Initial,
        new SetStreaming(true),
        new UpsertWorkSession(new()
        {
            Id = "s1", Name = "Chapter 1", ChunkIds = ["c1", "c2"], CreatedAt = DateTimeOffset.UnixEpoch,
        }),
        new SelectWorkSession("s1"),
        new UpsertVoice(new()
        {
            Id = "v1", Name = "Narrator", Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox), Prompt = Samples.Audio,
        }),
        new UpsertChunk(Samples.Chunk("c1")), new UpsertChunk(Samples.Chunk("c2")), new CompleteChunk("c2", Samples.Audio),
        new UpsertBatchItem(new() { Id = "b1", Name = "chapter-1.txt", ChunkIds = ["c1", "c2"] }));
}
