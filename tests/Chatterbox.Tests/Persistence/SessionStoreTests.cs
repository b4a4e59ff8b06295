using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Storage;

namespace Chatterbox.Tests.Persistence;

public sealed class SessionStoreTests
{
    private static readonly GrainId Owner = GrainId.Create("session", "alice/app-state");

    [Fact(DisplayName = "[P7] a random state that is saved is loaded the same")]
    public void States_round_trip() => States.Any.Sample(state =>
    {
        var storage = new MemoryStorage();
        SaveAsync(storage, state).Wait();
        var loaded = New(storage).LoadAsync().Result;
        Assert.Equal(state with { Runtime = RuntimeState.Default }, loaded.State);
        Assert.Equal(7, loaded.Revision);
    }, iter: 300);

    [Fact(DisplayName = "[P6] partialize done twice is partialize done once, for every preset")]
    public void Partialize_is_idempotent() => States.Any.Sample(state =>
    {
        foreach (var preset in (PersistConfig[])[PersistConfig.AppState, PersistConfig.Minimal, PersistConfig.SessionOnly, PersistConfig.Recovery])
        {
            var once = preset.Partialize(state);
            Assert.Equal(once, preset.Partialize(once));
        }
    }, iter: 300);

    [Fact(DisplayName = "[M2] random damage never stops loading, never costs another slice, and leaves the bytes intact in quarantine")]
    public void Damage() => Gen.Select(States.Any, Gen.Int[0, 4], Gen.Int[0, 5], Gen.Int).Sample((state, victim, kind, seed) =>
    {
        var storage = new MemoryStorage();
        SaveAsync(storage, state).Wait();
        var slice = SliceDefinition.All[victim];
        if (storage[slice.Name] is not { } row) return;
        var damaged = States.Damage(row, kind, new Random(seed), storage[SliceDefinition.All[(victim + 1) % 5].Name] ?? [9]);
        if (damaged.AsSpan().SequenceEqual(row)) return;
        storage[slice.Name] = damaged;

        var store = New(storage);
        var loaded = store.LoadAsync().Result;
        var isReadable = kind == 4 && store.Notices.Count == 0;
        foreach (var other in SliceDefinition.All.Where(other => other != slice))
        {
            Assert.Equal(other.Get(state), other.Get(loaded.State));
        }
        // A swapped row can be a valid row: two lists that are empty, say.
        if (isReadable) return;
        Assert.NotEmpty(store.Notices);
        store.SaveAsync(loaded).Wait();
        var kept = Assert.Single(store.Quarantine.ListAsync().Result);
        Assert.Equal(damaged, store.Quarantine.ReadAsync(kept.Id).Result);
    }, iter: 500);

    [Fact(DisplayName = "[M2] while the bytes cannot be kept in quarantine, their row is not written over")]
    public async Task Unpreserved_bytes_stay()
    {
        var storage = new MemoryStorage { ["chunks"] = [1, 2, 3] };
        var store = New(storage);
        var loaded = await store.LoadAsync();
        storage.OnWrite = row => row.StartsWith("quarantine", StringComparison.Ordinal) ? throw new IOException("full") : null;
        var changed = loaded with { State = loaded.State with { Chunks = [Samples.Chunk("new")] }, Revision = 1 };

        await Assert.ThrowsAsync<IOException>(() => store.SaveAsync(changed));
        Assert.Equal([1, 2, 3], storage["chunks"]);

        storage.OnWrite = null;
        await store.SaveAsync(changed);
        Assert.Equal([1, 2, 3], await store.Quarantine.ReadAsync((await store.Quarantine.ListAsync()).Single().Id));
        Assert.Equal(["new"], (await New(storage).LoadAsync()).State.Chunks.Select(chunk => chunk.Id));
    }

    public static TheoryData<string> Faults => ["before", "after", "stale", "late"];

    [Theory(DisplayName = "[P9] whatever became of a write, the next one finds out and goes on from there")]
    [MemberData(nameof(Faults))]
    public async Task Unknown_outcomes(string fault)
    {
        var storage = new MemoryStorage();
        var store = New(storage);
        var moment = await store.LoadAsync();
        var lateCommit = default(Action);
        storage.OnWrite = row => fault switch
        {
            _ when row != "preferences" => null,
            "before" => throw new IOException("no connection"),
            "stale" => throw new InconsistentStateException("says the database"),
            "late" => throw new TimeoutException("no answer"),
            _ => () => throw new TimeoutException("no answer"),
        };
        var first = moment with { State = moment.State with { Preferences = moment.State.Preferences with { UseStreaming = true } }, Revision = 1 };
        if (fault is "after") await Assert.ThrowsAsync<TimeoutException>(() => store.SaveAsync(first));
        else if (fault is "before") await Assert.ThrowsAsync<IOException>(() => store.SaveAsync(first));
        else if (fault is "late")
        {
            await Assert.ThrowsAsync<TimeoutException>(() => store.SaveAsync(first));
            // The write that was given up on is committed behind the next one's back.
            lateCommit = () => storage["preferences"] = new SliceEnvelope(1, AppliedMap.Empty, first.State.Preferences).Encode(SliceDefinition.All[0], 1, 1024);
        }
        // Not in the row, so nobody may be told that it is durable.
        else await Assert.ThrowsAsync<InconsistentStateException>(() => store.SaveAsync(first));
        storage.OnWrite = null;
        lateCommit?.Invoke();

        var second = first with { State = first.State with { Preferences = first.State.Preferences with { CurrentSessionId = "s" } }, Revision = 2 };
        await store.SaveAsync(second);

        Assert.Equal(second.State, (await New(storage).LoadAsync()).State);
    }

