using System.Diagnostics;

namespace Chatterbox.DeployTests;

/// <summary>
/// Rendered manifests against the API's own schemas: members that are required, types and formats. Runs in Node.
/// </summary>
public sealed class SchemaTests
{
    [NodeTheory, InlineData("dev"), InlineData("prod")]
    public void An_overlay_is_valid(string overlay) => Assert.Equal("", Refusals(Manifest.Render(overlay)));

    [NodeTheory]
    [InlineData("maxReplicas: 3", "minReplicas", "must have required property")]
    [InlineData("containerPort: 30000", "containerPort: gateway", "must be integer")]
    [InlineData("kind: PodDisruptionBudget", "kind: PodDisruption", "has no kind")]
    public void A_broken_one_is_not(string text, string instead, string why)
    {
        var yaml = Manifest.Render("dev");
        Assert.Contains(text, yaml, StringComparison.Ordinal);
        var broken = instead == "minReplicas"
            ? yaml.Replace(text, "", StringComparison.Ordinal)
            : yaml.Replace(text, instead, StringComparison.Ordinal);
        Assert.Contains(why, Refusals(broken), StringComparison.Ordinal);
    }

    private static string Refusals(string yaml)
    {
        using var process = Process.Start(new ProcessStartInfo("node", [Path.Combine(NodeTheoryAttribute.Folder, "validate.mjs")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        process.StandardInput.Write(yaml);
        process.StandardInput.Close();
        var refusals = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(refusals.Length == 0 ? 0 : 1, process.ExitCode);
        return refusals;
    }
}

/// <summary>Skipped with a reason where Node or the schemas are not installed; <c>test.sh</c> installs them.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NodeTheoryAttribute : KubectlTheoryAttribute
{
    public NodeTheoryAttribute()
    {
        if (!Directory.Exists(Path.Combine(Folder, "node_modules")))
            Skip ??= "the schemas are not installed: npm ci in tests/Chatterbox.DeployTests/schema";
    }

    public static string Folder { get; } = Path.Combine(Repository.Root, "tests", "Chatterbox.DeployTests", "schema");
}
