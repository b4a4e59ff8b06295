using System.Net;
using Chatterbox.Client.Connections;
using Chatterbox.Grains;
using Chatterbox.Grains.Session;
using Chatterbox.Silo.Gateway;
using Chatterbox.Silo.Gateway.Access;
using Chatterbox.Silo.Operations;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Chatterbox.Silo.Web;
using Orleans.Configuration;
using Orleans.Dashboard;

namespace Chatterbox.Silo;

/// <summary>The silo, put together.</summary>
public static class ChatterboxHostExtensions
{
    // Gossip tells silos of a change at once; this is for the one that missed it. A query on a table of a few rows.
    private static readonly TimeSpan MembershipRefresh = TimeSpan.FromSeconds(10);

    // After all silos have died together, those that start wait for the dead to answer until their last sign of life is three of
    // these old. Orleans' own half minute would make that a minute and a half.
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(5);

    internal const string DefaultUrl = "http://127.0.0.1:5080";

    /// <summary>A silo with all its doors.</summary>
    public static void AddChatterbox(this WebApplicationBuilder builder, SiloSettings settings)
    {
        builder.Host.UseOrleans(silo => silo.UseChatterbox(settings));
        builder.Services.AddChatterboxHealth(settings.Database);
        builder.Services.AddSingleton(settings).AddChatterboxTelemetry(settings);
        builder.AddChatterboxGateway(settings);
    }

    /// <summary>What the silo answers on its web addresses.</summary>
    public static void MapChatterbox(this WebApplication app, SiloSettings settings)
    {
        app.MapChatterboxGateway(settings);
        app.MapChatterboxHealth();
        app.MapChatterboxPage(settings.Web);
    }

    /// <summary>Clustering, storage and grains.</summary>
    public static ISiloBuilder UseChatterbox(this ISiloBuilder silo, SiloSettings settings) => silo
        .UseSteadyActivationClock()
        .ConfigureLogging(logging => logging.AddSampler<NoFalseAlarms>()
            .AddFilter("Chatterbox.Grains.Cluster.SiloAgent", LogLevel.Warning))
        .Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownBudget.Host)
        .UseChatterboxClustering(settings)
        .AddChatterboxStorage(settings.Database)
        .AddChatterboxGrains(settings.Session)
        .AddStartupTask((services, _) =>
        {
            // One silo has the file to itself.
            services.GetRequiredService<StaleCopies>().IsShared = settings.Database.Provider is not DatabaseProvider.Sqlite;
            return Task.CompletedTask;
        })
        .UseChatterboxGuard(settings)
        .UseDashboard(settings.Web);

    /// <summary>HTTP stays on this machine unless someone says otherwise.</summary>
    public static void UseChatterboxUrls(this WebApplicationBuilder builder)
    {
        string[] waysToSayOtherwise =
        [
            WebHostDefaults.ServerUrlsKey, WebHostDefaults.HttpPortsKey, WebHostDefaults.HttpsPortsKey,
        ];
        if (waysToSayOtherwise.All(key => string.IsNullOrEmpty(builder.Configuration[key]))
            && !builder.Configuration.GetSection("Kestrel:Endpoints").Exists())
            builder.Configuration[WebHostDefaults.ServerUrlsKey] = DefaultUrl;
    }

    /// <summary>
    /// Lets new sessions load while the wall clock is set back: Orleans times the collection of idle activations by
    /// <see cref="ActivationClock"/>, and nothing else.
    /// </summary>
    public static ISiloBuilder UseSteadyActivationClock(this ISiloBuilder silo) => silo.ConfigureServices(services =>
        services.AddKeyedSingleton<TimeProvider>(TimeProviderNames.ActivationManagement,
            (provider, _) => new ActivationClock(provider.GetRequiredService<TimeProvider>())));

    // Not where nothing is configured: then everybody on this machine may do everything.
    private static ISiloBuilder UseChatterboxGuard(this ISiloBuilder silo, SiloSettings settings)
    {
        if (!settings.Auth.IsConfigured) return silo;
        silo.Services.AddSingleton(new SiloCredential(settings.Auth, settings.Cluster));
        silo.Services.AddSingleton(settings.Gateway).AddSingleton<CallsInProgress>();
        return silo.AddIncomingGrainCallFilter<GrainCallGuard>().AddOutgoingGrainCallFilter<SiloCallStamp>();
    }

    // Its log stream would show user ids.
    private static ISiloBuilder UseDashboard(this ISiloBuilder silo, WebOptions web) =>
        web.Dashboard ? silo.AddDashboard(dashboard => dashboard.HideTrace = true) : silo;

    private static ISiloBuilder UseChatterboxClustering(this ISiloBuilder silo, SiloSettings settings)
    {
        var (cluster, endpoint, gateway) = (settings.Cluster, settings.Silo, settings.Gateway);
        silo.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId))
            .ConfigureEndpoints(endpoint.Advertised, endpoint.Port, gateway.Port,
                listenOnAnyHostAddress: !IPAddress.IsLoopback(endpoint.Advertised));
        if (settings.Tls is { IsConfigured: true } tls)
            silo.UseTls(options => Encryption.Configure(options, tls.Files, tls.ServerName, tls.ClientCertificates));
        // One silo is a cluster by itself; with another address than loopback, clients on other machines reach it.
        if (cluster.Mode is ClusteringMode.Localhost)
            return silo.UseDevelopmentClustering(new IPEndPoint(endpoint.Advertised, endpoint.Port));
        return silo
            .Configure<ClusterMembershipOptions>(membership =>
            {
                membership.ProbeTimeout = cluster.ProbeTimeout;
                membership.MaxProbeTimeout = 2 * cluster.ProbeTimeout;
                membership.NumMissedProbesLimit = cluster.MissedProbes;
                membership.NumVotesForDeathDeclaration = cluster.Votes;
                membership.TableRefreshTimeout = MembershipRefresh;
                membership.IAmAliveTablePublishTimeout = SignOfLife;
            })
            .UseAdoNetClustering(options =>
            {
                options.Invariant = DatabaseDialect.Of(settings.Database.Provider).Invariant;
                options.ConnectionString = settings.Database.ConnectionString;
            });
    }
}
