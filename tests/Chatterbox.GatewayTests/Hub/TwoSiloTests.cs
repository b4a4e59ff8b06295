using Chatterbox.ClusterTests.Storage;

namespace Chatterbox.GatewayTests.Hub;

public sealed class TwoSiloTests
{
    private const int Users = 16;

    [NeedsPostgresFact(DisplayName =
        "[X4] silos with keys form a cluster; a page hears of a session that the other silo holds")]
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
        // Each session is held by one of them, and has a page on the other.
        Assert.Equal(2, (await first.Grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true)).Count);
        Assert.DoesNotContain("denied", first.Log + second.Log, StringComparison.Ordinal);
    }

    /// <summary>Skipped, with the reason, where PostgreSQL is not installed.</summary>
    private sealed class NeedsPostgresFactAttribute : FactAttribute
    {
        public NeedsPostgresFactAttribute() => Skip = PostgresServer.Missing;
    }
}
