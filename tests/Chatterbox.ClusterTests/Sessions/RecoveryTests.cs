using System.Text;
using Chatterbox.ClusterTests.Storage;
using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;

namespace Chatterbox.ClusterTests.Sessions;

public abstract class RecoveryTests(DatabaseProvider database) : SessionSuite(database)
{
    [ContractFact(DisplayName =
        "[R1] [R2] after a silo and its client died, the next client is told what was in hand and can come back to it, once")]
    public async Task A_crash_is_reported()
    {
        await using var cluster = await StartAsync();
        await LeaveWorkInHandAsync(cluster);

        await using var store = await cluster.OpenAsync("alice");

        Assert.True(store.Recovery.CrashDetected);
        Assert.Equal(["waiting", "running"], store.Recovery.Crash!.Chunks);
        Assert.Equal(["batch"], store.Recovery.Crash!.BatchItems);
        var report = await store.Recovery.RecoverFromCrashAsync();
        Assert.Equal(["waiting", "running"], report.Chunks);
        Assert.Equal([WorkStatus.Completed, WorkStatus.Interrupted, WorkStatus.Interrupted],
            store.State.Chunks.Select(chunk => chunk.Status));
        Assert.Equal(WorkStatus.Interrupted, Assert.Single(store.State.BatchItems).Status);
        Assert.False(store.Recovery.CrashDetected);

        var again = await store.Recovery.RecoverFromCrashAsync();
        Assert.Equal(new RecoveryReport(), again);
        await store.DisposeAsync();
        await cluster.DeactivateAsync("alice");
        Assert.False((await cluster.OpenAsync("alice")).Recovery.CrashDetected);
    }

    [ContractFact(DisplayName = "[R2] interrupted work can be let go, once, and even that can be undone")]
    public async Task Interrupted_work_is_let_go()
    {
        await using var cluster = await StartAsync();
        await LeaveWorkInHandAsync(cluster);
        await using var store = await cluster.OpenAsync("alice");

        await store.Recovery.ClearRecoveryStateAsync();
        await store.Recovery.ClearRecoveryStateAsync();

        Assert.Equal(["done"], store.State.Chunks.Select(chunk => chunk.Id));
        Assert.False(store.Recovery.CrashDetected);
        await store.History.UndoAsync();
        Assert.Equal(["done", "waiting", "running"], store.State.Chunks.Select(chunk => chunk.Id));
    }

    [ContractFact(DisplayName = "[R1] a client that leaves in good order leaves no crash behind, whatever is in hand")]
    public async Task A_clean_detach_is_no_crash()
    {
        await using var cluster = await StartAsync();
        await using (var before = await cluster.OpenAsync("alice"))
        {
            await before.UpsertChunkAsync(TestData.Chunk("waiting")).DurablyAsync();
        }
        await cluster.CrashAsync();

        var store = await cluster.OpenAsync("alice");

        Assert.False(store.Recovery.CrashDetected);
        Assert.Equal(["waiting"], store.State.Chunks.Select(chunk => chunk.Id));
    }

    [ContractFact(DisplayName = "[R1] a client that comes back after the silo died has lost nothing, and is told of no crash")]
    public async Task A_live_client_is_no_crash()
    {
        await using var cluster = await StartAsync();
        await using var store = await cluster.OpenAsync("alice");
        await store.UpsertChunkAsync(TestData.Chunk("waiting")).DurablyAsync();

        await cluster.CrashAsync();
        await store.UpsertChunkAsync(TestData.Chunk("more")).DurablyAsync();

        Assert.False(store.Recovery.CrashDetected);
    }

    [ContractFact(DisplayName = "[R1] a lease that lapses with work in hand is a crash")]
    public async Task A_lapsed_lease_is_a_crash()
    {
        await using var cluster = await StartAsync(new() { Options = new() { Lease = TimeSpan.FromSeconds(1) } });
        var session = cluster.Session("alice");
        var attached = await session.AttachAsync(new()
        {
            Client = new("p", "silent"), Device = "d", Protocol = Protocol.Version, NextSequence = 1,
        });
        await session.ApplyAsync(new("silent", attached.State.Epoch, 0, [new(1, new UpsertChunk(TestData.Chunk("waiting")))]));

        // Nothing but its own client keeps the lease; the sweep takes it away.
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while ((await session.GetStatusAsync()).Clients.Count > 0) Assert.True(await tick.WaitForNextTickAsync());

        await using var store = await cluster.OpenAsync("alice");
        Assert.Equal(["waiting"], store.Recovery.Crash!.Chunks);
    }

