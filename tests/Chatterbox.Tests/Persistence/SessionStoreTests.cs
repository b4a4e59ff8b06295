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
    private static readonly GrainId Owner = SessionDriver.Owner;

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
        foreach (var preset in (PersistConfig[])[PersistConfig.AppState, PersistConfig.Minimal,
            PersistConfig.SessionOnly, PersistConfig.Recovery])
        {
            var once = preset.Partialize(state);
            Assert.Equal(once, preset.Partialize(once));
        }
    }, iter: 300);

    [Fact(DisplayName = "[M2] while unreadable bytes cannot be kept in the history, their row is not written over")]
    public async Task Unpreserved_bytes_stay()
    {
        var storage = new MemoryStorage { ["chunks"] = [1, 2, 3] };
        var store = New(storage);
        var loaded = await store.LoadAsync();
        storage.OnWrite = row => row.StartsWith("history", StringComparison.Ordinal) ? throw new IOException("full") : null;
        var changed = loaded with { State = loaded.State.Tts with { Chunks = [Samples.Chunk("new")] }, Revision = 1 };

        await Assert.ThrowsAsync<IOException>(() => store.SaveAsync(changed));
        Assert.Equal([1, 2, 3], storage["chunks"]);

        storage.OnWrite = null;
        await store.SaveAsync(changed);
        Assert.Equal([1, 2, 3], (await store.History.ReadAsync((await store.History.ListAsync()).Single().Id))!.Rows[0].Bytes);
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
        var first = moment with
        {
            State = moment.State.Tts with { Preferences = moment.State.Preferences with { UseStreaming = true } }, Revision = 1,
        };
        if (fault is "after") await Assert.ThrowsAsync<TimeoutException>(() => store.SaveAsync(first));
        else if (fault is "before") await Assert.ThrowsAsync<IOException>(() => store.SaveAsync(first));
        else if (fault is "late")
        {
            await Assert.ThrowsAsync<TimeoutException>(() => store.SaveAsync(first));
            // The write that was given up on is committed behind the next one's back.
            lateCommit = () => storage["preferences"] = new SliceEnvelope(1, AppliedMap.Empty, first.State.Preferences)
                .Encode(Owner, TtsApp.Instance.Stored[0], 1, 1024);
        }
        // Not in the row, so nobody may be told that it is durable.
        else await Assert.ThrowsAsync<InconsistentStateException>(() => store.SaveAsync(first));
        storage.OnWrite = null;
        lateCommit?.Invoke();

        var second = first with
        {
            State = first.State.Tts with { Preferences = first.State.Preferences with { CurrentSessionId = "s" } }, Revision = 2,
        };
        await store.SaveAsync(second);

        Assert.Equal(second.State, (await New(storage).LoadAsync()).State);
    }

    [Theory(DisplayName =
        "[D4] while storage is away each try hands over the latest, under the etag from before, whatever became of the first")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Away(bool firstGotThrough)
    {
        var storage = new MemoryStorage();
        var store = New(storage);
        var moment = await store.LoadAsync();
        var tried = new List<string?>();
        storage.OnTry = (_, etag) => tried.Add(etag);
        storage.OnWrite = _ =>
            firstGotThrough ? () => throw new TimeoutException("no answer") : throw new TimeoutException("no answer");
        await Assert.ThrowsAsync<TimeoutException>(() => store.SaveAsync(Streaming(1)));

        storage.OnRead = _ => throw new StorageUnavailableException("away");
        storage.OnWrite = _ => throw new StorageUnavailableException("away");
        await Assert.ThrowsAsync<StorageUnavailableException>(() => store.SaveAsync(Streaming(2)));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => store.SaveAsync(Streaming(3)));
        Assert.Equal([null, null, null], tried);

        (storage.OnRead, storage.OnWrite) = (null, null);
        await store.SaveAsync(Streaming(4));
        Assert.Equal("4", (await New(storage).LoadAsync()).State.Preferences.CurrentSessionId);

        SessionMoment Streaming(int number) => moment with
        {
            State = moment.State.Tts with { Preferences = moment.State.Preferences with { CurrentSessionId = $"{number}" } },
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
            store.SaveAsync(moment with { State = moment.State.Tts with { Chunks = [Samples.Chunk("mine")] }, Revision = 1 }));

        Assert.Equal(theirs, storage["chunks"]);
    }

    [Fact(DisplayName = "[P4] only the slices that differ are written, and one that fails stops none of the others")]
    public async Task Only_what_differs()
    {
        var storage = new MemoryStorage();
        var store = New(storage);
        var moment = await store.LoadAsync();
        var state = moment.State.Tts with
        {
            Chunks = [Samples.Chunk("c")], Preferences = moment.State.Preferences with { UseStreaming = true },
        };
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
        await store.SaveAsync(new(AppState.Initial, 1, [.. TtsApp.Instance.Stored.Select(_ => AppliedMap.Empty)]));
        Assert.Empty(storage.Writes);
    }

    [Fact(DisplayName =
        "[P6] what has expired is kept as a copy before its first row is written over, and not while it is "
        + "loaded: a full disk locks nobody out")]
    public async Task Expiry()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var brief = PersistConfig.SessionOnly with { ExpiresAfter = TimeSpan.FromMinutes(1) };
        var storage = new MemoryStorage();
        var first = New(storage, brief, clock: clock);
        var state = AppState.Initial with { Chunks = [Samples.Chunk("c1")] };
        await first.SaveAsync(await first.LoadAsync() with { State = state, Revision = 7 });

        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(state, (await New(storage, brief, clock: clock).LoadAsync()).State);
        clock.Advance(TimeSpan.FromTicks(1));
        storage.Fault = _ => WriteFault.Before;
        var store = New(storage, brief, clock: clock);
        var moment = await store.LoadAsync();
        Assert.Equal((AppState.Initial, true, true), (moment.State, moment.IsCleared, store.NeedsSave));
        Assert.Contains("expired", Assert.Single(store.Notices), StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => store.SaveAsync(moment));
        Assert.Single(storage.Writes);
        // It can be restored all the same.
        var expired = Assert.Single(await store.History.ListAsync());
        Assert.Equal((HistoryReason.Expired, "the state of 2026-01-01 00:00:00Z had expired"), (expired.Reason, expired.Detail));
        Assert.Equal(state, await ReadStateAsync(store, expired.Id));

        storage.Fault = null;
        await store.SaveAsync(moment);
        Assert.Equal(["history", "history-0", "chunks"], storage.Writes.Skip(1));
        Assert.Equal((state, false), (await ReadStateAsync(store, expired.Id), store.NeedsSave));
        Assert.Equal((null, AppState.Initial),
            (store.PersistedVersion, (await New(storage, brief, clock: clock).LoadAsync()).State));
    }

    [Fact(DisplayName =
        "[H1] the last good copy is renewed when it is a day old, by an activation that has written; a "
        + "session that only reads writes none")]
    public async Task Last_good_copies()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var storage = new MemoryStorage();
        var store = New(storage, clock: clock);
        var moment = await store.LoadAsync();
        await store.RenewLastGoodAsync(moment);
        Assert.Empty(storage.Writes);
        moment = await ChangeAsync(store, moment, "1");
        await store.RenewLastGoodAsync(moment);
        clock.Advance(TimeSpan.FromDays(1) - TimeSpan.FromTicks(1));
        moment = await ChangeAsync(store, moment, "2");
        await store.RenewLastGoodAsync(moment);
        // Another activation knows how old it is.
        var other = New(storage, clock: clock);
        moment = await ChangeAsync(other, await other.LoadAsync(), "3");
        await other.RenewLastGoodAsync(moment);
        Assert.Single(storage.Writes, row => row == "history-0");
        clock.Advance(TimeSpan.FromTicks(1));
        await other.RenewLastGoodAsync(moment);
        // The new one is stored beside the old one, which then leaves.
        Assert.Equal([("the daily copy", HistoryReason.LastGood)],
            (await other.History.ListAsync()).Select(entry => (entry.Detail, entry.Reason)));
        Assert.Equal("3",
            (await ReadStateAsync(other, (await other.History.ListAsync()).Single().Id))!.Preferences.CurrentSessionId);
        clock.Advance(TimeSpan.FromDays(2));
        var reader = New(storage, clock: clock);
        var writes = storage.Writes.Count;
        await reader.RenewLastGoodAsync(await reader.LoadAsync());
        Assert.Equal(writes, storage.Writes.Count);

        static async Task<SessionMoment> ChangeAsync(SessionStore store, SessionMoment moment, string session)
        {
            var changed = moment with
            {
                State = moment.State.Tts with { Preferences = moment.State.Preferences with { CurrentSessionId = session } },
                Revision = moment.Revision + 1,
            };
            await store.SaveAsync(changed);
            return changed;
        }
    }

    [Fact(DisplayName = "[R3] where a slice that cannot be read starts from is told")]
    public async Task Notices()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var storage = new MemoryStorage { ["chunks"] = [1] };
        var store = New(storage, clock: clock);
        await store.LoadAsync();
        Assert.Equal(
            [
                "The stored chunks could not be read; their 1 bytes are kept in the history: it has 1 "
                + "bytes, fewer than a frame's header",
                "The chunks start from defaults: there is no earlier copy of them.",
            ], store.Notices);

        await store.History.KeepAsync(store.Bundle(HistoryReason.LastGood, "a test",
            AppState.Initial with { Chunks = [Samples.Chunk("c")] }, 3));
        store = New(storage, clock: clock);
        Assert.Equal(["c"], (await store.LoadAsync()).State.Chunks.Select(chunk => chunk.Id));
        Assert.Equal("The chunks start from their last good copy of 2026-01-01 00:00:00Z.", store.Notices[1]);
    }

    [Fact(DisplayName = "[P6] a session expires by what was saved last of it")]
    public async Task Saved_last()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var brief = PersistConfig.SessionOnly with { ExpiresAfter = TimeSpan.FromMinutes(1) };
        var storage = new MemoryStorage();
        var store = New(storage, brief, clock: clock);
        var state = AppState.Initial with { Chunks = [Samples.Chunk("c1")] };
        var moment = await store.LoadAsync() with { State = state, Revision = 7 };
        await store.SaveAsync(moment);
        clock.Advance(TimeSpan.FromSeconds(50));
        state = state with { BatchItems = [new() { Id = "b", Name = "n" }] };
        await store.SaveAsync(moment with { State = state, Revision = 8 });
        clock.Advance(TimeSpan.FromSeconds(50));
        Assert.Equal(state, (await New(storage, brief, clock: clock).LoadAsync()).State);
    }

    [Fact(DisplayName = "[P9] of several failures a conflict is the one that is told")]
    public async Task Conflict_first()
    {
        var storage = new MemoryStorage();
        var store = New(storage);
        var moment = await store.LoadAsync();
        await SaveAsync(storage, AppState.Initial with { Chunks = [Samples.Chunk("theirs")] });
        storage.OnWrite = row => row == "preferences" ? throw new IOException("full") : null;
        var state = moment.State.Tts with
        {
            Preferences = moment.State.Preferences with { UseStreaming = true }, Chunks = [Samples.Chunk("mine")],
        };
        await Assert.ThrowsAsync<SessionConflictException>(() => store.SaveAsync(moment with { State = state, Revision = 1 }));
    }

    [Fact(DisplayName = "[P6] a store's own threshold of compression counts")]
    public async Task Threshold()
    {
        var storage = new MemoryStorage();
        var store = New(storage, PersistConfig.AppState with { CompressionThreshold = 1_000_000 });
        var state = AppState.Initial with { Chunks = [.. Enumerable.Range(0, 50).Select(number => Samples.Chunk($"c{number}"))] };
        await store.SaveAsync(await store.LoadAsync() with { State = state, Revision = 7 });
        Assert.Equal((byte)FrameCodec.None, storage["chunks"]![4]);
    }

    [Fact(DisplayName =
        "[M3] a session stored by a newer build is shown as far as it is understood, and whatever is asked nothing is written")]
    public async Task Read_only()
    {
        var storage = new MemoryStorage
        {
            ["preferences"] = Frames.Of(
                """{"version":2,"revision":7,"applied":{"c":3},"state":{"useStreaming":true,"shape":"new"}}""", version: 2),
            ["chunks"] = Frames.Of("""{"version":2,"revision":9,"shape":"new","state":{}}""", version: 2),
            ["savedVoices"] = [1],
            ["batchItems"] = Frames.Of("""{"version":0,"revision":1,"state":[]}""", version: 0),
        };
        var store = New(storage, PersistConfig.AppState with { ExpiresAfter = TimeSpan.FromSeconds(1) });
        var moment = await store.LoadAsync();
        Assert.Equal((true, 7, 3), (moment.State.Preferences.UseStreaming, moment.Revision, moment.Applied[0]["c"]));
        Assert.Contains("schema 2; this silo knows 1", store.ReadOnly, StringComparison.Ordinal);
        Assert.False(store.NeedsSave);
        Assert.Equal(2, store.PersistedVersion);
        await store.SaveAsync(moment with { State = AppState.Initial with { Chunks = [Samples.Chunk("c")] }, Revision = 10 });
        await store.RenewLastGoodAsync(moment);
        Assert.Empty(storage.Writes);

        // The newer build has left again.
        storage["preferences"] = storage["chunks"] = null;
        await store.LoadAsync();
        Assert.Null(store.ReadOnly);
    }

    [Fact(DisplayName = "[A3] what is stored is described slice by slice, with what the rows take; writes are counted")]
    public async Task Description()
    {
        var storage = new MemoryStorage();
        var store = New(storage);
        var state = AppState.Initial with { Chunks = [Samples.Chunk("c1"), Samples.Chunk("c2")] };
        await store.SaveAsync(await store.LoadAsync() with { State = state, Revision = 7 });
        Assert.Equal(
            [(TtsSlice.Preferences, 1, 0), (TtsSlice.WorkSessions, 0, 0), (TtsSlice.SavedVoices, 0, 0),
                (TtsSlice.Chunks, 2, storage["chunks"]!.Length), (TtsSlice.BatchItems, 0, 0)],
            store.Describe(state).Select(slice => (slice.Slice, slice.Items, slice.Bytes)));
        Assert.Equal((1, storage["chunks"]!.Length, 1), (store.RowWrites, store.BytesWritten, store.PersistedVersion));
    }

    [Fact(DisplayName = "[M1] a migrated slice is written once, its original kept; a slice that was cleared needs no migration")]
    public async Task Migrated_once()
    {
        var original = Frames.Of("""{"version":0,"revision":7,"applied":{"c":3},"state":{"useStreaming":true}}""", version: 0);
        var storage = new MemoryStorage
        {
            ["preferences"] = original, ["chunks"] = Frames.Of("""{"version":0,"revision":7,"applied":{"c":5}}""", version: 0),
        };
        var store = New(storage);
        var moment = await store.LoadAsync();
        Assert.Equal((true, 3, 5), (store.NeedsSave, moment.Applied[0]["c"], moment.Applied[3]["c"]));
        await store.SaveAsync(moment);
        await store.SaveAsync(moment);
        Assert.Equal(["history", "history-0", "preferences"], storage.Writes);
        var kept = Assert.Single(await store.History.ListAsync());
        Assert.Equal(original, (await store.History.ReadAsync(kept.Id))!.Rows[0].Bytes);
        Assert.Equal((HistoryReason.BeforeMigration, "version 0, before its migration to 1", 0),
            (kept.Reason, kept.Detail, kept.SchemaVersion));
        var again = New(storage);
        Assert.Equal((moment.State, false, 1), ((await again.LoadAsync()).State, again.NeedsSave, again.PersistedVersion));
    }

    /// <summary>An entry of the history as the state that restoring it gives, from the initial one.</summary>
    internal static async Task<AppState?> ReadStateAsync(SessionStore store, string id) =>
        (await store.History.ReadAsync(id))?.Rows.Aggregate(AppState.Initial, (state, row) =>
        {
            var slice = TtsApp.Instance.Stored.Single(each => each.Name == row.Name);
            return (AppState)slice.With(state, store.Read(slice, row.Bytes).Envelope.Value ?? slice.Get(AppState.Initial));
        });

    internal static SessionStore New(MemoryStorage storage, PersistConfig? config = null, GrainId? owner = null,
        MigrationChain? migrations = null, TimeProvider? clock = null) =>
        new(storage, owner ?? Owner, config ?? PersistConfig.AppState with { Partialize = state => state },
            migrations ?? new([new DefaultEngineAndParameters()]), new ChatterboxOptions(),
            clock ?? new FakeTimeProvider(), NullLogger.Instance);

    private static async Task SaveAsync(MemoryStorage storage, AppState state)
    {
        var store = New(storage);
        await store.SaveAsync(await store.LoadAsync() with { State = state, Revision = 7 });
    }
}
