using Chatterbox.ClusterTests.Storage;
using Chatterbox.GatewayTests.Access;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests.Hub;

public sealed class TwoSiloTests
{
    private const int Users = 16;

    [NeedsPostgresFact(DisplayName =
        "[X4] silos with keys form a cluster; a page hears of a session that the other silo holds")]
    public async Task Pages_of_two_silos()
    {
        var settings = await SettingsAsync();
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

    [NeedsPostgresFact(DisplayName =
        "[C3] of connections of one client id on two silos the last to attach has it: the older one is told, at its next "
        + "change or before")]
    public async Task Supersedes_across_silos()
    {
        var settings = await SettingsAsync(("Session:Lease", "00:00:01.5"));
        await using var first = await GatewayHost.StartAsync(settings);
        await using var second = await GatewayHost.StartAsync(settings);
        var superseded = new ByePush(ByeReason.Superseded, SessionId.DefaultStore);
        var (older, newer) = (await first.OpenAsync("one"), await second.OpenAsync("one"));
        var epoch = (await older.AttachAsync("b1")).State.Epoch;
        await newer.AttachAsync("b1");
        Assert.Equal(superseded, await older.PushedAsync<ByePush>());
        Assert.Equal(ApplyOutcome.Superseded, (await older.ApplyAsync("b1", epoch, 0, new SetStreaming(true))).Result);
        await older.LeaveAsync("b1");
        Assert.Equal(ApplyOutcome.Done, (await newer.ApplyAsync("b1", epoch, 0, new SetStreaming(true))).Result);

        // The other way, and at once: no heartbeat has told it.
        await older.AttachAsync("b1", epoch: epoch, seen: 1, next: 2);
        Assert.Equal(ApplyOutcome.Superseded, (await newer.ApplyAsync("b1", epoch, 1, new SetStreaming(false))).Result);
        Assert.Equal(superseded, await newer.PushedAsync<ByePush>());
        Assert.Equal(ApplyOutcome.Done, (await older.ApplyAsync("b1", epoch, 1, new SetStreaming(false))).Result);
        Assert.False((await older.SinceAsync(0, 0)).Snapshot!.Preferences.UseStreaming);
        Assert.Empty(second.Connections.Attachments);
    }

    [NeedsPostgresFact(DisplayName =
        "[X1] silos whose certificates are their authority's form a cluster over TLS, each proving itself to the other")]
    public async Task Tls()
    {
        using var authority = new TestAuthority();
        var settings = await SettingsAsync(("Tls:Authority", authority.Path), ("Tls:ClientCertificates", "true"));
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        for (var number = 0; number < 4; number++)
        {
            var (one, two) = (await first.OpenAsync($"user{number}"), await second.OpenAsync($"user{number}"));
            var epoch = (await one.AttachAsync("one")).State.Epoch;
            await two.AttachAsync("two");
            await one.ApplyAsync("one", epoch, 0, new SetStreaming(true));
            Assert.Single((await two.EventAsync<ChangesApplied>()).Changes);
        }
        Assert.Equal(2, (await first.Grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true)).Count);

        Task<GatewayHost> StartAsync() =>
            GatewayHost.StartAsync([.. settings, ("Tls:Certificate", authority.Issue("silo.test"))]);
    }

    [NeedsPostgresFact(DisplayName =
        "[O1] [C3] pages on another silo lose nothing by the drain of the silo that holds their sessions")]
    public async Task Drain()
    {
        var settings = await SettingsAsync();
        var first = await GatewayHost.StartAsync(settings);
        await using var second = await GatewayHost.StartAsync(settings);
        var pages = new List<(Page Page, long Epoch)>();
        for (var number = 0; number < Users; number++)
        {
            // Loaded by the first, so that most are there.
            await first.Grains.GetGrain<IUserSessionGrain>(new SessionId($"user{number}").Key).GetStatusAsync();
            var page = await second.OpenAsync($"user{number}");
            var epoch = (await page.AttachAsync("b1")).State.Epoch;
            Assert.Equal(ApplyOutcome.Done, (await page.ApplyAsync("b1", epoch, 0, new SetStreaming(true))).Result);
            pages.Add((page, epoch));
        }
        await first.DisposeAsync();
        foreach (var (page, epoch) in pages)
        {
            var answer = await page.ApplyAsync("b1", epoch, 1, new SelectEngine(TtsEngine.Turbo));
            if (answer.Result is ApplyOutcome.OtherEpoch)
            {
                // Too busy to move in time, it was loaded again.
                var again = await page.AttachAsync("b1", epoch: epoch, seen: 1, next: 2);
                Assert.True(again.State.Snapshot!.Preferences.UseStreaming);
                answer = await page.ApplyAsync("b1", again.State.Epoch, 1, new SelectEngine(TtsEngine.Turbo));
            }
            Assert.Equal((ApplyOutcome.Done, null), (answer.Result, answer.Outcomes[0].Rejection));
            // Events that the silo took with it are asked for.
            Assert.Equal(TtsEngine.Turbo, (await page.SinceAsync(0, 0)).Snapshot!.Preferences.Engine);
        }
    }

    private static async Task<(string, string?)[]> SettingsAsync(params (string, string?)[] more)
    {
        var server = await PostgresServer.SharedAsync();
        var database = server.ConnectionString(await server.CreateEmptyDatabaseAsync());
        return
        [
            ("Database:Provider", "PostgreSql"), ("Database:ConnectionString", database), ("Cluster:Mode", "AdoNet"),
            ("Cluster:ClusterId", Path.GetRandomFileName()),
            // Both share a process: where one waits for a processor, so does the other, and nobody is dead.
            ("Cluster:ProbeTimeout", "00:00:30"), .. more,
        ];
    }

    /// <summary>Skipped, with the reason, where PostgreSQL is not installed.</summary>
    private sealed class NeedsPostgresFactAttribute : FactAttribute
    {
        public NeedsPostgresFactAttribute() => Skip = PostgresServer.Missing;
    }
}
