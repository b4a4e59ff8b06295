using System.Runtime.CompilerServices;

namespace Chatterbox.GatewayTests.Wire;

/// <summary>A generated file that is checked in.</summary>
internal static class Pinned
{
    /// <summary>Fails when the file differs, after writing what it should be beside the temporary files.</summary>
    public static void Equal(string text, string file)
    {
        var path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", "..", file));
        if (File.Exists(path) && File.ReadAllText(path) == text) return;
        var received = Path.Combine(Path.GetTempPath(), $"chatterbox-{Path.GetFileName(file)}");
        File.WriteAllText(received, text);
        Assert.Fail($"{file} is not what the contracts say. Review and copy {received}");
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
