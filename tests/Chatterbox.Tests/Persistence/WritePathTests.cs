using Chatterbox.Grains.Persistence;

namespace Chatterbox.Tests.Persistence;

/// <summary>Every step at which a session writes, and every way in which that can go wrong there.</summary>
public sealed class WritePathTests
{
    public static TheoryData<string> Faults => [.. Enum.GetNames<WriteFault>().Where(name => name != nameof(WriteFault.None))];

    [Theory(DisplayName =
        "[P9] [M2] [R3] whatever goes wrong at whichever write, from migration to clear: what was accepted is what is stored")]
    [MemberData(nameof(Faults))]
    public async Task Each_write_fails_once(string fault)
    {
        var writes = await ScriptAsync(failing: null, default);
        var rows = new HashSet<string>();
        for (var index = 0; index < writes; index++) await ScriptAsync(index, Enum.Parse<WriteFault>(fault), rows);
        // What the sweep has passed: if a step is left out here, the script does not reach it any more.
        Assert.Superset(
            new HashSet<string>(["preferences", "workSessions", "savedVoices", "chunks", "batchItems", "recovery", "history"]),
            rows);
        Assert.Contains(rows, row => row.StartsWith("history-", StringComparison.Ordinal));
    }

    [Theory(DisplayName = "[P9] two writes that follow each other both go wrong")]
    [MemberData(nameof(Faults))]
    [Trait("Category", "Long")]
    public async Task Two_writes_fail(string fault)
    {
        var writes = await ScriptAsync(failing: null, default);
        for (var index = 0; index < writes; index += 2)
        {
            foreach (var second in (WriteFault[])[WriteFault.After, WriteFault.Late, WriteFault.Stale])
            {
                await ScriptAsync(index, Enum.Parse<WriteFault>(fault), [], second);
            }
        }
    }

    /// <summary>A session's life, from rows of before to a clear and what follows it. Returns how many writes it took.</summary>
    private static async Task<int> ScriptAsync(int? failing, WriteFault fault, HashSet<string>? rows = null,
        WriteFault next = WriteFault.None)
    {
        var storage = new MemoryStorage();
        var original = SliceFrame.Encode("""{"version":0,"revision":7,"state":{"useStreaming":true}}"""u8, 0, 1024);
        byte[] damaged = [1, 2, 3];
        (storage["preferences"], storage["chunks"]) = (original, damaged);
        var count = 0;
        storage.Fault = row =>
        {
            var at = count++;
            if (at == failing) rows?.Add(row);
            return at == failing ? fault : at == failing + 1 ? next : WriteFault.None;
        };

        var driver = await SessionDriver.StartAsync(storage);
        await SaveAsync(driver);
        foreach (var id in (string[])["c1", "c2"]) driver.Change(new UpsertChunk(Samples.Chunk(id)));
        driver.Change(new UpsertWorkSession(new() { Id = "s1", Name = "Chapter 1", ChunkIds = ["c1"] }));
        driver.Change(new UpsertVoice(new()
        {
            Id = "v1", Name = "Narrator", Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox),
        }));
        driver.Change(new UpsertBatchItem(new() { Id = "b1", Name = "chapter-1.txt" }));
        driver.Change(new SetStreaming(false));
        await SaveAsync(driver);
        await UntilDone(() => driver.Store.RenewLastGoodAsync(driver.Log.Moment));

        var before = driver.Expected;
        driver.Replace(AppState.Initial with { Chunks = [Samples.Chunk("imported")] });
        await SaveAsync(driver);
        Assert.Equal(before, await driver.ReadBeforeAsync());
        driver.Change(new RemoveChunk("imported"));
        driver.Change(new UpsertChunk(Samples.Chunk("later")));
        await SaveAsync(driver);

        before = driver.Expected;
        driver.Replace(AppState.Initial, isCleared: true);
        await SaveAsync(driver);
        Assert.Null(driver.Store.PersistedVersion);
        Assert.Equal(before, await driver.ReadBeforeAsync());
        driver.Replace((AppState)before);
        await SaveAsync(driver);
        driver.Change(new SetChunkStatus("later", WorkStatus.Error));
        await SaveAsync(driver);

        var history = driver.Session.History;
        var kept = (await history.ListAsync())
            .Where(entry => entry.Reason is HistoryReason.Unreadable or HistoryReason.BeforeMigration).ToArray();
        Assert.Equal([("chunks", HistoryReason.Unreadable), ("preferences", HistoryReason.BeforeMigration)],
            kept.Select(entry => (entry.Slices.Single(), entry.Reason)).Order());
        foreach (var entry in kept)
        {
            Assert.Equal(entry.Slices[0] == "chunks" ? damaged : original, (await history.ReadAsync(entry.Id))!.Rows[0].Bytes);
        }
        foreach (var entry in await history.ListAsync()) await UntilDone(() => history.DropAsync(entry.Id));
        Assert.Empty(await history.ListAsync());
        Assert.DoesNotContain(storage.Rows, row => row.StartsWith("history-", StringComparison.Ordinal));
        return count;
    }

    // Told durable, it is durable: the session dies after each save, and the next one finds it.
    private static async Task SaveAsync(SessionDriver driver)
    {
        await driver.SettleAsync();
        Assert.Equal(driver.Expected, driver.Log.State);
        await driver.CheckNothingLostAsync();
        await driver.CrashAsync();
        Assert.Equal(driver.Expected, driver.Log.State);
        await driver.SettleAsync();
    }

    private static async Task UntilDone(Func<Task> step)
    {
        for (var attempt = 0; attempt < 4; attempt++)
        {
            try
            {
                await step();
                return;
            }
            // Never the storage's own: it would cost the activation, with what it has not saved.
            catch (Exception failure) when (failure is IOException or TimeoutException) { }
        }
        Assert.Fail("It cannot be done.");
    }
}
