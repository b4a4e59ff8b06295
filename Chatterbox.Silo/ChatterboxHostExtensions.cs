using System.Net;
using Chatterbox.Grains;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Orleans.Configuration;

namespace Chatterbox.Silo;

/// <summary>The silo, put together.</summary>
public static class ChatterboxHostExtensions
{
    /// <summary>Clustering, storage and grains.</summary>
    public static ISiloBuilder UseChatterbox(this ISiloBuilder silo, SiloSettings settings) => silo
        .UseChatterboxClustering(settings)
        .AddChatterboxStorage(settings.Database)
        .AddChatterboxGrains(settings.Session);

    /// <summary>HTTP stays on this machine unless someone says otherwise.</summary>
    public static void UseChatterboxUrls(this WebApplicationBuilder builder)
    {
        string[] waysToSayOtherwise = [WebHostDefaults.ServerUrlsKey, WebHostDefaults.HttpPortsKey, WebHostDefaults.HttpsPortsKey];
        if (waysToSayOtherwise.All(key => string.IsNullOrEmpty(builder.Configuration[key]))
            && !builder.Configuration.GetSection("Kestrel:Endpoints").Exists())
            builder.Configuration[WebHostDefaults.ServerUrlsKey] = "http://127.0.0.1:5080";
    }

    private static ISiloBuilder UseChatterboxClustering(this ISiloBuilder silo, SiloSettings settings)
    {
        var (cluster, endpoint, gateway) = (settings.Cluster, settings.Silo, settings.Gateway);
        if (cluster.Mode is ClusteringMode.Localhost)
            return silo.UseLocalhostClustering(
                endpoint.Port, gateway.Port, primarySiloEndpoint: null, cluster.ServiceId, cluster.ClusterId);
        return silo
            .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId))
            .ConfigureEndpoints(endpoint.Advertised, endpoint.Port, gateway.Port,
                listenOnAnyHostAddress: !IPAddress.IsLoopback(endpoint.Advertised))
            .UseAdoNetClustering(options =>
            {
                options.Invariant = DatabaseDialect.Of(settings.Database.Provider).Invariant;
                options.ConnectionString = settings.Database.ConnectionString;
            });
    }
}
