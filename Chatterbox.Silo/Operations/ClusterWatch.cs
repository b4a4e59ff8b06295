using System.Diagnostics.Metrics;

namespace Chatterbox.Silo.Operations;

/// <summary>Exports how the cluster looks from this silo. Orleans itself has no metric that says so.</summary>
internal sealed class ClusterWatch : BackgroundService
{
    private static readonly SiloStatus[] Told =
        [SiloStatus.Active, SiloStatus.Joining, SiloStatus.ShuttingDown, SiloStatus.Stopping, SiloStatus.Dead];

    private readonly IClusterMembershipService _membership;

    public ClusterWatch(IClusterMembershipService membership)
    {
        _membership = membership;
        SiloInstruments.Meter.CreateObservableGauge("chatterbox.cluster.silos", Count, "{silo}",
            "Silos by status, as this one knows them.");
    }

    /// <summary>Silos that were declared dead between two views of the cluster without having said that they stop.</summary>
    public static int EvictedBetween(ClusterMembershipSnapshot before, ClusterMembershipSnapshot now) =>
        now.Members.Values.Count(member =>
        member.Status is SiloStatus.Dead && before.GetSiloStatus(member.SiloAddress) is SiloStatus.Active or SiloStatus.Joining);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Exported from the start, as every instrument; not in the constructor, which runs before the exporters listen.
        SiloInstruments.Evictions.Add(0);
        var before = _membership.CurrentSnapshot;
        await foreach (var now in _membership.MembershipUpdates.WithCancellation(stoppingToken))
        {
            if (EvictedBetween(before, now) is > 0 and var evicted)
                SiloInstruments.Evictions.Add(evicted);
            before = now;
        }
    }

    private IEnumerable<Measurement<int>> Count()
    {
        var members = _membership.CurrentSnapshot.Members.Values;
        return Told.Select(status => new Measurement<int>(members.Count(member => member.Status == status),
            new KeyValuePair<string, object?>("status", status.ToString().ToLowerInvariant())));
    }
}
