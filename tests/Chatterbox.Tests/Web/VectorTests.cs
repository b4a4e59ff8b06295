using System.IO.Compression;
using System.Runtime.CompilerServices;

namespace Chatterbox.Tests.Web;

/// <summary>
/// The npm package has this reducer and this replica in TypeScript. The vectors are what holds them together: made here,
/// checked in,
/// replayed there. With <c>CHATTERBOX_WRITE_VECTORS=1</c> this test writes them.
/// </summary>
public sealed class VectorTests
{
    private const int Reductions = 5_000;

    [Fact(DisplayName = "[W4] the vectors that hold the TypeScript reducer and replica are those of this code")]
    public void Vectors_are_current()
    {
        var lines = Lines();
        if (Environment.GetEnvironmentVariable("CHATTERBOX_WRITE_VECTORS") == "1") Write(lines);
        var stored = Read();
        for (var index = 0; index < Math.Min(lines.Count, stored.Length); index++)
        {
            Assert.True(lines[index] == stored[index],
                $"Line {index + 1} of {File()} is stale: write it with CHATTERBOX_WRITE_VECTORS=1, then run the tests in web/.");
        }
        Assert.Equal(lines.Count, stored.Length);
    }

    [Fact(DisplayName = "[W4] the vectors hold at least 5,000 reductions, each change, and rebases in every way")]
    public void Vectors_cover()
    {
        var lines = Read();
        Assert.True(lines.Sum(line => Count(line, "\"change\":{\"type\"")) >= Reductions);
        foreach (var change in Samples.EveryChange)
        {
            var type = $"\"type\":\"{char.ToLowerInvariant(change.GetType().Name[0])}{change.GetType().Name[1..]}\"";
            Assert.Contains(lines, line => line.Contains(type));
        }
        string[] ops = ["enqueue", "batch", "attached", "replied", "changes", "durable", "caughtUp", "select", "withdraw"];
        Assert.All(ops, op => Assert.Contains(lines, line => line.Contains($"\"op\":\"{op}\"")));
    }

    private static IReadOnlyList<string> Lines() =>
        [VectorJson.Header(), .. ReducerVectors.Lines(), .. ReplicaVectors.Lines()];

    private static int Count(string text, string part) => (text.Length - text.Replace(part, "").Length) / part.Length;

    private static void Write(IEnumerable<string> lines)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File())!);
        using var file = System.IO.File.Create(File());
        using var writer = new StreamWriter(new GZipStream(file, CompressionLevel.SmallestSize)) { NewLine = "\n" };
        foreach (var line in lines) writer.WriteLine(line);
    }

    private static string[] Read()
    {
        using var reader = new StreamReader(new GZipStream(System.IO.File.OpenRead(File()), CompressionMode.Decompress));
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static string File([CallerFilePath] string here = "") => Path.GetFullPath(
        Path.Combine(Path.GetDirectoryName(here)!, "../../../web/client/test/vectors/tts.jsonl.gz"));
}
