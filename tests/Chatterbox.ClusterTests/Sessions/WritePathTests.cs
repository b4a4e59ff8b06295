using System.Text;
using Chatterbox.ClusterTests.Storage;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;

namespace Chatterbox.ClusterTests.Sessions;

/// <summary>The write path of the real grain, each of whose writes goes wrong once, in turn.</summary>
public abstract class WritePathTests(DatabaseProvider database) : SessionSuite(database)
{
    public static TheoryData<Fault> Faults => [Fault.BeforeCommit, Fault.AfterCommit, Fault.LateCommit, Fault.StaleEtag];

    [ContractTheory(DisplayName =
        "[P9] [R3] [R4] whichever write of a session's life goes wrong: what was told durable is "
        + "stored, and nothing is lost or twice")]
    [MemberData(nameof(Faults))]
    public async Task Each_write_fails_once(Fault fault)
    {
        await using var cluster = await StartAsync();
        var rows = new HashSet<string>();
        // The first run counts.
        var writes = await LiveAsync(cluster, "nobody", failing: -1, fault, rows);
        rows.Clear();
        for (var index = 0; index < writes; index++) await LiveAsync(cluster, $"user{index}", index, fault, rows);
        Assert.Superset(new HashSet<string>(["preferences", "chunks", "savedVoices", "recovery", "history", "history-0"]), rows);
    }

    private static async Task<int> LiveAsync(ChatterboxCluster cluster, string user, int failing,
        Fault fault, HashSet<string> rows)
    {
        var session = cluster.Session(user);
        var id = cluster.IdOf(user);
        var writes = 0;
        cluster.Probe.OnChange((grain, row) =>
        {
            if (grain != id || writes++ != failing) return Fault.None;
            rows.Add(row);
            return fault;
        });

        // A life: work, an import, an undo, a clear, coming back from it, damage, a daily copy, a migration.
        await using (var store = await cluster.OpenAsync(user))
        {
            await store.UpsertChunkAsync(TestData.Chunk("c1"));
            await store.SetStreamingAsync(true).DurablyAsync();
            var before = store.State;
            await AgainAsync(async () => Assert.Null((await session.ImportAsync(
                new(Encoding.UTF8.GetBytes("""{"useStreaming":false}"""), 0, DryRun: false))).Refused));
            await DurableAsync(session);
            Assert.Empty((await StateAsync(session)).Chunks);
            await AgainAsync(async () => Assert.Null((await session.RestoreHistoryAsync(null)).Refused));
            await DurableAsync(session);
            Assert.Equal(before, await StateAsync(session));

            await AgainAsync(() => session.ClearPersistedStateAsync());
            await DurableAsync(session);
            Assert.Equal(AppState.Initial, await StateAsync(session));
            Assert.Null((await session.GetStatusAsync()).PersistedVersion);
            await AgainAsync(() => session.RecoverFromCrashAsync());
            await DurableAsync(session);
            Assert.Equal(before, await StateAsync(session));

            // Told durable by the events that clients hear.
            await store.ShowsAsync(state => state.Chunks.Count == 1);
            await store.UpsertVoiceAsync(new()
            {
                Id = "v1", Name = "Narrator", Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox),
            }).DurablyAsync();
        }
        await cluster.DeactivateAsync(user);
        var key = new SessionId(user).Key;
        await StoredRows.OverwriteAsync(cluster.Database, "chunks", [1, 2, 3], key);
        await StoredRows.OverwriteAsync(cluster.Database, "preferences",
            SliceFrame.Encode("""{"version":0,"revision":90,"applied":{},"state":{"useStreaming":true}}"""u8, 0, 1024), key);
        await DurableAsync(session);
        await cluster.DeactivateAsync(user);
        await DurableAsync(session);

        var state = await StateAsync(session);
        Assert.True(state.Preferences.UseStreaming);
        Assert.Equal(["v1"], state.SavedVoices.Select(voice => voice.Id));
        var kept = (await session.ListHistoryAsync()).Where(item => item.Reason is "unreadable" or "beforeMigration").ToArray();
        Assert.Equal([("beforeMigration", "preferences"), ("unreadable", "chunks")],
            kept.Select(item => (item.Reason, item.Slices.Single())).Order());
        Assert.Equal([1, 2, 3],
            (await session.ReadHistoryAsync(kept.Single(item => item.Reason == "unreadable").Id))!.Rows[0].Bytes);
        cluster.Probe.Heal();
        await cluster.DeactivateAsync(user);
        return writes;
    }

    private static async Task<AppState> StateAsync(IUserSessionGrain session) =>
        (await session.GetChangesSinceAsync(0, 0, null)).Snapshot!.Tts with { Runtime = RuntimeState.Default };

    // A flush says why it is not durable; saving goes on by itself.
    private static async Task DurableAsync(IUserSessionGrain session)
    {
        for (var attempt = 0; (await session.FlushAsync()).Failure is { } failure; attempt++) Assert.True(attempt < 5, failure);
    }

    // An undo reads the history first; whoever asked asks again.
    private static async Task AgainAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (Exception failure) when (failure is IOException or TimeoutException)
        {
            await call();
        }
    }
}
