using System.Net;
using Chatterbox.Client.Connections;
using Chatterbox.Client.Streams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Messaging;
using Orleans.Streams;

namespace Chatterbox.Client;

public static class ChatterboxClientExtensions
{
    // Orleans reads the gateway list this often, and closes its connections to gateways that have left it: soon enough that an
    // unanswered call is not sent to the same silent gateway again. The list is cached; names are resolved less often.
    private static readonly TimeSpan GatewayListRefresh = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Adds a <see cref="ChatterboxClient"/> and the Orleans client under it. Starting the host waits until a silo answers.
    /// </summary>
    /// <exception cref="ArgumentException">An option is out of its range; the message names all that are.</exception>
    public static IHostApplicationBuilder AddChatterboxClient(this IHostApplicationBuilder host,
        Action<ChatterboxClientOptions>? configure = null)
    {
        var options = new ChatterboxClientOptions();
        configure?.Invoke(options);
        options.EnsureValid();
        if (options.Gateways.Count == 0) options.Gateways.Add(new IPEndPoint(IPAddress.Loopback, 30000));

        host.Services.TryAddSingleton(TimeProvider.System);
        host.Services.AddSingleton(options);
        host.Services.AddSingleton<SilentGateways>();
        host.Services.AddSingleton(services => new ChatterboxClient(services.GetRequiredService<IClusterClient>(), options,
            services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<ChatterboxClient>>())
        {
            SilentGateways = services.GetRequiredService<SilentGateways>(),
        });
        if (options.KeepConnecting) host.Services.AddSingleton<IClientConnectionRetryFilter, RetryFilter>();
        host.UseOrleansClient(client => client
            .ConfigureServices(services => services.AddSingleton<IGatewayListProvider, GatewayList>())
            .Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ServiceId))
            .Configure<GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = GatewayListRefresh)
            .AddChatterboxStreams()
            .AddCredential(options)
            .AddEncryption(options));
        return host;
    }

    /// <summary>Configures an Orleans client for a <see cref="ChatterboxClient"/>.</summary>
    public static IClientBuilder AddChatterboxStreams(this IClientBuilder client) => client
        .AddPersistentStreams(ChatterboxStreams.Provider, (_, name) => new ListeningAdapter(name),
            streams => streams.ConfigureStreamPubSub(StreamPubSubType.ExplicitGrainBasedOnly))
        .AddClusterConnectionStatusObserver<ConnectionObserver>();

    private static IClientBuilder AddCredential(this IClientBuilder client, ChatterboxClientOptions options) =>
        options.ServiceKey is null && options.UserToken is null ? client : client.AddOutgoingGrainCallFilter<CallCredential>();

    private static IClientBuilder AddEncryption(this IClientBuilder client, ChatterboxClientOptions options)
    {
        if (options.TlsServerName is not { } name) return client;
        var files = new CertificateFiles(options.TlsCertificate, options.TlsKey, options.TlsAuthority);
        return client.UseTls(tls => Encryption.Configure(tls, files, name, requiresCertificates: false));
    }

    private sealed class RetryFilter(ChatterboxClientOptions options, TimeProvider clock, IServiceProvider services)
        : IClientConnectionRetryFilter
    {
        public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
        {
            services.GetRequiredService<ChatterboxClient>().NotConnected = exception;
            await Task.Delay(options.MaxRetryDelay, clock, cancellationToken);
            return true;
        }
    }
}
