using System.Runtime.CompilerServices;

namespace Chatterbox.Tests.Contracts;

public sealed class SourceTests
{
    private const int Longest = 130;

    /// <summary>The folders whose lines are checked.</summary>
    public static TheoryData<string> Folders =>
    [
        "Chatterbox.Cli", "Chatterbox.Client", "Chatterbox.Grains", "Chatterbox.Interfaces", "Chatterbox.Silo", "bench",
        "samples", "tests",
    ];

    [Theory(DisplayName = "no line of C# is over 130 characters")]
    [MemberData(nameof(Folders))]
    public void Line_length(string folder)
    {
        var top = Root;
        var separator = Path.DirectorySeparatorChar;
        string[] generated = [$"{separator}obj{separator}", $"{separator}bin{separator}"];
        var options = new EnumerationOptions { RecurseSubdirectories = true };
        var files = Directory.EnumerateFiles(Path.Combine(top, folder), "*.cs", options)
            .Where(file => !generated.Any(file.Contains)).ToArray();
        Assert.NotEmpty(files);
        var tooLong = files.SelectMany(file => File.ReadLines(file)
            .Select((line, at) => (line.Length, Place: $"{Path.GetRelativePath(top, file)}:{at + 1}"))
            .Where(line => line.Length > Longest).Select(line => $"{line.Place}: {line.Length}")).ToArray();
        Assert.True(tooLong.Length == 0,
            $"{tooLong.Length} lines are over {Longest} characters:\n{string.Join('\n', tooLong.Take(100))}");
    }

    /// <summary>The repository.</summary>
    internal static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", ".."));

    private static string Here([CallerFilePath] string path = "") => path;
}
