using System.Text;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage.Fallback;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Storage;

namespace Chatterbox.Tests.Storage;

public sealed class FallbackTests : IAsyncLifetime, IDisposable
{
    private const string Slice = "preferences";
    private static readonly GrainId Alice = GrainId.Create("session", "alice/app-state");

    private readonly string folder = Directory.CreateTempSubdirectory("chatterbox-").FullName;
    private readonly FakeTimeProvider clock = new();
    private readonly FakeDatabase database = new();
    private FallbackOwner owner = new("database A", "service");
    private long limit = 1L << 30;
    private HistoryRetention retention = HistoryRetention.Of(new());
    private FallbackFile file = null!;
    private FallbackGrainStorage storage = null!;

    public Task InitializeAsync() => StartAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        storage.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact(DisplayName = "[D4] while the database is away a write fails, and its frame is in the local file")]
    public async Task Keeps_what_the_database_did_not_take()
    {
        database.Away = true;

        await Assert.ThrowsAsync<WriteOutcomeUnknownException>(() => storage.WriteStateAsync(Slice, Alice, Frame("unsaved")));

        Assert.Equal(1, storage.PendingFrames);
        Assert.NotNull(storage.DegradedSince);
    }

    [Fact(DisplayName =
        "[D4] once it is known to be away the database is not asked by every write; frames are kept all the same")]
    public async Task Fails_fast_while_away()
    {
        database.Away = true;
        foreach (var user in Enumerable.Range(0, 50))
            await Assert.ThrowsAnyAsync<Exception>(() =>
                storage.WriteStateAsync(Slice, GrainId.Create("session", $"user{user}"), Frame("x")));

        Assert.Equal(1, database.Asked);
        Assert.Equal(50, storage.PendingFrames);
    }

    [Fact(DisplayName = "[D4] a session that gets through by itself makes its frame in the file superfluous")]
    public async Task Forgets_when_the_session_gets_through()
    {
        var state = Frame("first try");
        database.Away = true;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, state));
        database.Away = false;
        clock.Advance(TimeSpan.FromSeconds(30));

        state.State = Frame("second try").State;
        await storage.WriteStateAsync(Slice, Alice, state);

        Assert.Equal(0, storage.PendingFrames);
        Assert.Null(storage.DegradedSince);
        Assert.Equal("second try", database.Text(Slice, Alice));
    }

    [Fact(DisplayName = "[D4] sessions that are alive come first: replay waits until they have had time")]
    public async Task Replays_after_a_grace()
    {
        database.Away = true;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, Frame("unsaved")));
        database.Away = false;
        clock.Advance(TimeSpan.FromSeconds(30));

        await storage.ReplayIfDueAsync();
        Assert.Null(storage.DegradedSince);
        Assert.Equal(1, storage.PendingFrames);

        clock.Advance(FallbackGrainStorage.Grace);
        await storage.ReplayIfDueAsync();
        Assert.Equal(0, storage.PendingFrames);
        Assert.Equal("unsaved", database.Text(Slice, Alice));
    }

    [Fact(DisplayName = "[D4] what a silo that died left in the file is replayed at the next start, the last frame of each row")]
    public async Task Replays_at_the_next_start()
    {
        var state = Frame("stored");
        await storage.WriteStateAsync(Slice, Alice, state);
        database.Away = true;
        foreach (var text in new[] { "more", "still more", "last" })
        {
            state.State = Frame(text).State;
            await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, state));
        }

        storage.Dispose();
        database.Away = false;
        await StartAsync();
        Assert.Equal(1, storage.PendingFrames);
        await storage.ReplayIfDueAsync();

        Assert.Equal("last", database.Text(Slice, Alice));
        Assert.Equal(0, storage.PendingFrames);
    }

    [Fact(DisplayName = "[D4] a session that is loaded again starts from what lies in the file")]
    public async Task Replays_before_a_read()
    {
        database.Away = true;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, Frame("unsaved")));
        database.Away = false;
        clock.Advance(TimeSpan.FromSeconds(30));

        var read = new GrainState<StoredFrame>(new StoredFrame());
        await storage.ReadStateAsync(Slice, Alice, read);

        Assert.Equal("unsaved", Encoding.UTF8.GetString(read.State!.Bytes));
        Assert.Equal("1", read.ETag);
    }

    [Fact(DisplayName = "[D4] a frame that was overtaken goes to its session's history, and overwrites nothing")]
    public async Task Keeps_what_was_overtaken()
    {
        var state = Frame("stored");
        await storage.WriteStateAsync(Slice, Alice, state);
        database.Away = true;
        state.State = Frame("unsaved").State;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, state));
        database.Away = false;
        var elsewhere = new GrainState<StoredFrame>(Frame("another silo's").State!, "1");
        await ((IGrainStorage)database).WriteStateAsync(Slice, Alice, elsewhere);

        storage.Dispose();
        await StartAsync();
        await storage.ReplayIfDueAsync();

        Assert.Equal("another silo's", database.Text(Slice, Alice));
        var kept = Assert.Single(await Kept.ListAsync());
        Assert.Equal((Slice, HistoryReason.Overtaken), (kept.Slices.Single(), kept.Reason));
        Assert.Equal("unsaved", Encoding.UTF8.GetString((await Kept.ReadAsync(kept.Id))!.Rows[0].Bytes));
        Assert.Equal(0, storage.PendingFrames);
    }

    [Fact(DisplayName = "[D4] [H1] overtaken frames are kept for as many entries as are configured")]
    public async Task Keeps_as_many_as_configured()
    {
        retention = retention with { Entries = 2 };
        await StartAgainAsync();
        for (var version = 1; version <= 4; version++)
        {
            var text = $"unsaved {version}";
            var state = Frame($"stored {version}", version == 1 ? null : $"{(2 * version) - 2}");
            await storage.WriteStateAsync(Slice, Alice, state);
            database.Away = true;
            state.State = Frame(text).State;
            await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, state));
            database.Away = false;
            await ((IGrainStorage)database).WriteStateAsync(
                Slice, Alice, new GrainState<StoredFrame>(Frame("another silo's").State!, $"{(2 * version) - 1}"));
            await StartAgainAsync();
            await storage.ReplayIfDueAsync();
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(2, (await Kept.ListAsync()).Count);
    }

    [Fact(DisplayName = "[D4] a write that got through although its outcome was unknown is not kept twice")]
    public async Task Drops_what_got_through_after_all()
    {
        database.LosesAnswers = true;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, Frame("in")));
        database.LosesAnswers = false;

        storage.Dispose();
        await StartAsync();
        await storage.ReplayIfDueAsync();

        Assert.Equal(0, storage.PendingFrames);
        Assert.Single(database.Rows);
    }

    [Fact(DisplayName = "[D4] a conflict is no outage: nothing is kept, nobody is degraded")]
    public async Task A_conflict_is_an_answer()
    {
        await storage.WriteStateAsync(Slice, Alice, Frame("stored"));

        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync(Slice, Alice, Frame("stale")));

        Assert.Equal(0, storage.PendingFrames);
        Assert.Null(storage.DegradedSince);
    }

    [Fact(DisplayName = "[D4] a frame takes the place of an earlier one of its session that got through without an answer")]
    public async Task Replaces_what_got_through_unanswered()
    {
        var state = Frame("in");
        database.LosesAnswers = true;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, state));
        (database.LosesAnswers, database.Away) = (false, true);
        state.State = Frame("in, and more").State;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, state));
        database.Away = false;

        storage.Dispose();
        await StartAsync();
        await storage.ReplayIfDueAsync();

        Assert.Equal("in, and more", database.Text(Slice, Alice));
        Assert.Empty(await Kept.ListAsync());
        Assert.Equal(0, storage.PendingFrames);
    }

    [Fact(DisplayName =
        "[D4] a frame that the database refuses for what it is stays where it is, and holds up no other and no reader")]
    public async Task A_refused_frame_holds_up_nothing()
    {
        var bob = GrainId.Create("session", "bob/app-state");
        await storage.WriteStateAsync(Slice, Alice, Frame("stored"));
        database.Away = true;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, Frame("poison", "1")));
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, bob, Frame("unsaved")));
        database.Away = false;

        storage.Dispose();
        await StartAsync();
        await storage.ReplayIfDueAsync();

        Assert.Equal("unsaved", database.Text(Slice, bob));
        Assert.Equal((1, 1), (storage.PendingFrames, storage.PendingFramesOf(Alice)));
        var read = new GrainState<StoredFrame>(new StoredFrame());
        await storage.ReadStateAsync(Slice, Alice, read);
        Assert.Equal("stored", Encoding.UTF8.GetString(read.State!.Bytes));
    }

    [Fact(DisplayName = "[D4] a database that takes no writes is still read, and is away until it takes one")]
    public async Task Reads_go_on_while_writes_fail()
    {
        await storage.WriteStateAsync(Slice, Alice, Frame("stored"));
        database.IsReadOnly = true;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync("chunks", Alice, Frame("unsaved")));
        var since = storage.DegradedSince;

        for (var tick = 0; tick < 20; tick++)
        {
            clock.Advance(TimeSpan.FromSeconds(2));
            await Assert.ThrowsAnyAsync<Exception>(storage.ReplayIfDueAsync);
            var read = new GrainState<StoredFrame>(new StoredFrame());
            await storage.ReadStateAsync(Slice, Alice, read);
            Assert.Equal(since, storage.DegradedSince);
        }
        Assert.NotNull(since);

        database.IsReadOnly = false;
        clock.Advance(TimeSpan.FromSeconds(30));
        await storage.ReplayIfDueAsync();
        Assert.Null(storage.DegradedSince);
    }

    [Fact(DisplayName = "[D4] a read that finds the database away says so")]
    public async Task Reads_say_that_the_database_is_away()
    {
        database.Away = true;

        foreach (var _ in Enumerable.Range(0, 3))
        {
            var away = await Assert.ThrowsAsync<StorageUnavailableException>(() =>
                storage.ReadStateAsync(Slice, Alice, new GrainState<StoredFrame>(new StoredFrame())));
            Assert.StartsWith($"The database has been unavailable since {clock.GetUtcNow():u}", away.Message);
        }
    }

    [Fact(DisplayName = "[D4] writers that fail together are one failure: the database is soon asked again")]
    public async Task Failures_at_once_count_once()
    {
        database.Hold = new();
        database.Away = true;
        var writes = Enumerable.Range(0, 100)
            .Select(user => storage.WriteStateAsync(Slice, GrainId.Create("session", $"user{user}"), Frame("x"))).ToArray();
        database.Hold.SetResult();
        foreach (var write in writes) await Assert.ThrowsAnyAsync<Exception>(() => write);
        Assert.Equal(100, database.Asked);

        clock.Advance(TimeSpan.FromSeconds(1));
        (database.Away, database.Hold) = (false, null);
        await storage.WriteStateAsync(Slice, Alice, Frame("back"));
        Assert.Null(storage.DegradedSince);
    }

    [Theory(DisplayName = "[D4] a damaged fallback file is set aside; what can be read of it is kept, and frames are kept again")]
    [InlineData("garbage", false)]
    [InlineData("truncated", false)]
    [InlineData("its first page", false)]
    [InlineData("a page of one frame", true)]
    public async Task Survives_damage_to_the_file(string damage, bool keepsTheOthers)
    {
        database.Away = true;
        foreach (var user in Enumerable.Range(0, 4))
            await Assert.ThrowsAnyAsync<Exception>(() =>
                storage.WriteStateAsync(Slice, User(user), Frame(new string((char)('a' + user), 20_000))));
        storage.Dispose();
        Damage(damage);

        await StartAsync();

        Assert.Single(Directory.GetFiles(folder),
            path => path.Contains(".damaged-") && !path.EndsWith("-wal") && !path.EndsWith("-shm"));
        Assert.Equal(keepsTheOthers ? 3 : 0, storage.PendingFrames);
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, Frame("kept again")));
        Assert.Equal(1, storage.PendingFramesOf(Alice));
        database.Away = false;
        await StartAgainAsync();
        await storage.ReplayIfDueAsync();
        Assert.Equal("kept again", database.Text(Slice, Alice));
        Assert.Equal(0, storage.PendingFrames);

        void Damage(string kind)
        {
            var path = Path.Combine(folder, "fallback.db");
            var bytes = File.ReadAllBytes(path);
            switch (kind)
            {
                case "garbage": Array.Fill(bytes, (byte)0x5a); break;
                case "truncated": bytes = bytes[..5000]; break;
                case "its first page": Array.Clear(bytes, 100, 3996); break;
                // Overflow pages begin with the number of the next one: this one leads nowhere.
                default: Array.Fill(bytes, (byte)0xff, bytes.AsSpan().IndexOf("cccccccccccccccc"u8) / 4096 * 4096, 8); break;
            }
            File.WriteAllBytes(path, bytes);
        }
    }

    [Fact(DisplayName = "[D4] a frame whose bytes were damaged in the file goes to the history, and overwrites nothing")]
    public async Task Damaged_bytes_overwrite_nothing()
    {
        await storage.WriteStateAsync(Slice, Alice, Frame("stored"));
        database.Away = true;
        await Assert.ThrowsAnyAsync<Exception>(() =>
            storage.WriteStateAsync(Slice, Alice, Frame("unsaved, and long enough to be found", "1")));
        database.Away = false;
        storage.Dispose();
        var path = Path.Combine(folder, "fallback.db");
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.AsSpan().IndexOf("unsaved, and long"u8)] ^= 1;
        File.WriteAllBytes(path, bytes);

        await StartAsync();
        await storage.ReplayIfDueAsync();

        Assert.Equal("stored", database.Text(Slice, Alice));
        Assert.Contains("damaged", Assert.Single(await Kept.ListAsync()).Detail);
        Assert.Equal(0, storage.PendingFrames);
    }

    [Fact(DisplayName =
        "[D4] a fallback file that takes nothing is reported, and blocks no write once the database is available")]
    public async Task Says_that_the_file_takes_nothing()
    {
        await storage.WriteStateAsync(Slice, Alice, Frame("stored"));
        database.Away = true;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, Frame("unsaved", "1")));
        using (var sabotage = new SqliteConnection($"Data Source={Path.Combine(folder, "fallback.db")};Pooling=false"))
        {
            sabotage.Open();
            using var command = sabotage.CreateCommand();
            command.CommandText = "DROP TABLE Frames";
            command.ExecuteNonQuery();
        }

        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, Frame("more", "1")));
        Assert.NotNull(storage.FallbackFailure);
        var told = await Assert.ThrowsAsync<StorageUnavailableException>(() =>
            storage.WriteStateAsync(Slice, Alice, Frame("still more", "1")));
        Assert.Contains("The fallback file cannot be written either", told.Message);
        Assert.Equal(told.Message.LastIndexOf("The database", StringComparison.Ordinal),
            told.Message.IndexOf("The database", StringComparison.Ordinal));

        database.Away = false;
        clock.Advance(TimeSpan.FromSeconds(30));
        await storage.WriteStateAsync(Slice, Alice, Frame("in", "1"));
        var read = new GrainState<StoredFrame>(new StoredFrame());
        await storage.ReadStateAsync(Slice, Alice, read);
        Assert.Equal("in", Encoding.UTF8.GetString(read.State!.Bytes));
    }

    [Theory(DisplayName =
        "[D4] frames of another database or service stay where they are, are reported, and are replayed into their own")]
    [InlineData("database B", "service")]
    [InlineData("database A", "another service")]
    public async Task Frames_of_others_stay(string databaseId, string service)
    {
        database.Away = true;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, Frame("a secret of customer A")));
        database.Away = false;
        var own = owner;

        owner = new(databaseId, service);
        await StartAgainAsync();
        await storage.ReplayIfDueAsync();
        var read = new GrainState<StoredFrame>(new StoredFrame());
        await storage.ReadStateAsync(Slice, Alice, read);
        await storage.WriteStateAsync(Slice, User(1), Frame("of customer B"));

        Assert.Equal([(Slice, User(1))], database.Rows.Keys);
        Assert.False(read.RecordExists);
        Assert.Equal((0, 1, 0), (storage.PendingFrames, storage.ForeignFrames, storage.PendingFramesOf(Alice)));

        owner = own;
        await StartAgainAsync();
        await storage.ReplayIfDueAsync();
        Assert.Equal("a secret of customer A", database.Text(Slice, Alice));
        Assert.Equal((0, 0), (storage.PendingFrames, storage.ForeignFrames));
    }

    [Fact(DisplayName = "[D4] nothing is replayed into another database that appears at the same address")]
    public async Task A_database_that_was_exchanged_gets_nothing()
    {
        database.Away = true;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, Frame("a secret of customer A")));
        database.Away = false;
        var own = owner;
        owner = new("database B", "service");
        clock.Advance(TimeSpan.FromSeconds(30));
        await storage.ReplayIfDueAsync();
        clock.Advance(FallbackGrainStorage.Grace);

        await Assert.ThrowsAsync<StorageUnavailableException>(storage.ReplayIfDueAsync);
        await Assert.ThrowsAsync<StorageUnavailableException>(() =>
            storage.ReadStateAsync(Slice, Alice, new GrainState<StoredFrame>(new StoredFrame())));
        Assert.DoesNotContain((Slice, Alice), database.Rows.Keys);
        Assert.Contains("database B", storage.FallbackFailure);

        owner = own;
        await storage.ReplayIfDueAsync();
        Assert.Equal("a secret of customer A", database.Text(Slice, Alice));
        Assert.Null(storage.FallbackFailure);
    }

    [Fact(DisplayName = "[P3] an unchanged frame is not written to the fallback file again, a changed one is")]
    public async Task Unchanged_frames_are_not_rewritten()
    {
        database.Away = true;
        var written = new List<long>();
        foreach (var text in new[] { "one", "one", "one", "two", "two" })
        {
            await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, Frame(text)));
            written.Add(Assert.Single(await file.ListAsync()));
        }

        Assert.Equal([written[0], written[0], written[0], written[3], written[3]], written);
        Assert.NotEqual(written[0], written[3]);
    }

    [Fact(DisplayName = "[I4] a full fallback file says so, keeps what it has, and delays no other session")]
    public async Task The_file_is_bounded()
    {
        limit = 1 << 20;
        await StartAgainAsync();
        database.Away = true;
        for (var user = 0; user < 4; user++)
            await Assert.ThrowsAnyAsync<Exception>(() =>
                storage.WriteStateAsync(Slice, User(user), Frame(new string('x', 200_000))));
        Assert.Null(storage.FallbackFailure);

        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, User(0), Frame(new string('y', 900_000))));
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, Frame(new string('y', 900_000))));
        Assert.Matches(
            "has no room for a row of 900000 bytes: [0-9]+ of the 1048576 bytes that Chatterbox__Database__FallbackBytes allows "
            + "are used, and its disk has [0-9]+ bytes free", storage.FallbackFailure);
        Assert.Equal(4, storage.PendingFrames);
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, User(5), Frame("small")));
        Assert.Null(storage.FallbackFailure);

        database.Away = false;
        await StartAgainAsync();
        await storage.ReplayIfDueAsync();
        Assert.Equal(new string('x', 200_000), database.Text(Slice, User(0)));
        Assert.Equal("small", database.Text(Slice, User(5)));
        Assert.InRange(new FileInfo(file.Location).Length, 1, 1 << 20);
    }

    [Fact(DisplayName =
        "[D4] while the database takes no writes, a session loads from its pending frame, which does not count as saved")]
    public async Task Loads_from_a_pending_frame()
    {
        var state = Frame("stored");
        await storage.WriteStateAsync(Slice, Alice, state);
        database.IsReadOnly = true;
        state.State = Frame("unsaved").State;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, state));

        var read = new GrainState<StoredFrame>(new StoredFrame { AcceptsPending = true });
        await storage.ReadStateAsync(Slice, Alice, read);

        Assert.Equal(("unsaved", true, "1"), (Encoding.UTF8.GetString(read.State!.Bytes), read.State.IsPending, read.ETag));
        await Assert.ThrowsAsync<StorageUnavailableException>(() =>
            storage.ReadStateAsync(Slice, Alice, new GrainState<StoredFrame>(new StoredFrame())));
        database.IsReadOnly = false;
        clock.Advance(TimeSpan.FromSeconds(30));
        await storage.WriteStateAsync(Slice, Alice, new GrainState<StoredFrame>(Frame("unsaved, and more").State!, read.ETag));
        Assert.Equal(0, storage.PendingFrames);
    }

    [Fact(DisplayName =
        "[D4] while the database takes no writes, a pending frame that was overtaken does not hide what is stored")]
    public async Task An_overtaken_frame_is_not_loaded()
    {
        var state = Frame("stored");
        await storage.WriteStateAsync(Slice, Alice, state);
        database.IsReadOnly = true;
        state.State = Frame("unsaved").State;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, state));
        database.Rows[(Slice, Alice)] = (2, "another silo's"u8.ToArray());

        var read = new GrainState<StoredFrame>(new StoredFrame { AcceptsPending = true });
        await storage.ReadStateAsync(Slice, Alice, read);

        Assert.Equal(("another silo's", false, "2"),
            (Encoding.UTF8.GetString(read.State!.Bytes), read.State.IsPending, read.ETag));
        Assert.Equal(1, storage.PendingFrames);
    }

    [Fact(DisplayName =
        "[D4] while the database takes no writes, a later try of a frame that was committed without an answer is loaded")]
    public async Task Loads_what_follows_an_unanswered_write()
    {
        var state = Frame("in");
        database.LosesAnswers = true;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, state));
        (database.LosesAnswers, database.IsReadOnly) = (false, true);
        state.State = Frame("in, and more").State;
        await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, Alice, state));

        var read = new GrainState<StoredFrame>(new StoredFrame { AcceptsPending = true });
        await storage.ReadStateAsync(Slice, Alice, read);

        Assert.Equal(("in, and more", true, "1"), (Encoding.UTF8.GetString(read.State!.Bytes), read.State.IsPending, read.ETag));
    }

    private static GrainId User(int number) => GrainId.Create("session", $"user{number}/app-state");

    // What it shows is not limited by what it would keep.
    private History Kept => new(database, Alice, HistoryRetention.Of(new()), clock);

    private Task StartAgainAsync()
    {
        storage.Dispose();
        return StartAsync();
    }

    private async Task StartAsync()
    {
        file = new FallbackFile(Path.Combine(folder, "fallback.db"), clock, limit);
        storage = new FallbackGrainStorage(
            database, () => Task.FromResult(owner), file, retention, clock, NullLogger<FallbackGrainStorage>.Instance);
        await storage.StartAsync(CancellationToken.None);
    }

    private static GrainState<StoredFrame> Frame(string text, string? etag = null) =>
        new(new StoredFrame { Bytes = Encoding.UTF8.GetBytes(text) }, etag!);

    private sealed class FakeDatabase : IGrainStorage
    {
        public Dictionary<(string State, GrainId Grain), (int Version, byte[] Bytes)> Rows { get; } = [];

        public bool Away { get; set; }

        public bool IsReadOnly { get; set; }

        public bool LosesAnswers { get; set; }

        /// <summary>Set, the database answers nobody before it is done.</summary>
        public TaskCompletionSource? Hold { get; set; }

        public int Asked { get; private set; }

        public string Text(string state, GrainId grain) => Encoding.UTF8.GetString(Rows[(state, grain)].Bytes);

        public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            await AnswerAsync();
            if (!Rows.TryGetValue((stateName, grainId), out var row))
                return;
            (grainState.State, grainState.ETag) = ((T)(object)new StoredFrame { Bytes = row.Bytes }, $"{row.Version}");
            grainState.RecordExists = true;
        }

        public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            await AnswerAsync();
            if (IsReadOnly)
                throw new StorageUnavailableException("read-only");
            if (((StoredFrame)(object)grainState.State!).Bytes.AsSpan().SequenceEqual("poison"u8))
                throw new FormatException("a row that is refused");
            var stored = Rows.TryGetValue((stateName, grainId), out var row) ? $"{row.Version}" : null;
            if (stored != grainState.ETag)
                throw new InconsistentStateException($"{stored} is not {grainState.ETag}");
            Rows[(stateName, grainId)] = (row.Version + 1, ((StoredFrame)(object)grainState.State!).Bytes);
            if (LosesAnswers)
                throw new WriteOutcomeUnknownException("no answer");
            grainState.ETag = $"{row.Version + 1}";
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
            throw new NotSupportedException();

        private async Task AnswerAsync()
        {
            Asked++;
            if (Hold is { } hold)
                await hold.Task;
            if (Away)
                throw new WriteOutcomeUnknownException("no answer");
        }
    }
}
