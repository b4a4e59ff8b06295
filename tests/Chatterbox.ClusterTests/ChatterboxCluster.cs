using System.Collections.Concurrent;
using Chatterbox.ClusterTests.Storage;
using Chatterbox.Grains;
using Chatterbox.Silo.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.TestingHost;

namespace Chatterbox.ClusterTests;

/// <summary>Silos in this process over a database of their own, with client processes on top.</summary>
public sealed class ChatterboxCluster : IAsyncDisposable
{
    private readonly ConcurrentBag<ChatterboxClient> _clients = [];
    private TestDatabase? _database;
    private InProcessTestCluster? _cluster;

    /// <summary>Every row written to and read from the database passes here; faults are put in here.</summary>
    public StorageProbe Probe { get; } = new();

    public ChatterboxOptions Options { get; init; } = new()
    {
        WriteDelay = TimeSpan.FromMilliseconds(20),
        MaxWriteDelay = TimeSpan.FromMilliseconds(200),
        RetryDelay = TimeSpan.FromMilliseconds(10),
        MaxRetryDelay = TimeSpan.FromMilliseconds(100),
    };

    public short Silos { get; init; } = 1;

    public Action<ISiloBuilder>? ConfigureSilo { get; init; }

    public InProcessTestCluster Cluster => _cluster ?? throw new InvalidOperationException("The cluster has not been started.");

    public DatabaseOptions Database =>
        _database?.Options(StorageWriter.GroupCommit) ?? throw new InvalidOperationException("The cluster has not been started.");

    public static async Task<ChatterboxCluster> StartAsync(ChatterboxCluster? cluster = null,
        DatabaseProvider provider = DatabaseProvider.Sqlite)
    {
        cluster ??= new ChatterboxCluster();
        cluster._database = await TestDatabase.CreateAsync(provider);
        await cluster.StartSilosAsync();
        return cluster;
    }

    /// <summary>A client process of its own, with its own stream.</summary>
    public ChatterboxClient NewClient(Action<ChatterboxClientOptions>? configure = null)
    {
        var options = new ChatterboxClientOptions
        {
            Heartbeat = TimeSpan.FromSeconds(1),
            CallTimeout = TimeSpan.FromSeconds(3),
            MaxRetryDelay = TimeSpan.FromMilliseconds(200),
            Device = $"device-{_clients.Count + 1}",
        };
        configure?.Invoke(options);
        var client = new ChatterboxClient(Cluster.Client, options, TimeProvider.System,
            Cluster.Client.ServiceProvider.GetRequiredService<ILogger<ChatterboxClient>>());
        _clients.Add(client);
        return client;
    }

    public async Task<ChatterboxStore> OpenAsync(string user, ChatterboxClient? client = null)
    {
        var store = (client ?? NewClient()).Open(new SessionId(user));
        await Task.WhenAny(store.Hydrated, Task.Delay(Patience, TimeProvider.System));
        Assert.True(store.HasHydrated, $"The store did not hydrate: {store.Persistence.Unreachable}");
        return store;
    }

    public IUserSessionGrain Session(string user) => Cluster.Client.GetGrain<IUserSessionGrain>(new SessionId(user).Key);

    public GrainId IdOf(string user) => ((GrainReference)Session(user)).GrainId;

    /// <summary>Ends the session's activation the clean way: it saves itself.</summary>
    public Task DeactivateAsync(string user) => Cluster.DeactivateAsync(IdOf(user)).WaitAsync(Patience);

    /// <summary>Stops all silos without giving them time to save, and starts others over the same database.</summary>
    public async Task CrashAsync()
    {
        foreach (var silo in Cluster.Silos.ToArray()) await Cluster.KillSiloAsync(silo);
        await Cluster.StartAdditionalSiloAsync();
    }

    /// <summary>Longer than anything here takes on a busy machine; what does not come in this time does not come.</summary>
    public static TimeSpan Patience => TimeSpan.FromSeconds(30);

    public async ValueTask DisposeAsync()
    {
        Probe.Heal();
        foreach (var client in _clients) await client.DisposeAsync();
        if (_cluster is not null) await _cluster.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
    }

    private async Task StartSilosAsync()
    {
        var builder = new InProcessTestClusterBuilder(Silos);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddChatterboxStorage(Database).AddChatterboxGrains(Options);
            ConfigureSilo?.Invoke(silo);
            Probe.Wrap(silo.Services);
        });
        builder.ConfigureSiloHost((_, host) => host.Logging.SetMinimumLevel(LogLevel.Warning));
        builder.ConfigureClient(client => client.AddChatterboxStreams());
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }
}
