using Chatterbox.ClusterTests.Storage;
using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Chatterbox.ClusterTests.Sessions;

public abstract class CheckTests(DatabaseProvider database) : SessionSuite(database)
{
    [ContractFact(DisplayName =
        "[M1] [M2] [M3] a check says what loading every stored session would come to, from a silo or "
        + "without one, and changes no row")]
    public async Task What_would_become_of_them()
    {
        await using var cluster = await StartAsync(new()
        {
            ConfigureSilo = silo => silo.AddChatterboxStore(PersistConfig.Minimal with { Name = "extra" }),
        });
        string[] users = ["good", "old", "damaged", "newer", "cleared", "12345678901234567890123456789012+guid", "7+number"];
        foreach (var user in users) await WriteAsync(cluster, user);
        await using (var extra = cluster.NewClient().Open(new SessionId("good", "extra")))
        {
            await extra.SetStreamingAsync(true).DurablyAsync();
        }
        await cluster.Session("cleared").ClearPersistedStateAsync();
        await cluster.DeactivateAsync("cleared");
        Assert.Equal((8, true), await CountAsync(cluster));

        await OverwriteAsync(cluster, "old", "preferences",
            SliceFrame.Encode("""{"version":0,"revision":7,"state":{"useStreaming":true}}"""u8, 0, 1024));
        await OverwriteAsync(cluster, "damaged", "chunks", [1, 2, 3]);
        await OverwriteAsync(cluster, "damaged", "preferences",
            SliceFrame.Encode("""{"version":0,"revision":7,"state":{"parameters":7}}"""u8, 0, 1024));
        await OverwriteAsync(cluster, "newer", "chunks",
            SliceFrame.Encode("""{"version":9,"revision":7,"state":{}}"""u8, 9, 1024));
        var rows = await StoredRows.DumpAsync(cluster.Database);
        var loaded = LoadedSessions(cluster);

        var check = await CheckAsync(cluster);

        Assert.Equal(rows, await StoredRows.DumpAsync(cluster.Database));
        Assert.Equal(loaded, LoadedSessions(cluster));
        Assert.Equal(1, check.SchemaVersion);
        Assert.Equal(8, check.Sessions);
        Assert.False(check.AllWouldLoad);
        Assert.Equal(check.Rows, check.Versions.Sum(version => version.Rows));
        Assert.Equal(
        [
            (CheckOutcome.Migrate, "from version 0 to 1", 1, 1),
            (CheckOutcome.Unreadable, "its content is not that of the slice", 1, 1),
            (CheckOutcome.Unreadable, "its frame is damaged", 1, 1),
            (CheckOutcome.Newer, "stored with version 9", 1, 1),
        ], check.Findings.Select(each => (each.Outcome, each.Reason, each.Sessions, each.Rows)).Order());
        Assert.Contains(check.Findings, each => each.Example.StartsWith("damaged/app-state, chunks:", StringComparison.Ordinal));
        Assert.Equal([(null, 3L), (0, 2L), (1, 9L), (9, 1L)], check.Versions.Select(each => (each.Version, each.Rows)));

        // A build that does not know the store, and needs no cluster.
        var (output, progress) = (new StringWriter(), new StringWriter());
        var code = await SessionChecking.RunAsync(Settings(cluster), json: false, output, progress, CancellationToken.None);
        Assert.Equal(4, code);
        foreach (var line in check.Describe()
            .Where(line =>
                line.StartsWith("would be migrated", StringComparison.Ordinal)
                || line.StartsWith("  of version", StringComparison.Ordinal)))
        {
            Assert.Contains(line, output.ToString(), StringComparison.Ordinal);
        }
        Assert.Contains("its store is not registered", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(rows, await StoredRows.DumpAsync(cluster.Database));

        // As it says, so it is.
        Assert.Single((await cluster.OpenAsync("damaged")).Notices,
            notice => notice.Contains("chunks could not be read", StringComparison.Ordinal));
        Assert.NotNull((await cluster.OpenAsync("newer")).ReadOnly);
        Assert.True((await cluster.OpenAsync("old")).State.Preferences.UseStreaming);
    }

    [ContractFact(DisplayName = "[M1] pages of any size have every session once and whole")]
    public async Task Pages()
    {
        await using var cluster = await StartAsync();
        for (var number = 0; number < 12; number++) await WriteAsync(cluster, $"user{number}");
        foreach (var size in (int[])[1, 2, 5, 1000])
        {
            var stored = new DatabaseRows(cluster.Database, ServiceId(cluster));
            var seen = new List<NamedRow>();
            var progress = 0.0;
            int? after = null;
            var pages = 0;
            do
            {
                var page = await stored.ReadAsync(["preferences", "chunks"], after, size, CancellationToken.None);
                Assert.Empty(page.Rows.Select(row => row.Key).Distinct().Intersect(seen.Select(row => row.Key)));
                seen.AddRange(page.Rows);
                Assert.InRange(page.Progress, progress, 1);
                (after, progress) = (page.Next, page.Progress);
                pages++;
            }
            while (after is not null);
            Assert.Equal(24, seen.Select(row => (row.Key, row.Name)).Distinct().Count());
            Assert.Equal(12, seen.Select(row => row.Key).Distinct().Count());
            Assert.Equal(1, progress);
            Assert.True(pages >= 24 / (size + 2));
        }
    }

    private static async Task WriteAsync(ChatterboxCluster cluster, string user)
    {
        await using (var store = await cluster.OpenAsync(user))
        {
            await store.SetStreamingAsync(true);
            await store.UpsertChunkAsync(TestData.Chunk("c1")).DurablyAsync();
        }
        await cluster.DeactivateAsync(user);
    }

    private static Task OverwriteAsync(ChatterboxCluster cluster, string user, string row, byte[] bytes) =>
        StoredRows.OverwriteAsync(cluster.Database, row, bytes, new SessionId(user).Key);

    private static async Task<SessionCheck> CheckAsync(ChatterboxCluster cluster)
    {
        var sum = new SessionCheck();
        for (int? after = null; ;)
        {
            var page = await cluster.Cluster.Client.GetGrain<ISessionCheckGrain>(0).CheckAsync(after);
            sum = sum.Plus(page.Check);
            if ((after = page.Next) is null) return sum;
        }
    }

    private static async Task<(long Sessions, bool AllWouldLoad)> CountAsync(ChatterboxCluster cluster)
    {
        var check = await CheckAsync(cluster);
        return (check.Sessions, check.AllWouldLoad);
    }

    // What was not loaded before is not loaded by looking.
    private static int LoadedSessions(ChatterboxCluster cluster) =>
        cluster.Cluster.Silos.Sum(silo => cluster.Cluster.GetSiloServiceProvider(silo.SiloAddress)
            .GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0)
            .GetDetailedGrainStatistics().Result.Count(each => each.GrainId.Type.ToString() == "chatterbox.session"));

    private static string ServiceId(ChatterboxCluster cluster) =>
        cluster.Cluster.GetSiloServiceProvider(cluster.Cluster.Silos[0].SiloAddress)
            .GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId;

    private static SiloSettings Settings(ChatterboxCluster cluster) => new()
    {
        Database = cluster.Database,
        Cluster = new() { ServiceId = ServiceId(cluster) },
    };
}
