using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Chaos.Clients;

/// <summary>A client of the cluster as an app would build it.</summary>
internal sealed class Connection : IAsyncDisposable
{
    /// <summary>The silos listen beyond loopback, so that every call has to say who makes it.</summary>
    public const string ServiceKey = "a service key of the runs: 32 bytes or more";

    private readonly IHost _host;

    private Connection(IHost host) => _host = host;

    public ChatterboxClient Client => _host.Services.GetRequiredService<ChatterboxClient>();

    /// <summary>Does not wait for a silo.</summary>
    public static Connection Open(IEnumerable<IPEndPoint> gateways, Action<ChatterboxClientOptions>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.AddChatterboxClient(options =>
        {
            foreach (var gateway in gateways) options.Gateways.Add(gateway);
            options.KeepConnecting = true;
            options.ServiceKey = ServiceKey;
            options.Heartbeat = TimeSpan.FromSeconds(1);
            configure?.Invoke(options);
        });
        var host = builder.Build();
        _ = host.StartAsync();
        return new(host);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        try
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await _host.StopAsync(deadline.Token);
        }
        catch (Exception notConnected) when (notConnected is OperationCanceledException or InvalidOperationException)
        {
            // It never was, so there is nothing to stop.
        }
        _host.Dispose();
    }
}
