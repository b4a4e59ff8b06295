using k8s.Models;

namespace Chatterbox.DeployTests;

/// <summary>What holds for every pod and container, whatever runs in it.</summary>
internal static class PodRules
{
    public static IReadOnlyList<Rule> All { get; } =
    [
        Rule.ForEach("no token of the Kubernetes API", manifest => manifest.PodTemplates,
            pod => pod.Spec.AutomountServiceAccountToken is false,
            manifest => manifest.Pod.AutomountServiceAccountToken = null),
        Rule.ForEach("runs as a user that is not root", manifest => manifest.PodTemplates,
            pod => pod.Spec.SecurityContext is { RunAsNonRoot: true, RunAsUser: > 0 },
            manifest => manifest.Pod.SecurityContext.RunAsUser = 0),
        Rule.ForEach("has the runtime's seccomp profile", manifest => manifest.PodTemplates,
            pod => pod.Spec.SecurityContext.SeccompProfile?.Type == "RuntimeDefault",
            manifest => manifest.Pod.SecurityContext.SeccompProfile = null),
        Rule.ForEach("no host network, whose node ports would collide", manifest => manifest.PodTemplates,
            pod => pod.Spec.HostNetwork is not true,
            manifest => manifest.Pod.HostNetwork = true),
        Rule.ForEach("its root file system is read-only", manifest => manifest.Containers,
            container => container.SecurityContext.ReadOnlyRootFilesystem is true,
            manifest => manifest.Silo.SecurityContext.ReadOnlyRootFilesystem = null),
        Rule.ForEach("has no capabilities and cannot gain any", manifest => manifest.Containers,
            container =>
                container.SecurityContext is { AllowPrivilegeEscalation: false } context
                && context.Capabilities.Drop.Contains("ALL"),
            manifest => manifest.Silo.SecurityContext.AllowPrivilegeEscalation = true),
        Rule.ForEach("/tmp can be written", manifest => manifest.Containers,
            container => container.VolumeMounts.Any(mount => mount.MountPath == "/tmp"),
            manifest => manifest.Silo.VolumeMounts.Remove(manifest.Silo.VolumeMounts.Single(mount => mount.MountPath == "/tmp"))),
        Rule.ForEach("no CPU limit, since a throttled silo answers no probe", manifest => manifest.Containers,
            container => container.Resources.Limits?.ContainsKey("cpu") is not true,
            manifest => manifest.Silo.Resources.Limits["cpu"] = new("1")),
        Rule.ForEach("its memory is reserved", manifest => manifest.Containers,
            container =>
                container.Resources is { Limits: { } limits, Requests: { } requests }
                && limits["memory"].Equals(requests["memory"]),
            manifest => manifest.Silo.Resources.Requests["memory"] = new("64Mi")),
        Rule.ForEach("asks for CPU", manifest => manifest.Containers,
            container => container.Resources.Requests.ContainsKey("cpu"),
            manifest => manifest.Silo.Resources.Requests.Remove("cpu")),
        Rule.ForEach("secrets come by reference",
            manifest =>
                manifest.Containers.SelectMany(each => (each.Container.Env ?? []).Select(env => ($"{each.Of}, {env.Name}", env))),
            env => env.Value is null || !IsSecret(env.Name),
            manifest => manifest.Silo.Env.Add(new() { Name = "Chatterbox__Database__Password", Value = "x" })),
        Rule.ForEach("its mounts have volumes",
            manifest => manifest.PodTemplates.Select(pod => (pod.Of, (pod.Template, Claims(manifest, pod.Of)))),
            pod =>
                pod.Template.Spec.Containers.Concat(pod.Template.Spec.InitContainers ?? []).SelectMany(each => each.VolumeMounts)
                    .All(mount =>
                        pod.Template.Spec.Volumes.Any(volume => volume.Name == mount.Name) || pod.Item2.Contains(mount.Name)),
            manifest => manifest.Pod.Volumes.RemoveAt(0)),
        Rule.ForEach("what it refers to is there", References, reference => reference.IsThere,
            manifest => manifest.Silo.EnvFrom[0].ConfigMapRef.Name = "nowhere"),
        new("selectors find pods",
            manifest => Selectors(manifest)
                .Where(each => !manifest.PodTemplates.Any(pod => Matches(each.Labels, pod.Template.Metadata.Labels)))
                .Select(each => $"{each.Of} selects no pod"),
            manifest => manifest.One<V1Service>("chatterbox").Spec.Selector["app.kubernetes.io/component"] = "silos"),
        new("service ports have container ports",
            manifest => manifest.Objects.OfType<V1Service>().Where(service => !service.Spec.Ports.All(port =>
                manifest.PodTemplates.Where(pod => Matches(service.Spec.Selector, pod.Template.Metadata.Labels))
                    .Any(pod => pod.Template.Spec.Containers.SelectMany(each => each.Ports ?? [])
                        .Any(each => port.TargetPort.Value == each.Name))))
                .Select(service => $"service {service.Name()} has a port that no container has"),
            manifest => manifest.One<V1Service>("chatterbox").Spec.Ports[0].TargetPort = "https"),
        new("everything that runs is confined by a network policy in both directions", manifest => manifest.PodTemplates
            .Where(pod => !new[] { "Ingress", "Egress" }.All(direction => manifest.Objects.OfType<V1NetworkPolicy>().Any(policy =>
                policy.Spec.PolicyTypes.Contains(direction)
                && Matches(policy.Spec.PodSelector.MatchLabels, pod.Template.Metadata.Labels))))
            .Select(pod => $"{pod.Of} is reached by, or reaches, anybody"),
            manifest =>
                manifest.One<V1NetworkPolicy>("chatterbox").Spec.PodSelector.MatchLabels["app.kubernetes.io/component"] = "none"),
    ];

