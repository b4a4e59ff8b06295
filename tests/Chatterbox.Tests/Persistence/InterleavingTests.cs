using Chatterbox.Grains.Persistence;

namespace Chatterbox.Tests.Persistence;

/// <summary>What happens to a session while one of its writes or loads is under way.</summary>
public sealed class InterleavingTests
{
    [Fact(DisplayName = "[R3] [P9] a clear is not undone by a write in flight, and can be come back from")]
    public async Task A_clear_during_a_write()
    {
        var storage = new MemoryStorage();
        var driver = await SessionDriver.StartAsync(storage);
        driver.Change(new UpsertChunk(Samples.Chunk("c1")));
        var gate = Hold(storage, "chunks");
        var saving = driver.Writer.FlushAsync();
        await gate.Entered;

        var before = driver.Expected;
        var clearing = driver.ClearAsync();
        gate.Release();

        Assert.Null(await saving);
        Assert.Null((await clearing).Failure);
        Assert.Equal(["chunks", "chunks"], storage.Writes.Where(row => row == "chunks"));
        await driver.CrashAsync();
        Assert.Equal(AppState.Initial, driver.Log.State);
        Assert.Null(driver.Store.PersistedVersion);
        Assert.Equal(before, await driver.ReadBeforeAsync());
    }

