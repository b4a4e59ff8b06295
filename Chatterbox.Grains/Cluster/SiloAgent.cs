using System.Reflection;
using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime.Services;
using Orleans.Services;

namespace Chatterbox.Grains.Cluster;

/// <summary>A silo's own part in <see cref="IClusterGrain"/>: there is one on each.</summary>
[Alias("chatterbox.ISiloAgent")]
internal interface ISiloAgent : IGrainService
{
    [Alias("Describe")]
    Task<SiloReport> DescribeAsync();

    /// <summary>Begins to stop the silo's process.</summary>
    [Alias("Drain")]
    Task DrainAsync();
}

/// <summary>Silos' agents by the silos' addresses.</summary>
internal sealed class SiloAgents(IServiceProvider services) : GrainServiceClient<ISiloAgent>(services)
{
    public ISiloAgent this[SiloAddress silo] => GetGrainService(silo);
}

/// <inheritdoc cref="ISiloAgent"/>
[Reentrant]
internal sealed partial class SiloAgent(
    GrainId id, Silo silo, ILoggerFactory loggers, TimeProvider clock, SessionTotals totals, IHostApplicationLifetime lifetime,
    IServiceProvider services)
    : GrainService(id, silo, loggers), ISiloAgent
{
    private static readonly string BuildVersion = typeof(SiloAgent).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    // Its base tells, in this type's name, of each change of a ring that nothing here uses: a host leaves that out.
    private readonly ILogger _logger = loggers.CreateLogger("Chatterbox.Grains.Cluster");
    private readonly DateTimeOffset _started = clock.GetUtcNow();

    public Task<SiloReport> DescribeAsync()
    {
        var storage = services.GetService<IStorageStatus>();
        return Task.FromResult(new SiloReport
        {
            Host = Environment.MachineName,
            Version = BuildVersion,
            Started = _started,
            Sessions = totals.Sessions,
            Clients = totals.Clients,
            Failing = totals.Failing,
            ReadOnly = totals.ReadOnly,
            PendingFrames = storage?.PendingFrames ?? 0,
            DegradedSince = storage?.DegradedSince,
            IsDraining = lifetime.ApplicationStopping.IsCancellationRequested,
        });
    }

    public Task DrainAsync()
    {
        LogDrain();
        // Not within this call: its answer is to get out before the silo stops to send.
        ThreadPool.UnsafeQueueUserWorkItem(static host => host.StopApplication(), lifetime, preferLocal: false);
        return Task.CompletedTask;
    }

    [LoggerMessage(LogLevel.Information, "An operator has asked this silo to drain: it hands its sessions over and stops")]
    private partial void LogDrain();
}
