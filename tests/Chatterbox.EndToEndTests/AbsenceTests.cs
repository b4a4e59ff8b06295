using System.Net;
using Chatterbox.ClusterTests.Storage;

namespace Chatterbox.EndToEndTests;

/// <summary>The database is away for a while: what users and operators notice of it, with real processes.</summary>
public sealed class AbsenceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private const string Claim =
        "while the database is unavailable users continue and are told; sessions that cannot be loaded wait and "
        + "say why; afterwards all is stored";

    [PostgresTheory(DisplayName = "[D4] [P10] " + Claim)]
    [InlineData("hangs")]
    [InlineData("refuses")]
    public async Task On_PostgreSql(string how)
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using var proxy = new TcpProxy(server.Port);
        var connectionString = server.ConnectionString(await server.CreateEmptyDatabaseAsync())
            .Replace($"Port={server.Port}", $"Port={proxy.Port}", StringComparison.Ordinal);
        await Users_go_on_working(how, proxy, "PostgreSql", connectionString);
    }

    [SqlServerTheory(DisplayName = "[D4] [P10] on SQL Server, " + Claim)]
    [InlineData("hangs")]
    [InlineData("refuses")]
    public async Task On_SqlServer(string how)
    {
        var database = SqlServerInstance.NewName();
        await using var proxy = SqlServerInstance.StartProxy();
        await Users_go_on_working(how, proxy, "SqlServer", SqlServerInstance.ConnectionString(database, proxy.Port));
        await SqlServerInstance.DropAsync(database);
    }

    private static async Task Users_go_on_working(string how, TcpProxy proxy, string provider, string connectionString)
    {
        (string, string)[] settings =
        [
            ("Database__Provider", provider),
            ("Database__ConnectionString", connectionString),
            ("Database__Timeout", "00:00:02"),
            ("Session__MaxRetryDelay", "00:00:00.500"),
        ];
        await SiloProcess.MigrateAsync(settings);
        await using var silo = await SiloProcess.StartAsync(settings);
        await using (var earlier = await ClientProcess.StartAsync(silo.Gateway))
        {
            var stored = await earlier.Client.OpenAsync(new SessionId("bob")).WaitAsync(Patience);
            await (await stored.UpsertChunkAsync(TestData.Chunk("stored"))).Durable.WaitAsync(Patience);
        }
        await silo.StopAsync();
        await silo.StartAgainAsync();
        var process = await ClientProcess.StartAsync(silo.Gateway);
        var alice = await process.Client.OpenAsync(new SessionId("alice")).WaitAsync(Patience);
        await (await alice.UpsertChunkAsync(TestData.Chunk("before"))).Durable.WaitAsync(Patience);

        if (how is "hangs") proxy.Hang();
        else proxy.Refuse();
        var early = await alice.UpsertChunkAsync(TestData.Chunk("early")).WaitAsync(Patience);
        await UntilAsync(alice,
            persistence => persistence.Status is { State: SaveState.Failing, DegradedSince: not null, PendingFrames: > 0 });
        var late = await alice.UpsertChunkAsync(TestData.Chunk("late")).WaitAsync(Patience);
        Assert.False(early.Durable.IsCompleted);
        await using var waiting = process.Client.Open(new SessionId("bob"));
        var bobs = waiting.UpsertChunkAsync(TestData.Chunk("bob's own"));
        await UntilAsync(waiting, persistence => persistence.Unreachable is StorageUnavailableException);
        Assert.StartsWith("The database has been unavailable since", waiting.Persistence.Unreachable!.Message);
        Assert.False(waiting.HasHydrated);
        var (code, body) = await silo.ReadyAsync();
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Contains("\"degraded\"", body);
        Assert.Contains("the database has been unavailable since", body);

        proxy.Resume();
        await Task.WhenAll(early.Durable, late.Durable, waiting.Hydrated, (await bobs.WaitAsync(Patience)).Durable)
            .WaitAsync(Patience);
        Assert.Equal(["stored", "bob's own"], waiting.State.Chunks.Select(chunk => chunk.Id));
        await UntilAsync(alice,
            persistence => persistence.Status is { State: SaveState.Saved, DegradedSince: null, PendingFrames: 0 });
        Assert.DoesNotContain(await alice.History.ListAsync(), entry => entry.Reason == "overtaken");

        // The next time the silo dies during it, and nobody is left who could send anything again.
        if (how is "hangs") proxy.Hang();
        else proxy.Refuse();
        await alice.UpsertChunkAsync(TestData.Chunk("first of the second time")).WaitAsync(Patience);
        await UntilAsync(alice, persistence => persistence.Status.PendingFrames > 0);
        var last = await alice.UpsertChunkAsync(TestData.Chunk("last of the second time")).WaitAsync(Patience);
        // Tried, and so in the file.
        await Assert.ThrowsAsync<IOException>(() => alice.Persistence.FlushAsync().WaitAsync(Patience));
        Assert.False(last.Durable.IsCompleted);
        await silo.KillAsync();
        await process.DisposeAsync();
        proxy.Resume();
        await silo.StartAgainAsync();

        await using var fresh = await ClientProcess.StartAsync(silo.Gateway);
        var again = await fresh.Client.OpenAsync(new SessionId("alice")).WaitAsync(Patience);
        Assert.Equal(["before", "early", "late", "first of the second time", "last of the second time"],
            again.State.Chunks.Select(chunk => chunk.Id));
    }

    private static async Task UntilAsync(ChatterboxStore store, Func<StorePersistence, bool> expected)
    {
        var changed = new SemaphoreSlim(0);
        using var patience = new CancellationTokenSource(Patience);
        store.Persistence.StatusChanged += Changed;
        while (!expected(store.Persistence)) await changed.WaitAsync(patience.Token);
        store.Persistence.StatusChanged -= Changed;

        void Changed() => changed.Release();
    }
}
