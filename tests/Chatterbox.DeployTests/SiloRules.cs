using Chatterbox.Silo.Operations;
using Chatterbox.Silo.Settings;
using k8s.Models;
using Microsoft.Extensions.Configuration;
using Orleans.Configuration;
using GatewayOptions = Chatterbox.Silo.Settings.GatewayOptions;

namespace Chatterbox.DeployTests;

/// <summary>What the silos' own numbers and names ask of the manifests.</summary>
internal static class SiloRules
{
    private const string ServiceIdKey = "Chatterbox__Cluster__ServiceId";

    public static IReadOnlyList<Rule> All { get; } =
    [
        Rule.That("the silo port is the code's default", manifest => Port(manifest, "silo") == new SiloEndpointOptions().Port,
            manifest => PortOf(manifest, "silo").ContainerPort++),
        Rule.That("the gateway port is the code's default", manifest => Port(manifest, "gateway") == new GatewayOptions().Port,
            manifest => PortOf(manifest, "gateway").ContainerPort++),
        Rule.That("metrics are served on the metrics port, told to Prometheus, and monitoring may reach them",
            manifest => manifest.Settings["Chatterbox__Telemetry__PrometheusPort"] == $"{Port(manifest, "metrics")}"
                && manifest.Settings["Chatterbox__Telemetry__PrometheusHost"] == "*"
                && manifest.Silos.Spec.Template.Metadata.Annotations["prometheus.io/port"]
                    == $"{Port(manifest, "metrics")}"
                && manifest.One<V1NetworkPolicy>("chatterbox").Spec.Ingress.Any(rule =>
                    rule.FromProperty.Any(peer =>
                        peer.NamespaceSelector?.MatchLabels.ContainsKey("chatterbox.monitoring") == true)
                    && rule.Ports.Single().Port.Value == $"{Port(manifest, "metrics")}"),
            manifest => PortOf(manifest, "metrics").ContainerPort++),
        Rule.That("the web server listens on the http port",
            manifest => manifest.Settings["ASPNETCORE_URLS"] == $"http://+:{Port(manifest, "http")}",
            manifest => PortOf(manifest, "http").ContainerPort++),
        Rule.That("silos meet in the database",
            manifest => manifest.Settings["Chatterbox__Cluster__Mode"] == nameof(ClusteringMode.AdoNet),
            manifest => manifest.Settings["Chatterbox__Cluster__Mode"] = nameof(ClusteringMode.Localhost)),
        Rule.That("the service id is written down, since it is part of every row's key",
            manifest => manifest.Settings.ContainsKey(ServiceIdKey),
            manifest => manifest.Settings.Remove(ServiceIdKey)),
        Rule.That("every setting is one that the silo takes",
            manifest => Settings(manifest) is { Cluster.Mode: ClusteringMode.AdoNet },
            manifest => manifest.Settings["Chatterbox__Cluster__Vote"] = "2"),
        Rule.That("a silo tells the others its pod's address", manifest => AddressOf(manifest) == "status.podIP",
            manifest => manifest.Silo.Env.Single(each => each.Name == "Chatterbox__Silo__Address")
                .ValueFrom.FieldRef.FieldPath = "status.hostIP"),
        Rule.That("the fallback file is on a volume", manifest => manifest.Silo.VolumeMounts.Any(mount =>
                manifest.Settings["Chatterbox__Database__Fallback"].StartsWith(mount.MountPath + "/", StringComparison.Ordinal)),
            manifest => manifest.Settings["Chatterbox__Database__Fallback"] = "/var/fallback.db"),
        Rule.That("the grace holds preStop, the shutdown budget and a margin",
            manifest => manifest.Pod.TerminationGracePeriodSeconds == (long)ShutdownBudget.Grace.TotalSeconds,
            manifest => manifest.Pod.TerminationGracePeriodSeconds = 30),
        Rule.That("preStop takes as long as the budget says",
            manifest => manifest.Silo.Lifecycle.PreStop.Sleep?.Seconds == (long)ShutdownBudget.PreStop.TotalSeconds,
            manifest => manifest.Silo.Lifecycle.PreStop.Sleep.Seconds = 60),
        Rule.That("a silo may take as long to start as joining may take",
            manifest => Seconds(manifest.Silo.StartupProbe) > new ClusterMembershipOptions().MaxJoinAttemptTime.TotalSeconds,
            manifest => manifest.Silo.StartupProbe.FailureThreshold = 10),
        Rule.That("ready and live are different questions",
            manifest => manifest.Silo.ReadinessProbe.HttpGet.Path == "/health/ready"
                && manifest.Silo.LivenessProbe.HttpGet.Path == "/health/live"
                && manifest.Silo.StartupProbe.HttpGet.Path == "/health/live",
            manifest => manifest.Silo.LivenessProbe.HttpGet.Path = "/health/ready"),
        Rule.That("liveness is slower than failure detection", manifest => Seconds(manifest.Silo.LivenessProbe) >= 60,
            manifest => manifest.Silo.LivenessProbe.FailureThreshold = 1),
        Rule.That("a new silo is ready before an old one drains",
            manifest => manifest.Silos.Spec.Strategy.RollingUpdate is { } roll
                && roll is { MaxUnavailable.Value: "0", MaxSurge.Value: "1" },
            manifest => manifest.Silos.Spec.Strategy.RollingUpdate.MaxUnavailable = "1"),
        Rule.That("a roll waits until clients have found the new silo", manifest => manifest.Silos.Spec.MinReadySeconds >= 10,
            manifest => manifest.Silos.Spec.MinReadySeconds = 0),
        Rule.That("the autoscaler alone sets the number of silos",
            manifest => manifest.Silos.Spec.Replicas is null && manifest.Autoscaler.Spec.ScaleTargetRef.Name == "chatterbox",
            manifest => manifest.Silos.Spec.Replicas = 3),
        Rule.That("one silo leaves at a time, with its whole grace",
            manifest => manifest.Autoscaler.Spec.Behavior.ScaleDown.Policies.Single() is { Type: "Pods", Value: 1 } policy
                && policy.PeriodSeconds >= manifest.Pod.TerminationGracePeriodSeconds,
            manifest => manifest.Autoscaler.Spec.Behavior.ScaleDown.Policies[0].PeriodSeconds = 15),
        Rule.That("a node's drain takes one silo at a time and never waits for a broken one",
            manifest => manifest.Budget.Spec.MaxUnavailable.Value == "1"
                && manifest.Budget.Spec.UnhealthyPodEvictionPolicy == "AlwaysAllow",
            manifest => manifest.Budget.Spec.UnhealthyPodEvictionPolicy = "IfHealthyBudget"),
        Rule.That("the schema is migrated before the sessions are tried",
            manifest => manifest.Migration.Spec.Template.Spec is { } spec
                && spec.InitContainers.Single().Args.Single() == "--migrate-database"
                && spec.Containers.Single().Args.Single() == "--check-sessions",
            manifest => manifest.Migration.Spec.Template.Spec.Containers[0].Args[0] = "--migrate-database"),
        Rule.That("silos spread over nodes and zones",
            manifest => manifest.Pod.TopologySpreadConstraints.Select(each => each.TopologyKey)
                .Order(StringComparer.Ordinal).SequenceEqual(["kubernetes.io/hostname", "topology.kubernetes.io/zone"]),
            manifest => manifest.Pod.TopologySpreadConstraints.RemoveAt(0)),
        Rule.That("the gateway's name resolves to every silo's address",
            manifest => manifest.One<V1Service>("chatterbox-gateway").Spec is { ClusterIP: "None" } spec
                && spec.Ports.Single().Port == Port(manifest, "gateway"),
            manifest => manifest.One<V1Service>("chatterbox-gateway").Spec.ClusterIP = null),
    ];

