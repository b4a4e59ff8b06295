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

    private RunningStorage(IHost host)
    {
        this.host = host;
        Storage = host.Services.GetRequiredKeyedService<IGrainStorage>(ChatterboxStorage.Name);
        ((ILifecycleParticipant<ISiloLifecycle>)Storage).Participate(lifecycle);
    }

    public IGrainStorage Storage { get; }

    public static async Task<RunningStorage> StartAsync(DatabaseOptions options, string serviceId)
    {
        var host = new HostBuilder()
            .ConfigureLogging(logging => logging.ClearProviders())
            .UseOrleans(silo => silo.UseLocalhostClustering(serviceId: serviceId).AddChatterboxStorage(options))
            .Build();
        var running = new RunningStorage(host);
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