    [ContractFact(DisplayName = "[R3] a clear can be come back from, until something has followed it")]
    public async Task A_clear_can_be_undone()
    {
        await using var cluster = await StartAsync();
        await using var store = await cluster.OpenAsync("alice");
        await store.UpsertChunkAsync(TestData.Chunk("c1"));
        await store.Persistence.ClearPersistedStateAsync();
        await store.Persistence.ClearPersistedStateAsync();
        await cluster.CrashAsync();

        Assert.NotEmpty((await store.Recovery.RecoverFromCrashAsync()).Restored);
        Assert.Equal(["c1"], store.State.Chunks.Select(chunk => chunk.Id));

        await store.Persistence.ClearPersistedStateAsync();
        await store.SetStreamingAsync(true);
        Assert.Equal(new RecoveryReport(), await store.Recovery.RecoverFromCrashAsync());
        Assert.True(store.State.Preferences.UseStreaming);
    }

    [ContractFact(DisplayName = "[R4] an import can be undone, and the undo too")]
    public async Task An_import_can_be_undone()
    {
        await using var cluster = await StartAsync();
        await using var store = await cluster.OpenAsync("alice");
        await store.UpsertChunkAsync(TestData.Chunk("mine")).DurablyAsync();
        var report = await cluster.Session("alice")
            .ImportAsync(new(Encoding.UTF8.GetBytes("""{"useStreaming":true}"""), 0, DryRun: false));
        Assert.Null(report.Refused);
        await store.ShowsAsync(state => state.Chunks.Count == 0);

        await store.History.UndoAsync();
        Assert.Equal(["mine"], store.State.Chunks.Select(chunk => chunk.Id));
        await store.History.UndoAsync();
        Assert.True(store.State.Preferences.UseStreaming);
        Assert.Empty(store.State.Chunks);
    }

    [ContractFact(DisplayName = "[R3] [M2] a slice that cannot be read starts from its last good copy")]
    public async Task Damage_falls_back_to_the_last_good_copy()
    {
        await using var cluster = await StartAsync();
        await using (var before = await cluster.OpenAsync("alice"))
        {
            await before.UpsertChunkAsync(TestData.Chunk("c1")).DurablyAsync();
        }
        await cluster.DeactivateAsync("alice");
        var good = (await StoredRows.ReadAsync(cluster.Database, "chunks"))!;
        await StoredRows.OverwriteAsync(cluster.Database, "chunks", [1, 2, 3]);

        var store = await cluster.OpenAsync("alice");

        Assert.Equal(["c1"], store.State.Chunks.Select(chunk => chunk.Id));
        Assert.Contains(store.Notices, notice => notice.Contains("last good copy", StringComparison.Ordinal));
        await store.Persistence.FlushAsync();
        var item = Assert.Single(await store.History.ListAsync(), entry => entry.Reason == "unreadable");
        Assert.Equal(("chunks", 3), (item.Slices.Single(), item.Length));
        Assert.Equal([1, 2, 3], (await store.History.ReadAsync(item.Id))!.Rows[0].Bytes);
        await Assert.ThrowsAsync<ArgumentException>(() => store.History.RestoreAsync(item.Id));
        Assert.True(await store.History.DropAsync(item.Id));
        Assert.DoesNotContain(await store.History.ListAsync(), entry => entry.Reason == "unreadable");
        Assert.NotEmpty(good);
    }

    [ContractFact(DisplayName = "[M2] what was set aside before a migration can be put back")]
    public async Task Originals_can_be_restored()
    {
        await using var cluster = await StartAsync();
        await using (var before = await cluster.OpenAsync("alice")) await before.SetStreamingAsync(true).DurablyAsync();
        await cluster.DeactivateAsync("alice");
        await StoredRows.OverwriteAsync(cluster.Database, "preferences",
            SliceFrame.Encode("""{"version":0,"revision":7,"state":{"useStreaming":true,"engine":"turbo"}}"""u8, 0, 1024));
        await using var store = await cluster.OpenAsync("alice");
        await store.SelectEngineAsync(TtsEngine.Chatterbox);
        await store.SetStreamingAsync(false).DurablyAsync();

        var item = Assert.Single(await store.History.ListAsync(), entry => entry.Reason == "beforeMigration");
        await store.History.RestoreAsync(item.Id);

        Assert.True(store.State.Preferences is { UseStreaming: true, Engine: TtsEngine.Turbo });
    }

