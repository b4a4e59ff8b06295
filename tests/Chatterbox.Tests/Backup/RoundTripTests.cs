using System.Security.Cryptography;
using System.Text.Json;
using Chatterbox.Client.Backup;

namespace Chatterbox.Tests.Backup;

public sealed class RoundTripTests
{
    private static readonly DateTimeOffset Now = new(2025, 11, 24, 1, 2, 3, TimeSpan.Zero);

    [Theory(DisplayName = "[R4] an export read back gives the same state and the same clips, whatever their length")]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(48 * 1024 - 1)]
    [InlineData(48 * 1024)]
    [InlineData(48 * 1024 + 1)]
    [InlineData(300_000)]
    public async Task SameAgain(int length)
    {
        var clip = new byte[length];
        new Random(length).NextBytes(clip);
        var state = StateWith(clip);
        var export = await ExportAsync(state, clip);

        var (document, clips) = await Documents.ReadAsync(new MemoryStream(export));
        var (imported, report) = await Documents.ImportAsync(new MemoryStream(export));

        Assert.Null(report.Refused);
        Assert.Equal(state, imported);
        Assert.Equal(clip, Assert.Single(clips));
        Assert.Equal("audio/x-odd", document.Clips[0].MediaType);
        Assert.Empty(report.Notes);
        Assert.Empty(report.Mends);
    }

    [Fact(DisplayName = "[R4] [I3] an export of as much as a session may hold can be imported")]
    public async Task LargestState()
    {
        // Text of which each character is escaped where JSON is written with care, and takes three times the bytes then.
        var text = string.Concat(Enumerable.Repeat("日", TtsLimits.ChunkTextLength));
        var chunks = Enumerable.Range(0, 4000).Select(number => new Chunk { Id = $"c{number}", Text = text, Parameters = new() })
            .ToValueList();
        var items = Enumerable.Range(0, 60).Select(number => new BatchItem
        {
            Id = $"b{number}", Name = "n", ChunkIds = [.. Enumerable.Range(0, 1000).Select(id => $"{new string('x', 120)}{id}")],
        }).ToValueList();
        var state = AppState.Initial with { Chunks = chunks, BatchItems = items };
        var (imported, report) = await Documents.ImportAsync(new MemoryStream(await ExportAsync(state)));
        Assert.Null(report.Refused);
        Assert.Equal(state, imported);
    }

    [Fact(DisplayName = "[R4] [I3] of more than a session may hold the newest that fits is taken, and the report says so")]
    public async Task TooLarge()
    {
        var items = Enumerable.Range(0, 20).Select(number => new BatchItem
        {
            Id = $"b{number}", Name = "n", ChunkIds = [.. Enumerable.Range(0, 5000).Select(id => $"{new string('x', 120)}{id}")],
        }).ToValueList();
        var (imported, report) =
            await Documents.ImportAsync(new MemoryStream(await ExportAsync(AppState.Initial with { BatchItems = items })));
        Assert.Null(report.Refused);
        Assert.InRange(imported!.BatchItems.Count, 11, 13);
        Assert.Equal("b19", imported.BatchItems[^1].Id);
        Assert.Equal("state.batchItems", Assert.Single(report.Mends).Place);
        Assert.InRange(JsonSerializer.SerializeToUtf8Bytes(imported, TtsJson.Default.AppState).Length, 1,
            Limits.SliceBytes + 1000);
    }

    [Fact(DisplayName = "[R4] an export says what it is")]
    public async Task SelfDescribing()
    {
        using var document = JsonDocument.Parse(await ExportAsync(AppState.Initial));
        var root = document.RootElement;
        Assert.Equal("chatterbox-export", root.GetProperty("format").GetString());
        Assert.Equal(1, root.GetProperty("formatVersion").GetInt32());
        Assert.Equal(Now, root.GetProperty("exportedAt").GetDateTimeOffset());
        Assert.Equal("app-state", root.GetProperty("store").GetString());
        Assert.Equal(1, root.GetProperty("schemaVersion").GetInt32());
        Assert.Equal(TtsApp.Instance.Stored.Select(slice => slice.Name),
            root.GetProperty("state").EnumerateObject().Select(slice => slice.Name));
    }

    [Fact(DisplayName = "[R4] a clip that is not the one its hash says is left out, and told")]
    public async Task WrongHash()
    {
        byte[] clip = [1, 2, 3];
        var export = System.Text.Encoding.UTF8.GetString(await ExportAsync(StateWith(clip), clip));
        var (document, _) = await Documents.ReadAsync(Documents.Of(export.Replace("AQID", "AQIE", StringComparison.Ordinal)));
        Assert.Equal("audio[0].data", Assert.Single(document.Mends.Listed).Place);
        Assert.DoesNotContain(HashOf(clip), document.Clips.Select(each => each.Hash));
    }

    [Fact(DisplayName = "[R4] an export without a slice is taken with that slice empty, and says so; a strict import refuses it")]
    public async Task MissingSlice()
    {
        const string Export =
            """{"format": "chatterbox-export", "formatVersion": 1, "schemaVersion": 1, "state": {"preferences": {}}}""";
        var (state, report) = await Documents.ImportAsync(Documents.Of(Export));
        Assert.Equal(AppState.Initial, state);
        Assert.Equal(["state.workSessions", "state.savedVoices", "state.chunks", "state.batchItems"],
            report.Mends.Select(mend => mend.Place));
        Assert.Equal("state.workSessions: nothing", await Documents.RefusedStrictlyAsync(Documents.Of(Export)));
    }

    [Fact(DisplayName = "[R4] where audio is not to be had, its chunk can be generated again")]
    public async Task MissingAudio()
    {
        byte[] clip = [1, 2, 3];
        var (state, report) = await Documents.ImportAsync(new MemoryStream(await ExportAsync(StateWith(clip))), HashOf(clip));
        Assert.Equal((WorkStatus.Interrupted, null), (state!.Chunks[0].Status, state.Chunks[0].Audio));
        Assert.Null(state.SavedVoices[0].Prompt);
        Assert.Equal(2, report.Notes.Count);
    }

    private static string HashOf(byte[] clip) => Convert.ToHexStringLower(SHA256.HashData(clip));

    private static async Task<byte[]> ExportAsync(AppState state, byte[]? clip = null)
    {
        using var output = new MemoryStream();
        await using (var writer = new BackupWriter(output))
        {
            writer.Begin(SessionId.DefaultStore, 1, Now, state);
            if (clip is not null)
            {
                writer.BeginAudio();
                await writer.WriteClipAsync(HashOf(clip), "audio/x-odd", clip, CancellationToken.None);
                writer.EndAudio();
            }
            await writer.EndAsync(CancellationToken.None);
        }
        return output.ToArray();
    }

    private static AppState StateWith(byte[] clip)
    {
        var audio = new AudioRef
        {
            Hash = HashOf(clip), Length = clip.Length, MediaType = "audio/x-odd", SampleRate = 24000, Duration = 0.5,
        };
        var turbo = TtsParameters.DefaultsFor(TtsEngine.Turbo);
        var unknown = Unknown.Of("later", """{"a": [1.50, "é\ud83d\ude00"]}""");
        return AppState.Initial with
        {
            Preferences = Preferences.Default with
            {
                Engine = TtsEngine.Turbo, Parameters = turbo with { TopK = 20 }, CurrentSessionId = "s1",
                UseStreaming = true, Unknown = unknown,
                OtherEngines = OtherEngines.None.With(TtsEngine.Chatterbox, TtsParameters.DefaultsFor(TtsEngine.Chatterbox)),
            },
            WorkSessions =
            [
                new()
                {
                    Id = "s1", Name = "One", CreatedAt = Now, UpdatedAt = Now, ChunkIds = ["c1", "c2"],
                    Engine = TtsEngine.Turbo, Parameters = turbo,
                },
            ],
            SavedVoices =
            [
                new()
                {
                    Id = "v1", Name = "Narrator \"N\"", Parameters = turbo, Engine = TtsEngine.Turbo,
                    CreatedAt = Now, Prompt = audio,
                },
            ],
            Chunks =
            [
                new()
                {
                    Id = "c1", Text = "Zoë said: <hi>\n", Status = WorkStatus.Completed, Engine = TtsEngine.Turbo,
                    Parameters = turbo, Audio = audio, CreatedAt = Now, Unknown = unknown,
                },
                // Verbatim: whoever exports a session that is at work gets it back as it was.
                new() { Id = "c2", Text = "More", Status = WorkStatus.Generating, Engine = TtsEngine.Turbo, Parameters = turbo },
            ],
            BatchItems =
            [
                new() { Id = "b1", Name = "fables.txt", ChunkIds = ["c1"], Status = WorkStatus.Pending, CreatedAt = Now },
            ],
        };
    }
}
