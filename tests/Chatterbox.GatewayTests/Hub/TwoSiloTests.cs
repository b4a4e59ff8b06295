using Chatterbox.ClusterTests.Storage;

namespace Chatterbox.GatewayTests.Hub;

public sealed class TwoSiloTests
{
    private const int Users = 16;

    [NeedsPostgresFact(DisplayName =
        "[X4] silos with keys form a cluster; pages of both hear of a session that either of them holds")]
    public async Task Pages_of_two_silos()
    {
        var server = await PostgresServer.SharedAsync();
        var database = server.ConnectionString(await server.CreateEmptyDatabaseAsync());
        (string, string?)[] settings =
        [
            ("Database:Provider", "PostgreSql"), ("Database:ConnectionString", database), ("Cluster:Mode", "AdoNet"),
            ("Cluster:ClusterId", "two-silos"),
        ];
        await using var first = await GatewayHost.StartAsync(settings);
        await using var second = await GatewayHost.StartAsync(settings);
        for (var number = 0; number < Users; number++)
        {
            var (one, two) = (await first.OpenAsync($"user{number}"), await second.OpenAsync($"user{number}"));
            var epoch = (await one.AttachAsync("one")).State.Epoch;
            await two.AttachAsync("two");
            await one.ApplyAsync("one", epoch, 0, new SetStreaming(true));
            Assert.Single((await two.EventAsync<ChangesApplied>()).Changes);
            await two.ApplyAsync("two", epoch, 0, new SelectEngine(TtsEngine.Turbo));
            await one.EventAsync<ChangesApplied>(what => what.Changes.Any(change => change.Client == "two"));
        }
        // Or it says nothing of two silos.
        var hosts = await first.Grains.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics();
        var holders = hosts.Where(each => each.GrainType.Contains("UserSession", StringComparison.Ordinal)
            || each.GrainType.Contains("chatterbox.session", StringComparison.Ordinal))
            .Select(each => each.SiloAddress).Distinct();
        Assert.Equal(2, holders.Count());
        Assert.DoesNotContain("denied", first.Log + second.Log, StringComparison.Ordinal);
    }

    /// <summary>Skipped, with the reason, where PostgreSQL is not installed.</summary>
    private sealed class NeedsPostgresFactAttribute : FactAttribute
    {
        public NeedsPostgresFactAttribute() => Skip = PostgresServer.Missing;
    }
}