    [Theory(DisplayName =
        "[R4] [P9] an import or a clear that waits to be written survives that somebody else has "
        + "written: it is of the whole state")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_replacement_survives_a_conflict(bool isCleared)
    {
        var storage = new MemoryStorage();
        var driver = await SessionDriver.StartAsync(storage);
        driver.Change(new UpsertChunk(Samples.Chunk("mine")));
        await driver.SettleAsync();
        await WriteElsewhereAsync(storage, state => state with { Chunks = state.Chunks.Add(Samples.Chunk("theirs")) });

        driver.Replace(isCleared ? AppState.Initial : AppState.Initial with { SavedVoices = [Voice("imported")] }, isCleared);
        driver.Change(new UpsertBatchItem(new() { Id = "after", Name = "after" }));
        await driver.SettleAsync();

        Assert.Equal(driver.Expected, driver.Log.State);
        await driver.CrashAsync();
        Assert.Equal(driver.Expected, driver.Log.State);
        // What they had written was replaced unseen; it is in the history.
        var theirs = Assert.Single(await driver.Session.History.ListAsync(), entry => entry.Reason is HistoryReason.Overtaken);
        Assert.Equal(["mine", "theirs"],
            (await SessionStoreTests.ReadStateAsync(driver.Store, theirs.Id))!.Chunks.Select(chunk => chunk.Id));
    }

    [Fact(DisplayName = "[P9] an import that arrives while the session is loaded again is what is stored in the end")]
    public async Task A_replacement_during_a_load()
    {
        var storage = new MemoryStorage();
        var driver = await SessionDriver.StartAsync(storage);
        driver.Change(new UpsertChunk(Samples.Chunk("old")));
        await driver.SettleAsync();
        var (entered, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        storage.OnRead = async row =>
        {
            if (row != "batchItems") return;
            entered.TrySetResult();
            await release.Task;
        };
        var loading = driver.Session.RehydrateAsync();
        await entered.Task;

        driver.Replace(AppState.Initial with { Chunks = [Samples.Chunk("imported")] });
        driver.Change(new UpsertChunk(Samples.Chunk("after")));
        release.SetResult();
        Assert.Null((await loading).Failure);
        await driver.SettleAsync();

        Assert.Equal(["imported", "after"], driver.Log.State.Chunks.Select(chunk => chunk.Id));
        await driver.CrashAsync();
        Assert.Equal(["imported", "after"], driver.Log.State.Chunks.Select(chunk => chunk.Id));
    }

    [Fact(DisplayName = "[P9] a session that is loaded again takes in what others wrote, and keeps what it had not saved")]
    public async Task Loading_again()
    {
        var storage = new MemoryStorage();
        var driver = await SessionDriver.StartAsync(storage);
        driver.Change(new UpsertChunk(Samples.Chunk("mine")));
        await driver.SettleAsync();
        await WriteElsewhereAsync(storage, state => state with { SavedVoices = [Voice("theirs")] });
        driver.Session.LoadAgain("a test");
        driver.Log.ApplyOwn(new SetStreaming(true));
        Assert.Null(await driver.Writer.FlushAsync());

        Assert.Equal(["mine"], driver.Log.State.Chunks.Select(chunk => chunk.Id));
        Assert.Equal(["theirs"], driver.Log.State.SavedVoices.Select(voice => voice.Id));
        Assert.True(driver.Log.State.Preferences.UseStreaming);
        Assert.Equal(1, driver.Resets);
        Assert.Equal(0, driver.Log.Revision - driver.Log.DurableRevision);
    }

    [Fact(DisplayName =
        "[P9] a conflict after which the rows cannot be read stays a conflict: what somebody else "
        + "has written is not written over")]
    public async Task A_load_that_fails_after_a_conflict()
    {
        var storage = new MemoryStorage();
        var driver = await SessionDriver.StartAsync(storage);
        driver.Change(new UpsertChunk(Samples.Chunk("mine")));
        await driver.SettleAsync();
        await WriteElsewhereAsync(storage, state => state with { Chunks = state.Chunks.Add(Samples.Chunk("theirs")) });

        var failures = 3;
        storage.OnRead = row =>
            row == "preferences" && failures-- > 0 ? throw new IOException("cannot be read") : Task.CompletedTask;
        driver.Change(new UpsertChunk(Samples.Chunk("unsaved")));
        await driver.SettleAsync();

        Assert.True(failures < 0);
        Assert.Equal(["mine", "theirs", "unsaved"], driver.Log.State.Chunks.Select(chunk => chunk.Id));
        Assert.Equal(["mine", "theirs", "unsaved"],
            (await SessionStoreTests.New(storage).LoadAsync()).State.Chunks.Select(chunk => chunk.Id));
    }

    [Fact(DisplayName =
        "[P2] what changes while a write is under way is told durable with the next write, and not with this one")]
    public async Task Changes_during_a_write()
    {
        var storage = new MemoryStorage();
        var driver = await SessionDriver.StartAsync(storage);
        driver.Change(new UpsertChunk(Samples.Chunk("c1")));
        var gate = Hold(storage, "chunks");
        var saving = driver.Writer.FlushAsync();
        await gate.Entered;
        driver.Change(new UpsertChunk(Samples.Chunk("c2")));
        gate.Release();
        Assert.Null(await saving);
        Assert.Equal(driver.Log.Revision - 1, driver.Log.DurableRevision);
        await driver.CheckNothingLostAsync();
        await driver.SettleAsync();
        Assert.Equal(2, driver.Saves);
    }

    [Fact(DisplayName =
        "[M3] rows that another activation of a newer version has written make the session read-only, and stay as they are")]
    public async Task A_newer_version_takes_over()
    {
        var storage = new MemoryStorage();
        var driver = await SessionDriver.StartAsync(storage);
        driver.Change(new UpsertChunk(Samples.Chunk("mine")));
        await driver.SettleAsync();
        var newer = SliceFrame.Encode("""{"version":9,"revision":70,"applied":{},"state":[],"shape":"new"}"""u8, 9, 1024);
        storage["chunks"] = newer;
        driver.Change(new UpsertChunk(Samples.Chunk("unsaved")));
        await driver.AdvanceAsync(TimeSpan.FromSeconds(5));

        Assert.Contains("schema 9", driver.Store.ReadOnly, StringComparison.Ordinal);
        Assert.Equal(newer, storage["chunks"]);
        Assert.Equal(1, driver.Unsaved);
    }

    private static SavedVoice Voice(string id) =>
        new() { Id = id, Name = id, Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox) };

    private static async Task WriteElsewhereAsync(MemoryStorage storage, Func<AppState, AppState> change)
    {
        var other = SessionStoreTests.New(storage);
        var moment = await other.LoadAsync();
        await other.SaveAsync(moment with { State = change((AppState)moment.State), Revision = moment.Revision + 1 });
    }

    private static (Task Entered, Action Release) Hold(MemoryStorage storage, string held)
    {
        var (entered, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        storage.Slow = async row =>
        {
            if (row != held) return;
            entered.TrySetResult();
            await release.Task;
        };
        return (entered.Task, release.SetResult);
    }
}
