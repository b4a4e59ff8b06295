using Chatterbox.Grains.Persistence;
using CsCheck;

namespace Chatterbox.Tests.Persistence;

/// <summary>Rows as a defect, a disk or a wrong statement may leave them. CsCheck prints the seed of what fails.</summary>
public sealed class DamageTests
{
    private static readonly GrainId Neighbour = GrainId.Create("chatterbox.session", "bob/app-state");

    private static readonly string[] Kinds =
    [
        "bit flip", "truncation", "something after it", "wrong magic", "nothing", "another slice's row",
        "another user's row", "another user's other row",
        "a small bomb", "a bomb that says what it is", "a bomb that says too much", "no JSON", "JSON of something else",
        "an empty object", "null", "a state alone",
        "a list of nulls", "a negative revision", "deep nesting", "the frame of an old version that cannot be migrated",
    ];

    [Fact(DisplayName =
        "[M2] [X3] random damage to any slice never stops loading, never costs another slice, and ends in the "
        + "history with the bytes intact")]
    [Trait("Category", "Long")]
    public void Damage() => Gen.Select(States.Any, States.Any, Gen.Int[0, 4], Gen.Int[0, Kinds.Length - 1], Gen.Int)
        .Sample((state, neighbour, victim, kind, seed) => DamageOneAsync(state, neighbour, victim, Kinds[kind], seed).Wait(),
            iter: 400);

    // As long as a sample may miss one, each is also tried by name.
    public static TheoryData<string> EachKind => [.. Kinds];

    [Theory(DisplayName = "[M2] [X3] each kind of damage is noticed in each slice")]
    [MemberData(nameof(EachKind))]
    public async Task Each(string kind)
    {
        for (var victim = 0; victim < 5; victim++) await DamageOneAsync(Full, Full, victim, kind, seed: 1);
    }

    [Theory(DisplayName =
        "[X3] [H1] damage to the rows beside the slices locks nobody out and costs no slice; a history without "
        + "its index is read from its rows")]
    [InlineData("history-0")]
    [InlineData("history-1")]
    [InlineData("recovery")]
    [InlineData("history")]
    public async Task Other_rows(string victim)
    {
        byte[][] damages = [[], [1, 2, 3], Frames.Of("{}"), Frames.Of("null"), Frames.Of("[null]"), Frames.Of("[1,2]"),
            Frames.Of("""{"state":{}}"""), Frames.Of("""{"state":7,"at":"x"}"""),
            Frames.Of("""{"isGenerating":true,"chunks":null}"""), Frames.Of("""[{"client":"c"}]"""),
            Frames.Bomb(1000), Frames.Of("{}", version: 9)];
        foreach (var damage in damages)
        {
            var storage = new MemoryStorage();
            var store = await SaveAsync(storage, Full);
            await store.RenewLastGoodAsync(await store.LoadAsync());
            store.History.Add(store.Bundle(HistoryReason.BeforeImport, "a test", Full with { BatchItems = [] }, 7));
            await store.History.SaveAsync();
            storage[victim] = damage;
            // A slice that is lost as well makes the session ask for its last good copy.
            storage["chunks"] = [9];

            var loaded = SessionStoreTests.New(storage);
            var moment = await loaded.LoadAsync();
            Assert.Equal(victim == "history-0" ? Full with { Chunks = [] } : Full, moment.State);
            await loaded.SaveAsync(moment);
            loaded.History.Add(loaded.Bundle(HistoryReason.BeforeClear, "another", Full, 8));
            await loaded.History.SaveAsync();
            await loaded.RenewLastGoodAsync(moment with { Revision = 8 });

            var kept = await loaded.History.ListAsync();
            Assert.Equal(["beforeClear", "unreadable", "beforeImport", "lastGood"], kept.Select(entry => entry.Reason.Name()));
            foreach (var entry in kept)
            {
                if (victim == $"history-{entry.Slot}")
                {
                    await Assert.ThrowsAnyAsync<Exception>(() => loaded.History.ReadAsync(entry.Id));
                }
                else
                {
                    Assert.NotNull(await loaded.History.ReadAsync(entry.Id));
                }
            }
        }
    }

    [Fact(DisplayName = "[M2] an object that is no envelope does not pass for a slice that was cleared")]
    public async Task Not_a_tombstone()
    {
        var storage = new MemoryStorage { ["chunks"] = Frames.Of("""{"version":1,"chunks":[]}""") };
        var store = SessionStoreTests.New(storage);
        await store.LoadAsync();
        Assert.Contains(store.Notices, notice => notice.Contains("no revision", StringComparison.Ordinal));
    }

