using Chatterbox.Grains;
using Chatterbox.Silo.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Storage;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>The grain storage as a silo would have it, started and stopped by the lifecycle, without the silo.</summary>
public sealed class RunningStorage : IAsyncDisposable
{
    private readonly IHost host;
    private readonly Lifecycle lifecycle = new();

    private RunningStorage(IHost host, string[] names)
    {
        this.host = host;
        foreach (var name in names)
            ((ILifecycleParticipant<ISiloLifecycle>)this[name]).Participate(lifecycle);
    }

    public IGrainStorage Storage => this[ChatterboxStorage.Name];

    public IGrainStorage this[string name] => host.Services.GetRequiredKeyedService<IGrainStorage>(name);

    public static Task<RunningStorage> StartAsync(DatabaseOptions options, string serviceId) =>
        StartAsync(serviceId, silo => silo.AddChatterboxStorage(options), ChatterboxStorage.Name);

    public static async Task<RunningStorage> StartAsync(string serviceId, Action<ISiloBuilder> configure, params string[] names)
    {
        var host = new HostBuilder()
            .ConfigureLogging(logging => logging.ClearProviders())
            .UseOrleans(silo => configure(silo.UseLocalhostClustering(serviceId: serviceId)))
            .Build();
        var running = new RunningStorage(host, names);
        await running.lifecycle.OnStart();
        return running;
    }

    public Task StopAsync() => lifecycle.OnStop();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        host.Dispose();
    }

    private sealed class Lifecycle() : LifecycleSubject(NullLogger.Instance), ISiloLifecycle
    {
        public int HighestCompletedStage => int.MaxValue;

        public int LowestStoppedStage => int.MaxValue;
    }
}