    private static int Seconds(V1Probe probe) => (probe.PeriodSeconds ?? 10) * (probe.FailureThreshold ?? 3);

    private static V1ContainerPort PortOf(Manifest manifest, string name) =>
        manifest.Silo.Ports.Single(each => each.Name == name);

    private static int Port(Manifest manifest, string name) => PortOf(manifest, name).ContainerPort;

    private static string? AddressOf(Manifest manifest) =>
        manifest.Silo.Env.Single(each => each.Name == "Chatterbox__Silo__Address").ValueFrom?.FieldRef?.FieldPath;

    /// <summary>The settings as the silo reads them; null when it refuses them.</summary>
    private static SiloSettings? Settings(Manifest manifest)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(manifest.Settings
            .Append(new("Chatterbox__Silo__Address", "10.0.0.1"))
            .Append(new("Chatterbox__Database__ConnectionString", "Host=database;Database=chatterbox"))
            .Append(new("Chatterbox__Auth__ServiceKey", "a service key of the tests: 32 bytes or more"))
            .Select(each => KeyValuePair.Create(each.Key.Replace("__", ":", StringComparison.Ordinal), (string?)each.Value)))
            .Build();
        try
        {
            return SiloSettings.Read(configuration);
        }
        catch (SettingsException)
        {
            return null;
        }
    }
}
