using System.Collections.Concurrent;
using System.Diagnostics;
using k8s;
using k8s.Models;

namespace Chatterbox.DeployTests;

/// <summary>An overlay as the cluster would get it: rendered by kustomize, parsed without tolerance.</summary>
internal sealed class Manifest(IReadOnlyList<object> objects)
{
    private static readonly ConcurrentDictionary<string, string> Rendered = new(StringComparer.Ordinal);

    public IReadOnlyList<object> Objects { get; } = objects;

    public V1Deployment Silos => One<V1Deployment>("chatterbox");

    public V1PodSpec Pod => Silos.Spec.Template.Spec;

    public V1Container Silo => Pod.Containers.Single(container => container.Name == "silo");

    public V1Job Migration => One<V1Job>("chatterbox-migrate");

    public V2HorizontalPodAutoscaler Autoscaler => One<V2HorizontalPodAutoscaler>("chatterbox");

    public V1PodDisruptionBudget Budget => One<V1PodDisruptionBudget>("chatterbox");

    public IDictionary<string, string> Settings => One<V1ConfigMap>("chatterbox-settings").Data;

    /// <summary>All pods of the overlay, with the name of what makes them.</summary>
    public IEnumerable<(string Of, V1PodTemplateSpec Template)> PodTemplates =>
        Objects.OfType<V1Deployment>().Select(each => ($"deployment {each.Name()}", each.Spec.Template))
            .Concat(Objects.OfType<V1StatefulSet>().Select(each => ($"statefulset {each.Name()}", each.Spec.Template)))
            .Concat(Objects.OfType<V1Job>().Select(each => ($"job {each.Name()}", each.Spec.Template)));

    public IEnumerable<(string Of, V1Container Container)> Containers => PodTemplates.SelectMany(pod =>
        (pod.Template.Spec.InitContainers ?? []).Concat(pod.Template.Spec.Containers)
            .Select(each => ($"{pod.Of}, container {each.Name}", each)));

    public T One<T>(string name)
        where T : IKubernetesObject<V1ObjectMeta> => Objects.OfType<T>().Single(each => each.Name() == name);

    public static Manifest Of(string overlay) => Parse(Rendered.GetOrAdd(overlay, Render));

    /// <exception cref="Exception">A member is unknown or there twice, or a value has the wrong type.</exception>
    public static Manifest Parse(string yaml) => new(KubernetesYaml.LoadAllFromString(yaml, strict: true));

    public static string Render(string overlay)
    {
        var kubectl = Environment.GetEnvironmentVariable("CHATTERBOX_KUBECTL") is { Length: > 0 } set ? set : "kubectl";
        using var process = Process.Start(new ProcessStartInfo(kubectl,
            ["kustomize", Path.Combine(Repository.Root, "deploy", "k8s", "overlays", overlay)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var yaml = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? yaml
            : throw new InvalidOperationException($"kubectl kustomize {overlay}: {errors.Result}");
    }
}
