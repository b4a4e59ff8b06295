using Chatterbox.Grains;
using Chatterbox.Silo.Settings;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Chatterbox.Silo.Operations;

/// <summary>Metrics, traces and logs by OpenTelemetry. Costs nothing where neither OTLP nor Prometheus is asked for.</summary>
internal static class Telemetry
{
    private static readonly string[] Meters = [ChatterboxInstruments.MeterName, "Microsoft.Orleans", "Npgsql", "System.Runtime"];

    private static readonly string[] Sources =
        [ChatterboxInstruments.MeterName, "Microsoft.Orleans.Application", "Microsoft.Orleans.Lifecycle", "Npgsql"];

    public static IServiceCollection AddChatterboxTelemetry(this IServiceCollection services, SiloSettings settings)
    {
        services.AddHostedService<ClusterWatch>();
        services.AddSingleton<StorageWatch>().AddHostedService(provider => provider.GetRequiredService<StorageWatch>());
        var telemetry = settings.Telemetry;
        if (!telemetry.SendsOtlp && !telemetry.ServesPrometheus)
            return services;

        var builder = services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService(
            "chatterbox-silo", serviceNamespace: settings.Cluster.ServiceId, Build.Version,
            serviceInstanceId: $"{settings.Silo.Advertised}:{settings.Silo.Port}"));
        builder.WithMetrics(metrics =>
        {
            metrics.AddMeter(Meters);
            if (telemetry.ServesPrometheus)
                metrics.AddPrometheusHttpListener(listener =>
                    (listener.Host, listener.Port) = (telemetry.PrometheusHost, telemetry.PrometheusPort));
            if (telemetry.SendsOtlp)
                metrics.AddOtlpExporter(exporter => exporter.Endpoint = Endpoint(telemetry, exporter.Endpoint));
        });
        if (telemetry.SendsOtlp)
        {
            builder.WithTracing(tracing => tracing.AddSource(Sources).AddOtlpExporter(
                exporter => exporter.Endpoint = Endpoint(telemetry, exporter.Endpoint)));
            builder.WithLogging(logging =>
                logging.AddOtlpExporter(exporter => exporter.Endpoint = Endpoint(telemetry, exporter.Endpoint)));
        }
        return services;
    }

    private static Uri Endpoint(TelemetryOptions telemetry, Uri standard) =>
        telemetry.Otlp.Length > 0 ? new(telemetry.Otlp) : standard;
}
