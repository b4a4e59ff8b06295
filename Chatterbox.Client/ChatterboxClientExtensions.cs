using System.Net;
using Chatterbox.Client.Streams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Streams;

namespace Chatterbox.Client;

public static class ChatterboxClientExtensions
{
    private static readonly TimeSpan GatewayRefresh = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Adds a <see cref="ChatterboxClient"/> and the Orleans client under it. Starting the host waits until a silo answers.
    /// </summary>
    /// <exception cref="ArgumentException">An option is out of its range; the message names all that are.</exception>
    public static IHostApplicationBuilder AddChatterboxClient(this IHostApplicationBuilder host, Action<ChatterboxClientOptions>? configure = null)
    {
        var options = new ChatterboxClientOptions();
        configure?.Invoke(options);
        options.EnsureValid();
        if (options.Gateways.Count == 0) options.Gateways.Add(new IPEndPoint(IPAddress.Loopback, 30000));

        host.Services.TryAddSingleton(TimeProvider.System);
        host.Services.AddSingleton(options);
        host.Services.AddSingleton<ChatterboxClient>();
        host.UseOrleansClient(client => client
            .UseStaticClustering([.. options.Gateways])
            .Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ServiceId))
            .Configure<Orleans.Configuration.GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = GatewayRefresh)
            .AddChatterboxStreams());
        return host;
    }

    /// <summary>What an Orleans client needs for a <see cref="ChatterboxClient"/> on top of it.</summary>
    public static IClientBuilder AddChatterboxStreams(this IClientBuilder client) => client
        .AddPersistentStreams(ChatterboxStreams.Provider, (_, name) => new ListeningAdapter(name),
            streams => streams.ConfigureStreamPubSub(StreamPubSubType.ExplicitGrainBasedOnly))
        .AddGatewayCountChangedHandler((services, _) => ((IServiceProvider)services!).GetService<ChatterboxClient>()?.ConnectionChanged());
}
