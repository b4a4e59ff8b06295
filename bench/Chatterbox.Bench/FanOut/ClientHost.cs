using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Bench.FanOut;

/// <summary>A client with its own connection to the silo's gateway.</summary>
internal sealed class ClientHost(IHost host) : IAsyncDisposable
{
    public ChatterboxClient Client { get; } = host.Services.GetRequiredService<ChatterboxClient>();

    public IClusterClient Cluster => host.Services.GetRequiredService<IClusterClient>();

    public static async Task<ClientHost> StartAsync(IPEndPoint gateway, string? serviceKey = null)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.AddChatterboxClient(options =>
        {
            options.Gateways.Add(gateway);
            options.ServiceKey = serviceKey;
        });
        var host = builder.Build();
        await host.StartAsync();
        return new(host);
    }

    /// <summary>Opens one store per user, a few hundred at a time.</summary>
    public async Task<ChatterboxStore[]> OpenAsync(int users, int first = 0)
    {
        var stores = new List<ChatterboxStore>(users);
        foreach (var some in Enumerable.Range(first, users).Chunk(256))
        {
            stores.AddRange(await Task.WhenAll(some.Select(user => Client.OpenAsync(new SessionId($"user{user}")))));
        }
        return [.. stores];
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await host.StopAsync();
        host.Dispose();
    }
}
