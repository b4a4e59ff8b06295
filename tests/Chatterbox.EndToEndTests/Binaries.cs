using System.Diagnostics;
using System.Reflection;

namespace Chatterbox.EndToEndTests;

/// <summary>The programs under test, as built beside this assembly in the same configuration.</summary>
internal static class Binaries
{
    public static ProcessStartInfo Start(string project, string assembly)
    {
        var here = new DirectoryInfo(Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)!);
        var (framework, configuration) = (here.Name, here.Parent!.Name);
        var root = here;
        while (!File.Exists(Path.Combine(root.FullName, "Chatterbox.Grains.sln"))) root = root.Parent!;
        var path = Path.Combine(root.FullName, project, "bin", configuration, framework, $"{assembly}.dll");
        Assert.True(File.Exists(path), $"{path} has not been built.");
        return new ProcessStartInfo("dotnet", [path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = Path.GetTempPath(),
        };
    }
}
