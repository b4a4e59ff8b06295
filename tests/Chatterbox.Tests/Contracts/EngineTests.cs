using System.Text.RegularExpressions;
using Chatterbox.Grains;

namespace Chatterbox.Tests.Contracts;

/// <summary>What depends on what in the source: the engine works by the definitions of apps.</summary>
public sealed partial class EngineTests
{
    private static readonly string[] Apps = ["Tts", "Documents"];

    /// <summary>Where an app is put in: the lists of the built-in ones.</summary>
    private static readonly string[] Lists = ["BuiltInApps.cs", "KnownApps.cs"];

    private static readonly string Root = SourceTests.Root;

    [Theory(DisplayName = "[G1] the engine refers to no type of an app, and names no slice of one")]
    [InlineData("Chatterbox.Interfaces")]
    [InlineData("Chatterbox.Grains")]
    [InlineData("Chatterbox.Client")]
    [InlineData("Chatterbox.Silo")]
    public void Engine_knows_no_app(string project)
    {
        var types = Files(["Chatterbox.Interfaces", "Chatterbox.Grains", "Chatterbox.Client"], isApp: true)
            .SelectMany(file => Declared().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value))
            .ToHashSet(StringComparer.Ordinal);
        Assert.Contains("AppState", types);
        var slices = BuiltInApps.All.SelectMany(app => app.Definition.Slices).Select(slice => $"\"{slice.Name}\"").ToArray();

        var found = Files([project], isApp: false).SelectMany(file =>
        {
            var text = Comments().Replace(File.ReadAllText(file), "");
            var code = Literals().Replace(text, "\"\"");
            return Identifiers().Matches(code).Select(match => match.Value).Where(types.Contains)
                .Concat(slices.Where(slice => text.Contains(slice, StringComparison.Ordinal)))
                .Distinct().Select(name => $"{Path.GetRelativePath(Root, file)}: {name}");
        });

        Assert.Empty(found);
    }

    private static IEnumerable<string> Files(string[] projects, bool isApp) => projects
        .SelectMany(project => Directory.EnumerateFiles(Path.Combine(Root, project), "*.cs", SearchOption.AllDirectories))
        .Where(file => !Lists.Contains(Path.GetFileName(file)))
        .Where(file => Path.GetRelativePath(Root, file).Split(Path.DirectorySeparatorChar) is var folders
            && !folders.Contains("obj") && !folders.Contains("bin") && folders.Intersect(Apps).Any() == isApp);

    [GeneratedRegex(@"^\w[\w ]* (?:class|record struct|record|struct|interface|enum) ([A-Z]\w+)", RegexOptions.Multiline)]
    private static partial Regex Declared();

    [GeneratedRegex(@"//[^\n]*")]
    private static partial Regex Comments();

    [GeneratedRegex("\"(?:[^\"\\\\\n]|\\\\.)*\"")]
    private static partial Regex Literals();

    // Not a member: Enumerable.Chunk is no chunk of text.
    [GeneratedRegex(@"(?<![.\w])[A-Z]\w+\b(?!\s*(=[^=>]|\{ get))")]
    private static partial Regex Identifiers();
}
