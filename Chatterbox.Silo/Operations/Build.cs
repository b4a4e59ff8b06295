using System.Reflection;

namespace Chatterbox.Silo.Operations;

internal static class Build
{
    /// <summary>The version of this program, such as <c>0.2.0</c>, without what a build server appends.</summary>
    public static string Version { get; } =
        typeof(Build).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
