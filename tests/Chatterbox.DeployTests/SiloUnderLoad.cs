using System.Diagnostics;
using System.Net;
using Chatterbox.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chatterbox.DeployTests;

/// <summary>
/// The real silo on SQLite in a temporary folder, with metrics, and a client that changes a session until it is disposed.
/// </summary>
internal sealed class SiloUnderLoad : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;
    private readonly CancellationTokenSource _end = new();
    private IHost? _host;
    private Task _load = Task.CompletedTask;

    private SiloUnderLoad(Process process, string folder, int metricsPort) =>
        (_process, _folder, MetricsPort) = (process, folder, metricsPort);

    public int MetricsPort { get; }

    public static async Task<SiloUnderLoad> StartAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("chatterbox-silo-").FullName;
        var (silo, gateway, web, metrics) = (Ports.Free(), Ports.Free(), Ports.Free(), Ports.Free());
        var start = new ProcessStartInfo("dotnet", [typeof(Silo.Storage.DatabaseSchema).Assembly.Location])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["Chatterbox__Silo__Port"] = $"{silo}",
            ["Chatterbox__Gateway__Port"] = $"{gateway}",
            ["Chatterbox__Telemetry__PrometheusPort"] = $"{metrics}",
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{web}",
            ["Chatterbox__Database__ConnectionString"] = $"Data Source={folder}/chatterbox.db",
            ["Chatterbox__Database__Fallback"] = $"{folder}/fallback.db",
        })
        {
            start.Environment[name] = value;
        }
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var running = new SiloUnderLoad(process, folder, metrics);
        await running.UntilReadyAsync(web, cancellationToken);
        await running.ChangeAsync(gateway, cancellationToken);
        return running;
    }

    public async Task<string> ReadMetricsAsync(CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        return await http.GetStringAsync($"http://localhost:{MetricsPort}/metrics", cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _load;
        if (_host is not null) await _host.StopAsync();
        _host?.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _end.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task UntilReadyAsync(int web, CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        while (true)
        {
            try
            {
                if ((await http.GetAsync($"http://127.0.0.1:{web}/health/ready", cancellationToken)).IsSuccessStatusCode) return;
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                // It is starting.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Returns once the first change is durable; changes go on.</summary>
    private async Task ChangeAsync(int gateway, CancellationToken cancellationToken)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.AddChatterboxClient(options => options.Gateways.Add(new IPEndPoint(IPAddress.Loopback, gateway)));
        _host = builder.Build();
        await _host.StartAsync(cancellationToken);
        var store = await _host.Services.GetRequiredService<ChatterboxClient>()
            .OpenAsync(new SessionId("operator"), cancellationToken: cancellationToken);
        await (await store.UpdateParametersAsync(parameters => parameters with { Temperature = 0.5 })).Durable
            .WaitAsync(cancellationToken);
        _load = Task.Run(async () =>
        {
            for (var at = 0; !_end.IsCancellationRequested; at++)
            {
                await store.UpdateParametersAsync(parameters => parameters with { Temperature = 0.5 + (at % 10 / 20.0) });
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
            }
            await store.DisposeAsync();
        }, CancellationToken.None);
    }
}
