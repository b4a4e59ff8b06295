using k8s.Models;

namespace Chatterbox.DeployTests;

public sealed class ManifestTests
{
    private static readonly string[] Overlays = ["dev", "prod"];

    private static readonly IReadOnlyList<Rule> Rules = [.. SiloRules.All, .. PodRules.All];

    public static TheoryData<string> EveryOverlay => new(Overlays);

    public static TheoryData<string, string> EveryRuleInEveryOverlay
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var overlay in Overlays)
            {
                foreach (var rule in Rules) cases.Add(overlay, rule.Name);
            }
            return cases;
        }
    }

    public static TheoryData<string> EveryRule => new(Rules.Select(rule => rule.Name));

    [KubectlTheory, MemberData(nameof(EveryRuleInEveryOverlay))]
    public void O1_a_rule_holds_in_an_overlay(string overlay, string rule) =>
        Assert.Empty(Named(rule).Problems(Manifest.Of(overlay)));

    [KubectlTheory, MemberData(nameof(EveryRule))]
    public void O1_a_rule_notices_when_it_is_broken(string rule)
    {
        var manifest = Manifest.Of("dev");
        Named(rule).Break(manifest);
        Assert.NotEmpty(Named(rule).Problems(manifest));
    }

    [KubectlTheory, MemberData(nameof(EveryOverlay))]
    public void An_overlay_is_in_one_namespace(string overlay) => Assert.Single(Manifest.Of(overlay).Objects
        .Where(each => each is not V1Namespace).Cast<IMetadata<V1ObjectMeta>>().Select(each => each.Namespace()).Distinct());

    [KubectlTheory, InlineData("spec:", "spec:\n  replica: 3"), InlineData("minReadySeconds: 15", "minReadySeconds: soon")]
    public void A_misspelt_member_or_a_wrong_type_is_refused(string text, string instead)
    {
        var yaml = Manifest.Render("dev");
        var broken = yaml.Replace(text, instead, StringComparison.Ordinal);
        Assert.NotEqual(yaml, broken);
        Assert.ThrowsAny<Exception>(() => Manifest.Parse(broken));
    }

    [KubectlTheory, InlineData("prod")]
    public void In_production_an_image_is_named_by_its_digest_and_no_secret_is_in_the_manifest(string overlay)
    {
        var manifest = Manifest.Of(overlay);
        Assert.All(manifest.Containers, each => Assert.Contains("@sha256:", each.Container.Image, StringComparison.Ordinal));
        Assert.Empty(manifest.Objects.OfType<V1Secret>());
        Assert.True(manifest.Autoscaler.Spec.MinReplicas >= 3);
    }

    private static Rule Named(string name) => Rules.Single(rule => rule.Name == name);
}
