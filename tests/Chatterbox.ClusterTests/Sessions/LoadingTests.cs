using System.Text;
using Chatterbox.ClusterTests.Storage;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;

namespace Chatterbox.ClusterTests.Sessions;

public abstract class LoadingTests(DatabaseProvider database) : SessionSuite(database)
{
    public static TheoryData<string> Damage =>
        ["bit flip", "truncated", "empty", "not a frame", "swapped row", "no JSON", "JSON of something else"];

    [ContractTheory(DisplayName = "[M2] a damaged row costs its own slice, its bytes are kept, and the user is told")]
    [MemberData(nameof(Damage))]
    public async Task A_damaged_row_is_kept(string damage)
    {
        await using var cluster = await StartAsync();
        await using (var before = await cluster.OpenAsync("alice"))
        {
            await before.UpsertChunkAsync(TestData.Chunk("c1"));
            await before.SetStreamingAsync(true);
            await before.Persistence.FlushAsync();
        }
        await cluster.DeactivateAsync("alice");
        var damaged = Damaged(await StoredRows.ReadAsync(cluster.Database, "chunks") ?? [], damage,
            await StoredRows.ReadAsync(cluster.Database, "preferences") ?? []);
        await StoredRows.OverwriteAsync(cluster.Database, "chunks", damaged);

        var store = await cluster.OpenAsync("alice");

        Assert.Equal(["c1"], store.State.Chunks.Select(chunk => chunk.Id));
        Assert.True(store.State.Preferences.UseStreaming);
        Assert.Contains(store.Notices, notice => notice.Contains("chunks", StringComparison.Ordinal));
        await store.UpsertChunkAsync(TestData.Chunk("c2")).DurablyAsync();
        var kept = Assert.Single(await store.History.ListAsync(), entry => entry.Reason == "unreadable");
        Assert.Equal(damaged, (await store.History.ReadAsync(kept.Id))!.Rows[0].Bytes);
        await store.DisposeAsync();
        await cluster.DeactivateAsync("alice");
        Assert.Equal(["c1", "c2"], (await cluster.OpenAsync("alice")).State.Chunks.Select(chunk => chunk.Id));
    }

    [ContractFact(DisplayName = "[M3] a session stored by a newer version is read-only, and nothing of it is written")]
    public async Task A_newer_version_is_left_alone()
    {
        await using var cluster = await StartAsync();
        await using (var before = await cluster.OpenAsync("alice")) await before.SetStreamingAsync(true).DurablyAsync();
        await cluster.DeactivateAsync("alice");
        var newer = SliceFrame.Encode("""{"version":9,"revision":7,"state":{"useStreaming":true,"shape":"new"}}"""u8, 9, 1024);
        await StoredRows.OverwriteAsync(cluster.Database, "preferences", newer);
        cluster.Probe.Writes.Clear();

        await using (var store = await cluster.OpenAsync("alice"))
        {
            Assert.Contains("schema 9", store.ReadOnly, StringComparison.Ordinal);
            var refused = await Assert.ThrowsAsync<ChangeRejectedException>(() => store.UpsertChunkAsync(TestData.Chunk("c1")));
            Assert.Contains("read-only", refused.Message, StringComparison.Ordinal);
        }
        await cluster.DeactivateAsync("alice");

        Assert.Empty(cluster.Probe.Writes);
        Assert.Equal(newer, await StoredRows.ReadAsync(cluster.Database, "preferences"));
    }

    [ContractFact(DisplayName = "[M1] a row of version 0 is migrated on activation, written back once, and its original is kept")]
    public async Task Migration_on_activation()
    {
        await using var cluster = await StartAsync();
        await using (var before = await cluster.OpenAsync("alice")) await before.SetStreamingAsync(true).DurablyAsync();
        await cluster.DeactivateAsync("alice");
        var original = SliceFrame.Encode(
            """{"version":0,"revision":7,"applied":{},"state":{"useStreaming":true,"theme":"dark"}}"""u8, 0, 1024);
        await StoredRows.OverwriteAsync(cluster.Database, "preferences", original);
        cluster.Probe.Writes.Clear();

        var store = await cluster.OpenAsync("alice");
        await store.Persistence.FlushAsync();

        Assert.Equal(TtsParameters.DefaultsFor(TtsEngine.Chatterbox), store.State.Preferences.Parameters);
        Assert.True(store.State.Preferences.UseStreaming);
        Assert.Equal("dark", store.State.Preferences.Unknown!["theme"].GetString());
        Assert.Single(cluster.Probe.WritesOf("preferences"));
        var kept = Assert.Single(await store.History.ListAsync(), entry => entry.Reason == "beforeMigration");
        Assert.Equal(original, (await store.History.ReadAsync(kept.Id))!.Rows[0].Bytes);
    }