    [ContractFact(DisplayName = "[P6] a store keeps what its configuration says, under its own name")]
    public async Task Presets()
    {
        await using var cluster = await StartAsync(new()
        {
            ConfigureSilo = silo =>
                silo.AddChatterboxStore(PersistConfig.Minimal with
                {
                    Name = "voices", Partialize = state => AppState.Initial with { SavedVoices = ((AppState)state).SavedVoices },
                }),
        });
        foreach (var name in (string[])["minimal", "session-only", "recovery", "voices"])
        {
            await using (var before = await cluster.NewClient().OpenAsync(new SessionId("alice", name)))
            {
                await before.SetStreamingAsync(true);
                await before.UpsertVoiceAsync(new()
                {
                    Id = "v", Name = "Narrator", Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox),
                });
                await before.UpsertChunkAsync(TestData.Chunk("c1"));
            }
            await cluster.Cluster.DeactivateAsync(
                ((GrainReference)cluster.Cluster.Client.GetGrain<IUserSessionGrain>(new SessionId("alice", name).Key)).GrainId);

            var state = (await cluster.NewClient().OpenAsync(new SessionId("alice", name))).State;

            Assert.Equal(name == "minimal", state.Preferences.UseStreaming);
            Assert.Equal(name == "voices" ? 1 : 0, state.SavedVoices.Count);
            Assert.Equal(name is "session-only" or "recovery" ? 1 : 0, state.Chunks.Count);
        }
    }

    [ContractFact(DisplayName = "[P6] what has expired is not loaded, and a copy of it is kept")]
    public async Task Expiry()
    {
        await using var cluster = await StartAsync(new()
        {
            ConfigureSilo = silo =>
                silo.AddChatterboxStore(PersistConfig.SessionOnly with
                {
                    Name = "brief", ExpiresAfter = TimeSpan.FromSeconds(1),
                }),
        });
        var id = new SessionId("alice", "brief");
        await using (var before = await cluster.NewClient().OpenAsync(id))
        {
            await before.UpsertChunkAsync(TestData.Chunk("c1")).DurablyAsync();
        }
        var session = ((GrainReference)cluster.Cluster.Client.GetGrain<IUserSessionGrain>(id.Key)).GrainId;
        var written = TimeProvider.System.GetTimestamp();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (TimeProvider.System.GetElapsedTime(written) < TimeSpan.FromSeconds(1.1)) await tick.WaitForNextTickAsync();
        await cluster.Cluster.DeactivateAsync(session);

        await using var store = await cluster.NewClient().OpenAsync(id);
        Assert.Empty(store.State.Chunks);
        Assert.Contains(store.Notices, notice => notice.Contains("expired", StringComparison.Ordinal));
        await store.History.UndoAsync();
        Assert.Equal(["c1"], store.State.Chunks.Select(chunk => chunk.Id));
    }

    [ContractFact(DisplayName = "[M1] an application's own migrations follow, and a silo without them leaves the session alone")]
    public async Task Application_migrations()
    {
        await using var cluster = await StartAsync(new() { ConfigureSilo = silo => silo.AddChatterboxMigration<AddTheme>() });
        await using var store = await cluster.OpenAsync("alice");
        await store.SetStreamingAsync(true).DurablyAsync();
        await store.DisposeAsync();
        Assert.Equal(2, (await cluster.Session("alice").GetStatusAsync()).PersistedVersion);
        await cluster.DeactivateAsync("alice");
        await StoredRows.OverwriteAsync(cluster.Database, "preferences",
            SliceFrame.Encode("""{"version":1,"revision":7,"state":{"engine":"chatterbox"}}"""u8, 1, 1024));

        var migrated = await cluster.OpenAsync("alice");

        Assert.Equal("dark", migrated.State.Preferences.Unknown!["theme"].GetString());
    }

    private static async Task LeaveWorkInHandAsync(ChatterboxCluster cluster)
    {
        var session = cluster.Session("alice");
        var attached = await session.AttachAsync(new()
        {
            Client = new("p", "gone"), Device = "d", Protocol = Protocol.Version, NextSequence = 1,
        });
        var audio = new AudioRef { Hash = new string('a', 64), Length = 3 };
        await session.ApplyAsync(new("gone", attached.State.Epoch, 0,
        [
            new(1, new UpsertChunk(TestData.Chunk("done"))), new(2, new CompleteChunk("done", audio)),
            new(3, new UpsertChunk(TestData.Chunk("waiting"))),
            new(4, new UpsertChunk(TestData.Chunk("running"))), new(5, new SetChunkStatus("running", WorkStatus.Generating)),
            new(6, new UpsertBatchItem(new() { Id = "batch", Name = "chapter-1.txt", Status = WorkStatus.Generating })),
        ]));
        await session.FlushAsync();
        await cluster.CrashAsync();
    }

    private sealed class AddTheme : ISliceMigration
    {
        public int FromVersion => 1;

        public System.Text.Json.Nodes.JsonNode Migrate(string slice, System.Text.Json.Nodes.JsonNode state)
        {
            if (slice is TtsSlice.Preferences) state["theme"] = "dark";
            return state;
        }
    }
}