    private static bool IsSecret(string name) => name.Contains("Password", StringComparison.OrdinalIgnoreCase)
        || name.Contains("ConnectionString", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith("Key", StringComparison.Ordinal);

    private static IEnumerable<string> Claims(Manifest manifest, string of) => manifest.Objects.OfType<V1StatefulSet>()
        .Where(set => of == $"statefulset {set.Name()}").SelectMany(set => set.Spec.VolumeClaimTemplates)
        .Select(claim => claim.Name());

    // Secrets are the operator's own, except where the overlay makes one.
    private static IEnumerable<(string Of, (string Name, bool IsThere) Reference)> References(Manifest manifest) =>
        manifest.Containers.SelectMany(each => (each.Container.EnvFrom ?? []).Select(from => from.ConfigMapRef.Name)
                .Select(name => (each.Of, (name, manifest.Objects.OfType<V1ConfigMap>().Any(map => map.Name() == name)))))
            .Concat(manifest.Containers.SelectMany(each =>
                (each.Container.Env ?? []).Select(env => env.ValueFrom?.SecretKeyRef?.Name).OfType<string>()
                    .Select(name => (each.Of, (name, name is "chatterbox-database" or "chatterbox-auth")))))
            .Concat(manifest.PodTemplates.Where(pod => pod.Template.Spec.ServiceAccountName is not null).Select(pod => (pod.Of,
                (pod.Template.Spec.ServiceAccountName,
                    manifest.Objects.OfType<V1ServiceAccount>()
                        .Any(each => each.Name() == pod.Template.Spec.ServiceAccountName)))));

    private static IEnumerable<(string Of, IDictionary<string, string> Labels)> Selectors(Manifest manifest) =>
        manifest.Objects.OfType<V1Service>().Select(each => ($"service {each.Name()}", each.Spec.Selector))
            .Concat(manifest.Objects.OfType<V1Deployment>()
                .Select(each => ($"deployment {each.Name()}", each.Spec.Selector.MatchLabels)))
            .Concat(manifest.Objects.OfType<V1PodDisruptionBudget>()
                .Select(each => ($"budget {each.Name()}", each.Spec.Selector.MatchLabels)))
            .Concat(manifest.Objects.OfType<V1NetworkPolicy>()
                .Select(each => ($"policy {each.Name()}", each.Spec.PodSelector.MatchLabels)));

    private static bool Matches(IDictionary<string, string> selector, IDictionary<string, string> labels) =>
        selector.All(each => labels.TryGetValue(each.Key, out var value) && value == each.Value);
}
