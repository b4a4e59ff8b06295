using Chatterbox.Cli;
using Chatterbox.Cli.Connection;
using Chatterbox.Cli.Saving;
using Chatterbox.Client;

namespace Chatterbox.Tests.Cli;

public sealed class StorageTableTests
{
    private static readonly StorageInfo Info = new()
    {
        Session = "alice/app-state",
        Slices = [new(TtsSlice.Preferences, 1, 300, 300), new(TtsSlice.Chunks, 200, 20_500, 102_500),
            new(TtsSlice.BatchItems, 0, 0, 0)],
        Audio = new()
        {
            ReferencedClips = 53, ReferencedBytes = 100_000_000, PendingClips = 2, PendingBytes = 5_000,
            UnreferencedClips = 1, UnreferencedBytes = 7,
        },
        UsedBytes = 100_025_807,
        QuotaBytes = 1L << 30,
        CompressionRatio = 4.94,
        Changes = 1234,
        Writes = 100,
        ChangesPerWrite = 12.34,
        LastSaved = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
    };

    [Fact(DisplayName =
        "[A3] what is stored is shown as a table: items, bytes, ratio, audio by what keeps it, quota, changes per write")]
    public void Table()
    {
        Assert.Equal(["preferences", "1", "300", "300", "1.0"], Row("preferences"));
        Assert.Equal(["chunks", "200", "20,500", "102,500", "5.0"], Row("chunks"));
        Assert.Equal(["batchItems", "0", "0", "0"], Row("batchItems"));
        Assert.Equal(["all", "slices", "20,800", "102,800", "4.9"], Row("all slices"));
        Assert.Equal(["audio,", "referenced", "53", "100,000,000"], Row("audio, referenced"));
        Assert.Equal(["audio,", "pending", "2", "5,000"], Row("audio, pending"));
        Assert.Equal(["audio,", "unreferenced", "1", "7"], Row("audio, unreferenced"));
        Assert.Contains("used: 100,025,807 of 1,073,741,824 bytes (9.3 % of the quota)", Lines());
        Assert.Contains("saving: 1,234 changes in 100 rows written, 12.3 changes per write, last 2026-01-02 03:04:05Z", Lines());
    }

    [Fact(DisplayName = "[A3] a session that has not saved since it was loaded says so")]
    public void Nothing_saved() =>
        Assert.Contains(Lines(Info with { LastSaved = null }),
            line => line.EndsWith("last not since the session was loaded", StringComparison.Ordinal));

    [Fact(DisplayName = "[A3] the verb takes a user, a store and --json")]
    public void Verb()
    {
        Assert.Empty(ChatterboxVerbs.Root().Parse("info alice --store minimal --json").Errors);
        Assert.NotEmpty(ChatterboxVerbs.Root().Parse("info").Errors);
    }

    [Fact(DisplayName = "[A4] no room and a clip that is not allowed are wrong requests, and say what is allowed")]
    public void Refusals()
    {
        var full = new QuotaExceededException(new(900, 200, 1000));
        Assert.Equal((2, "quota: must be at most 1000 bytes in all, was 900 used and 200 needed"),
            (ExitCode.Of(full), ExitCode.Explain(full)));
        Assert.Equal(2, ExitCode.Of(new ClipRefusedException(new("audio", "0 bytes", "1 byte"))));
    }

    private static string[] Row(string name) =>
        Lines().Single(line => line.TrimStart().StartsWith(name, StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string[] Lines(StorageInfo? info = null)
    {
        var output = new StringWriter();
        StorageTable.Write(output, info ?? Info);
        return output.ToString().Split('\n');
    }
}
