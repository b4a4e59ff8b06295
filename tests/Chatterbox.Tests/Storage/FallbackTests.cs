using System.Text;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage.Fallback;
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

        await Assert.ThrowsAsync<TimeoutException>(() => storage.WriteStateAsync(Slice, Alice, Frame("unsaved")));

        Assert.Equal(1, storage.PendingFrames);
        Assert.NotNull(storage.DegradedSince);
    }

    [Fact(DisplayName = "[D4] once it is known to be away the database is not asked by every write; frames are kept all the same")]
    public async Task Fails_fast_while_away()
    {
        database.Away = true;
        foreach (var user in Enumerable.Range(0, 50))
            await Assert.ThrowsAnyAsync<Exception>(() => storage.WriteStateAsync(Slice, GrainId.Create("session", $"user{user}"), Frame("x")));

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

    [Fact(DisplayName = "[D4] a frame that was overtaken goes to quarantine in the database, and overwrites nothing")]
    public async Task Quarantines_what_was_overtaken()
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
        Assert.Equal("unsaved", Encoding.UTF8.GetString(database.Rows.Single(row => row.Key.State.StartsWith("fallback-quarantine/", StringComparison.Ordinal)).Value.Bytes));
        Assert.Equal(0, storage.PendingFrames);
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

    private async Task StartAsync()
    {
        file = new FallbackFile(Path.Combine(folder, "fallback.db"));
        await file.OpenAsync();
        storage = new FallbackGrainStorage(
            database, failure => failure is TimeoutException, file, clock, NullLogger<FallbackGrainStorage>.Instance);
    }

    private static GrainState<StoredFrame> Frame(string text) => new(new StoredFrame { Bytes = Encoding.UTF8.GetBytes(text) });

    private sealed class FakeDatabase : IGrainStorage
    {
        public Dictionary<(string State, GrainId Grain), (int Version, byte[] Bytes)> Rows { get; } = [];

        public bool Away { get; set; }

        public bool LosesAnswers { get; set; }

        public int Asked { get; private set; }

        public string Text(string state, GrainId grain) => Encoding.UTF8.GetString(Rows[(state, grain)].Bytes);

        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            Answer();
            if (Rows.TryGetValue((stateName, grainId), out var row))
                (grainState.State, grainState.ETag) = ((T)(object)new StoredFrame { Bytes = row.Bytes }, $"{row.Version}");
            return Task.CompletedTask;
        }

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            Answer();
            var stored = Rows.TryGetValue((stateName, grainId), out var row) ? $"{row.Version}" : null;
            if (stored != grainState.ETag)
                throw new InconsistentStateException($"{stored} is not {grainState.ETag}");
            Rows[(stateName, grainId)] = (row.Version + 1, ((StoredFrame)(object)grainState.State!).Bytes);
            if (LosesAnswers)
                throw new TimeoutException();
            grainState.ETag = $"{row.Version + 1}";
            return Task.CompletedTask;
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => throw new NotSupportedException();

        private void Answer()
        {
            Asked++;
            if (Away)
                throw new TimeoutException();
        }
    }
}
