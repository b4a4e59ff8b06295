using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Chatterbox.DeployTests;

/// <summary>
/// Debian's Prometheus, reading one silo every second, with the project's own rules. Data in a temporary folder.
/// </summary>
internal sealed class Prometheus : IAsyncDisposable
{
    private readonly HttpClient _http;
    private readonly Process _process;
    private readonly string _folder;

    private Prometheus(Process process, string folder, int port) =>
        (_process, _folder, _http) = (process, folder, new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}") });

    /// <summary>Why it cannot be started here; null if it can.</summary>
    public static string? Missing { get; } =
        File.Exists("/usr/bin/prometheus") ? null : "Prometheus is not installed: apt-get install prometheus";

    public static async Task<Prometheus> StartAsync(int siloPort)
    {
        var folder = Directory.CreateTempSubdirectory("chatterbox-prometheus-").FullName;
        File.Copy(Path.Combine(Repository.Root, "deploy", "prometheus", "chatterbox.rules.yml"),
            Path.Combine(folder, "chatterbox.rules.yml"));
        await File.WriteAllTextAsync(Path.Combine(folder, "prometheus.yml"), $$"""
            global: { scrape_interval: 1s, evaluation_interval: 1s }
            rule_files: [chatterbox.rules.yml]
            scrape_configs:
              - job_name: chatterbox
                static_configs: [{ targets: ["localhost:{{siloPort}}"] }]
            """);
        var port = Ports.Free();
        var process = Process.Start(new ProcessStartInfo("/usr/bin/prometheus",
            [$"--config.file={folder}/prometheus.yml", $"--storage.tsdb.path={folder}/data",
                $"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
        {
            RedirectStandardError = true,
        })!;
        return new(process, folder, port);
    }

    /// <summary>The result of an expression: a sample for each series.</summary>
    public async Task<IReadOnlyList<double>> QueryAsync(string expression)
    {
        var reply = await _http.GetFromJsonAsync<JsonNode>($"/api/v1/query?query={Uri.EscapeDataString(expression)}");
        return [.. reply!["data"]!["result"]!.AsArray()
            .Select(sample => double.Parse((string)sample!["value"]![1]!, CultureInfo.InvariantCulture))];
    }

    /// <summary>Names of alerts as Prometheus has loaded them.</summary>
    public async Task<IReadOnlyList<string>> AlertsAsync()
    {
        var reply = await _http.GetFromJsonAsync<JsonNode>("/api/v1/rules?type=alert");
        return [.. reply!["data"]!["groups"]!.AsArray().SelectMany(group => group!["rules"]!.AsArray())
            .Select(rule => (string)rule!["name"]!)];
    }

    /// <summary>Waits until an expression has a result.</summary>
    public async Task UntilAsync(string expression, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (await QueryAsync(expression) is { Count: > 0 }) return;
            }
            catch (HttpRequestException)
            {
                // It is starting.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
