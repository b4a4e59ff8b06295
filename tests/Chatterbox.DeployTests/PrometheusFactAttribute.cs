namespace Chatterbox.DeployTests;

/// <summary>A fact that needs Prometheus; skipped, with the reason, where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PrometheusFactAttribute : FactAttribute
{
    public PrometheusFactAttribute() => Skip = Prometheus.Missing;
}