    [Theory(DisplayName = "[D4] while storage is away each try hands over the latest, under the etag from before, whatever became of the first")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Away(bool firstGotThrough)
    {
        var storage = new MemoryStorage();
        var store = New(storage);
        var moment = await store.LoadAsync();
        var tried = new List<string?>();
        storage.OnTry = (_, etag) => tried.Add(etag);
        storage.OnWrite = _ => firstGotThrough ? () => throw new TimeoutException("no answer") : throw new TimeoutException("no answer");
        await Assert.ThrowsAsync<TimeoutException>(() => store.SaveAsync(Streaming(1)));

        storage.OnRead = storage.OnWrite = _ => throw new StorageUnavailableException("away");
        await Assert.ThrowsAsync<StorageUnavailableException>(() => store.SaveAsync(Streaming(2)));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => store.SaveAsync(Streaming(3)));
        Assert.Equal([null, null, null], tried);

        storage.OnRead = storage.OnWrite = null;
        await store.SaveAsync(Streaming(4));
        Assert.Equal("4", (await New(storage).LoadAsync()).State.Preferences.CurrentSessionId);

        SessionMoment Streaming(int number) => moment with
        {
            State = moment.State with { Preferences = moment.State.Preferences with { CurrentSessionId = $"{number}" } },
            Revision = number,
        };
    }

    [Fact(DisplayName = "[P9] a row that somebody else has written is a conflict, and is not written over")]
    public async Task Foreign_writes()
    {
        var storage = new MemoryStorage();
        var store = New(storage);
        var moment = await store.LoadAsync();
        await SaveAsync(storage, AppState.Initial with { Chunks = [Samples.Chunk("theirs")] });
        var theirs = storage["chunks"];

        await Assert.ThrowsAsync<SessionConflictException>(() =>
            store.SaveAsync(moment with { State = moment.State with { Chunks = [Samples.Chunk("mine")] }, Revision = 1 }));

        Assert.Equal(theirs, storage["chunks"]);
    }

    [Fact(DisplayName = "[P4] only the slices that differ are written, and one that fails stops none of the others")]
    public async Task Only_what_differs()
    {
        var storage = new MemoryStorage();
        var store = New(storage);
        var moment = await store.LoadAsync();
        var state = moment.State with { Chunks = [Samples.Chunk("c")], Preferences = moment.State.Preferences with { UseStreaming = true } };
        storage.OnWrite = row => row == "chunks" ? throw new IOException("full") : null;
        await Assert.ThrowsAsync<IOException>(() => store.SaveAsync(moment with { State = state, Revision = 1 }));
        Assert.Equal(["preferences"], storage.Writes);

        storage.OnWrite = null;
        await store.SaveAsync(moment with { State = state, Revision = 1 });
        await store.SaveAsync(moment with { State = state, Revision = 1 });
        Assert.Equal(["preferences", "chunks"], storage.Writes);
    }

    [Fact(DisplayName = "[P10] after a load that failed nothing is known and nothing is written")]
    public async Task Failed_loads()
    {
        var storage = new MemoryStorage();
        await SaveAsync(storage, AppState.Initial with { Chunks = [Samples.Chunk("stored")] });
        storage.Writes.Clear();
        var store = New(storage);
        Assert.False(store.NeedsSave);
        await store.SaveAsync(new(AppState.Initial, 1, [.. SliceDefinition.All.Select(_ => AppliedMap.Empty)]));
        Assert.Empty(storage.Writes);
    }

    internal static SessionStore New(MemoryStorage storage, PersistConfig? config = null) => new(storage, Owner,
        config ?? PersistConfig.AppState with { Partialize = state => state }, new([new DefaultEngineAndParameters()]), new ChatterboxOptions(),
        new FakeTimeProvider(), NullLogger.Instance);

    private static async Task SaveAsync(MemoryStorage storage, AppState state)
    {
        var store = New(storage);
        await store.SaveAsync(await store.LoadAsync() with { State = state, Revision = 7 });
    }
}
