using System.ComponentModel.DataAnnotations;

namespace Chatterbox.Silo.Settings;

/// <summary><c>Chatterbox__Telemetry__…</c>: metrics, traces and logs for a monitoring system.</summary>
public sealed class TelemetryOptions
{
    /// <summary>
    /// Where metrics, traces and logs are sent by OTLP, such as <c>http://collector:4317</c>. Default empty: nothing is sent,
    /// unless
    /// OpenTelemetry's own <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set.
    /// </summary>
    public string Otlp { get; set; } = "";

    /// <summary>
    /// The port on which Prometheus reads <c>/metrics</c>, apart from the silo's web server, so that it answers while the silo
    /// drains.
    /// Default 0: none; 0 to 65,535.
    /// </summary>
    [Range(0, 65535)]
    public int PrometheusPort { get; set; }

    /// <summary>
    /// The host name that Prometheus uses; <c>*</c> is any. Default <c>localhost</c>, and then only this machine can read it.
    /// </summary>
    [StringLength(255, MinimumLength = 1)]
    public string PrometheusHost { get; set; } = "localhost";

    internal bool SendsOtlp => Otlp.Length > 0
        || Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 };

    internal bool ServesPrometheus => PrometheusPort > 0;

    /// <exception cref="SettingsException"/>
    internal void Resolve()
    {
        if (Otlp.Length > 0 && !(Uri.TryCreate(Otlp, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"))
            throw SettingsException.For("Chatterbox:Telemetry:Otlp", Otlp, "an address such as http://collector:4317");
    }
}