    [ContractFact(DisplayName =
        "[P10] a session that cannot be loaded takes nothing and overwrites nothing; once it can, all is there")]
    public async Task A_failed_load_overwrites_nothing()
    {
        await using var cluster = await StartAsync();
        await using (var before = await cluster.OpenAsync("alice"))
        {
            await before.UpsertChunkAsync(TestData.Chunk("stored")).DurablyAsync();
        }
        await cluster.DeactivateAsync("alice");
        cluster.Probe.Writes.Clear();
        var reads = 0;
        var triedTwice = new TaskCompletionSource();
        cluster.Probe.OnRead(row =>
        {
            if (row == "chunks" && Interlocked.Increment(ref reads) == 2) triedTwice.SetResult();
            return row == "chunks" ? Fault.Read : Fault.None;
        });

        await using var store = cluster.NewClient().Open(new SessionId("alice"));
        var early = store.UpsertChunkAsync(TestData.Chunk("early"));
        await triedTwice.Task.WaitAsync(ChatterboxCluster.Patience);
        Assert.False(store.HasHydrated);
        Assert.Empty(cluster.Probe.Writes);
        Assert.NotNull(store.Persistence.Unreachable);

        cluster.Probe.Heal();
        await early.DurablyAsync();
        Assert.Equal(["stored", "early"], store.State.Chunks.Select(chunk => chunk.Id));
    }

    [ContractFact(DisplayName =
        "[S5] [P6] ten work sessions stay, the current one among them; older ones leave with their "
        + "chunks, and every client sees it")]
    public async Task Old_work_sessions_leave()
    {
        await using var cluster = await StartAsync();
        await using (var before = await cluster.OpenAsync("alice"))
        {
            await using var other = await cluster.OpenAsync("alice");
            await before.UpsertChunkAsync(TestData.Chunk("shared"));
            for (var number = 1; number <= 13; number++)
            {
                await before.UpsertChunkAsync(TestData.Chunk($"c{number}"));
                await before.UpsertWorkSessionAsync(new()
                {
                    Id = $"s{number}", Name = $"Chapter {number}", ChunkIds = [$"c{number}", "shared"],
                });
                if (number == 2) await before.SelectWorkSessionAsync("s2");
            }
            await before.ReportErrorAsync(new() { Id = "e", Message = "transient" });
            foreach (var store in (ChatterboxStore[])[before, other])
            {
                await store.ShowsAsync(state =>
                    state.WorkSessions.Count == 10 && state.Chunks.Count == 11 && state.Chunks.Find("shared") is not null);
            }
        }
        await cluster.DeactivateAsync("alice");

        var loaded = await cluster.OpenAsync("alice");

        Assert.Equal(["s2", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13"],
            loaded.State.WorkSessions.Select(session => session.Id));
        Assert.Equal(11, loaded.State.Chunks.Count);
        Assert.Equal(RuntimeState.Default, loaded.State.Runtime);
    }

    [ContractFact(DisplayName = "[R4] clearing is durable, reaches every client, and does not come back")]
    public async Task Clearing()
    {
        await using var cluster = await StartAsync();
        await using var store = await cluster.OpenAsync("alice");
        await using var other = await cluster.OpenAsync("alice");
        await store.UpsertChunkAsync(TestData.Chunk("c1"));
        await other.ShowsAsync(state => state.Chunks.Count == 1);

        await store.Persistence.ClearPersistedStateAsync();

        Assert.Null(await store.Persistence.GetPersistedVersionAsync());
        await other.ShowsAsync(state => state.Chunks.Count == 0);
        await cluster.CrashAsync();
        Assert.Equal(AppState.Initial, (await cluster.OpenAsync("alice")).State);
    }

    private static byte[] Damaged(byte[] row, string damage, byte[] otherRow)
    {
        switch (damage)
        {
            case "bit flip":
                row[^3] ^= 4;
                return row;
            case "truncated": return row[..^5];
            case "empty": return [];
            case "not a frame": return Encoding.UTF8.GetBytes("""{"chunks":[]}""");
            case "swapped row": return otherRow;
            case "no JSON": return SliceFrame.Encode("{\"version\":1,"u8, 1, 1024);
            default: return SliceFrame.Encode("[1,2,3]"u8, 1, 1024);
        }
    }
}