    [Fact(DisplayName =
        "[P7] [X1] a row says whose it is; one from before rows said so is taken as it is, and what is "
        + "told does not name the other user")]
    public async Task Rows_of_others()
    {
        var storage = new MemoryStorage();
        var theirs = new MemoryStorage();
        await SaveAsync(theirs, Full, Neighbour);
        storage["chunks"] = theirs["chunks"];
        var store = SessionStoreTests.New(storage);
        var moment = await store.LoadAsync();
        Assert.Empty(moment.State.Chunks);
        Assert.DoesNotContain("bob",
            Assert.Single(store.Notices, notice => notice.Contains("another row", StringComparison.Ordinal)),
            StringComparison.Ordinal);
        await store.SaveAsync(moment);
        var entry = Assert.Single(await store.History.ListAsync());
        var row = (await store.History.ReadAsync(entry.Id))!.Rows[0];
        Assert.Equal(CheckOutcome.Unreadable, store.Read(TtsApp.Chunks, row.Bytes).Outcome);

        storage["chunks"] = Frames.Of("""{"version":1,"revision":3,"applied":{},"state":[]}""");
        var again = SessionStoreTests.New(storage);
        await again.LoadAsync();
        Assert.Empty(again.Notices);
    }

    private static AppState Full =>
        State.ReducerTests.Apply(AppState.Initial, new UpsertChunk(Samples.Chunk("c1")), new SetStreaming(true),
            new UpsertWorkSession(new() { Id = "s", Name = "n" }),
            new UpsertVoice(new() { Id = "v", Name = "n", Parameters = new() }),
            new UpsertBatchItem(new() { Id = "b", Name = "n" }));

    private static async Task DamageOneAsync(AppState state, AppState neighbour, int victim, string kind, int seed)
    {
        var (storage, theirs) = (new MemoryStorage(), new MemoryStorage());
        await SaveAsync(storage, state);
        await SaveAsync(theirs, neighbour, Neighbour);
        var slice = TtsApp.Instance.Stored[victim];
        var other = TtsApp.Instance.Stored[(victim + 1) % 5];
        var row = storage[slice.Name] ?? Frames.Of("[]");
        var damaged = Damaged(row, kind, new Random(seed), storage[other.Name], theirs[slice.Name], theirs[other.Name]);
        storage[slice.Name] = damaged;

        var store = SessionStoreTests.New(storage);
        var loaded = await store.LoadAsync();
        foreach (var each in TtsApp.Instance.Stored)
        {
            Assert.Equal(each.Get(each == slice ? AppState.Initial : state), each.Get(loaded.State));
        }
        Assert.NotEmpty(store.Notices);
        await store.SaveAsync(loaded);
        var kept = Assert.Single(await store.History.ListAsync());
        Assert.Equal((slice.Name, HistoryReason.Unreadable, damaged.Length), (kept.Slices.Single(), kept.Reason, kept.Length));
        Assert.Equal(damaged, (await store.History.ReadAsync(kept.Id))!.Rows[0].Bytes);

        // Once kept, it is written over: the next load has nothing to say.
        var next = SessionStoreTests.New(storage);
        Assert.Equal(loaded.State, (await next.LoadAsync()).State);
        Assert.Empty(next.Notices);
        Assert.False(next.NeedsSave);
    }

    private static byte[] Damaged(byte[] row, string kind, Random random, byte[]? otherRow,
        byte[]? theirRow, byte[]? theirOtherRow)
    {
        var damaged = (byte[])row.Clone();
        switch (kind)
        {
            case "bit flip":
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                return damaged;
            case "truncation": return damaged[..random.Next(damaged.Length)];
            case "something after it": return [.. damaged, 1];
            case "wrong magic":
                damaged[random.Next(4)] = (byte)'x';
                return Frames.Sign(damaged);
            case "nothing": return [];
            case "another slice's row": return otherRow ?? [7];
            case "another user's row": return theirRow ?? [7];
            case "another user's other row": return theirOtherRow ?? [7];
            case "a small bomb": return Frames.Bomb(random.Next(1, 5000));
            case "a bomb that says what it is": return Frames.Bomb(8 * 1024 * 1024);
            case "a bomb that says too much": return Frames.Bomb(random.Next(2) == 0 ? int.MaxValue : -1);
            case "no JSON": return Frames.Of("{\"version\":1,\"rev");
            case "JSON of something else":
                return Frames.Of($"{{\"version\":1,\"revision\":1,\"applied\":{{}},\"state\":{random.Next()}}}");
            case "an empty object": return Frames.Of("{}");
            case "null": return Frames.Of("null");
            case "a state alone": return Frames.Of("[]");
            case "a list of nulls": return Frames.Of("""{"version":1,"revision":1,"applied":{},"state":[null]}""");
            case "a negative revision": return Frames.Of("""{"version":1,"revision":-1,"applied":{}}""");
            case "deep nesting":
                return Frames.Of($$"""{"version":1,"revision":1,"deep":{{new string('[', 100)}}{{new string(']', 100)}}}""");
            default: return Frames.Of("""{"version":0,"revision":1,"applied":{},"state":"text"}""", version: 0);
        }
    }

    private static async Task<SessionStore> SaveAsync(MemoryStorage storage, AppState state, GrainId? owner = null)
    {
        var store = SessionStoreTests.New(storage, owner: owner);
        await store.SaveAsync(await store.LoadAsync() with { State = state, Revision = 7 });
        return store;
    }
}
