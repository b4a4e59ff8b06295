using System.ComponentModel;

namespace Chatterbox.DeployTests;

/// <summary>A test that renders manifests; skipped with a reason where there is no kubectl with a kustomize of today.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal class KubectlTheoryAttribute : TheoryAttribute
{
    private static readonly string? Missing = Find();

    public KubectlTheoryAttribute() => Skip = Missing;

    private static string? Find()
    {
        try
        {
            Manifest.Render("dev");
            return null;
        }
        catch (Exception missing) when (missing is Win32Exception or InvalidOperationException)
        {
            return $"kubectl 1.27 or later is not installed: {missing.Message}";
        }
    }
}
