using Orleans.Concurrency;

namespace Chatterbox.Grains.Cluster;

/// <summary>Asks each silo's <see cref="SiloAgent"/>.</summary>
[Reentrant, GrainType("chatterbox.cluster")]
internal sealed class ClusterGrain(IClusterMembershipService membership, SiloAgents agents) : Grain, IClusterGrain
{
    /// <summary>A silo that does not answer is hung, or just gone: the others are shown all the same.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task<ValueList<SiloStatusReport>> GetStatusAsync() => (await Task.WhenAll(Members.Select(async member =>
        new SiloStatusReport
        {
            Silo = NameOf(member),
            Status = member.Status.ToString().ToLowerInvariant(),
            Report = await DescribeAsync(member),
        }))).ToValueList();

    public async Task<Rejection?> DrainAsync(string silo)
    {
        var reports = await GetStatusAsync();
        var found = reports.Where(each => each.Silo == silo).ToArray();
        if (found.Length == 0) found = [.. reports.Where(each => each.Report?.Host == silo)];
        var known = string.Join(", ", reports.Select(each => each.Silo));
        if (found is not [var one]) return Rejection.OfText("silo", silo, $"one of {known}");
        var active = Members.Where(member => member.Status is SiloStatus.Active).ToArray();
        if (active.FirstOrDefault(member => NameOf(member) == one.Silo) is not { } target)
            return new("silo", $"{one.Status}", "active");
        if (active.Length == 1) return new("silo", "the only one that is active", "one of several: stop its process instead");
        await agents[target.SiloAddress].DrainAsync();
        return null;
    }

    private IEnumerable<ClusterMember> Members => membership.CurrentSnapshot.Members.Values
        .Where(member => member.Status is not (SiloStatus.None or SiloStatus.Created or SiloStatus.Dead))
        .OrderBy(NameOf, StringComparer.Ordinal);

    private static string NameOf(ClusterMember member) => $"{member.SiloAddress.Endpoint}";

    private async Task<SiloReport?> DescribeAsync(ClusterMember member)
    {
        try
        {
            return await agents[member.SiloAddress].DescribeAsync().WaitAsync(Patience);
        }
        catch (Exception silent) when (silent is TimeoutException or OrleansException)
        {
            return null;
        }
    }
}
