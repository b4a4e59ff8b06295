using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chatterbox.EndToEndTests;

/// <summary>A client as an app would build it, over the network.</summary>
internal sealed class ClientProcess : IAsyncDisposable
{
    private readonly IHost _host;

    private ClientProcess(IHost host) => _host = host;

    public ChatterboxClient Client => _host.Services.GetRequiredService<ChatterboxClient>();

    public static Task<ClientProcess> StartAsync(params IPEndPoint[] gateways) => StartAsync(_ => { }, gateways);

    public static async Task<ClientProcess> StartAsync(Action<ChatterboxClientOptions> configure, params IPEndPoint[] gateways)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.AddChatterboxClient(options =>
        {
            foreach (var gateway in gateways) options.Gateways.Add(gateway);
            options.Heartbeat = TimeSpan.FromSeconds(1);
            options.CloseTimeout = TimeSpan.FromSeconds(3);
            configure(options);
        });
        var host = builder.Build();
        await host.StartAsync();
        return new(host);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _host.StopAsync();
        _host.Dispose();
    }
}
