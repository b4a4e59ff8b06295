using System.Reflection;

namespace Chatterbox.DeployTests;

internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)!);
        while (!File.Exists(Path.Combine(folder.FullName, "Chatterbox.Grains.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
