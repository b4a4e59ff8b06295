using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Chatterbox.Tests.Persistence;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.Sessions;

/// <summary>A session without Orleans: its clients, their unfinished work, and replacing the state.</summary>
public sealed class SessionTests
{
    private readonly MemoryStorage _storage = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly HashSet<string> _attached = [];
    private readonly List<SessionEvent> _told = [];
    private readonly Dictionary<string, long> _sequences = [];
    private PersistConfig _config = PersistConfig.AppState;

    [Fact(DisplayName = "[R1] when a client dies, its work and only its work is interrupted; when it comes back, nothing is")]
    public async Task Work_of_one()
    {
        var session = await LoadAsync();
        Attach(session, "a", "b");
        Apply(session, "a", new UpsertChunk(Samples.Chunk("of-a")), new SetGenerating(true, "of-a"));
        Apply(session, "b", new UpsertChunk(Samples.Chunk("of-b")), new UpsertBatchItem(new() { Id = "item-b", Name = "n" }));
        Assert.Null(session.Crash);

        _attached.Remove("a");
        Assert.Equal(new CrashInfo(["of-a"], [], WasGenerating: true), session.Crash);
        Attach(session, "a");
        Assert.Null(session.Crash);

        _attached.Remove("b");
        Assert.Equal(new CrashInfo(["of-b"], ["item-b"], WasGenerating: false), session.Crash);
        var report = await session.RecoverFromCrashAsync();
        Assert.Equal((["of-b"], ["item-b"]), (report.Chunks, report.BatchItems));
        Assert.Equal([WorkStatus.Pending, WorkStatus.Interrupted], session.Log.State.Chunks.Select(chunk => chunk.Status));
        Assert.Null(session.Crash);
        Assert.Equal(new RecoveryReport(), await session.RecoverFromCrashAsync());
    }

    [Fact(DisplayName = "[R1] work goes over to the client that takes it up, and is nobody's once it is finished or removed")]
    public async Task Work_changes_hands()
    {
        var session = await LoadAsync();
        Attach(session, "a", "b");
        Apply(session, "a", new UpsertChunk(Samples.Chunk("taken")), new UpsertChunk(Samples.Chunk("done")),
            new UpsertChunk(Samples.Chunk("gone")));
        Apply(session, "b", new SetChunkStatus("taken", WorkStatus.Generating),
            new CompleteChunk("done", Samples.Audio), new RemoveChunk("gone"));
        _attached.Remove("a");
        Assert.Null(session.Crash);
        _attached.Remove("b");
        Assert.Equal(["taken"], session.Crash!.Chunks);
    }

    [Fact(DisplayName =
        "[R1] [R2] after a silo has died, the next client is told of the work of those that are not back; a "
        + "client that has left is no crash")]
    public async Task Silo_dies()
    {
        var session = await LoadAsync();
        Attach(session, "a", "b", "c");
        foreach (var client in (string[])["a", "b", "c"]) Apply(session, client, new UpsertChunk(Samples.Chunk($"of-{client}")));
        await DetachAsync(session, "c");
        await FlushAsync(session);

        _attached.Clear();
        session = await LoadAsync();
        Assert.Equal(["of-a", "of-b"], session.Crash!.Chunks);
        Attach(session, "a");
        Assert.Equal(["of-b"], session.Crash!.Chunks);
        await session.ClearRecoveryStateAsync();
        Assert.Equal(["of-a", "of-c"], session.Log.State.Chunks.Select(chunk => chunk.Id));
        await FlushAsync(session);
        _attached.Clear();
        session = await LoadAsync();
        Assert.Equal(["of-a"], session.Crash!.Chunks);
        await session.RestoreAsync(id: null, operation: null);
        Assert.Equal(["of-a", "of-b", "of-c"], session.Log.State.Chunks.Select(chunk => chunk.Id));
    }

    [Fact(DisplayName =
        "[P4] [R1] a visit that only reads writes nothing, and one that tweaks writes one row, work in progress or not")]
    public async Task Visits()
    {
        var session = await LoadAsync();
        Attach(session, "a");
        Apply(session, "a", new UpsertChunk(Samples.Chunk("unfinished")));
        await DetachAsync(session, "a");
        await EndAsync(session);
        Assert.Equal(["chunks"], _storage.Writes);

        _storage.Writes.Clear();
        session = await LoadAsync();
        Attach(session, "reader");
        await DetachAsync(session, "reader");
        await EndAsync(session);
        Assert.Empty(_storage.Writes);

        session = await LoadAsync();
        Attach(session, "tweaker");
        Apply(session, "tweaker", new UpdateParameters(TtsEngine.Chatterbox, new() { Temperature = 0.9 }));
        await DetachAsync(session, "tweaker");
        await EndAsync(session);
        Assert.Equal(["preferences"], _storage.Writes);
    }

    [Fact(DisplayName =
        "[P4] [P8] a tweak's row has at most 600 bytes after 1,000 visits, whether clients save "
        + "before they leave or as they leave")]
    public async Task Many_visits()
    {
        for (var visit = 0; visit < 1000; visit++)
        {
            var session = await LoadAsync();
            var client = Guid.NewGuid().ToString("N");
            Attach(session, client);
            Apply(session, client, new UpdateParameters(TtsEngine.Chatterbox, new() { Seed = visit + 1 }));
            if (visit % 2 == 0) await FlushAsync(session);
            await DetachAsync(session, client);
            await EndAsync(session);
            Assert.InRange(_storage["preferences"]!.Length, 1, 600);
            _clock.Advance(TimeSpan.FromMinutes(20));
        }
    }

    [Fact(DisplayName =
        "[P8] a change whose answer was lost as its client left is not done twice when the client is back with it")]
    public async Task Sent_again_after_leaving()
    {
        var session = await LoadAsync();
        Attach(session, "a");
        Apply(session, "a", new UpsertChunk(Samples.Chunk("once")));
        await DetachAsync(session, "a");
        await EndAsync(session);
        session = await LoadAsync();
        Attach(session, "b");
        Apply(session, "b", new RemoveChunk("once"));
        await DetachAsync(session, "b");
        await EndAsync(session);

        session = await LoadAsync();
        _sequences["a"] = 0;
        Attach(session, "a");
        Apply(session, "a", new UpsertChunk(Samples.Chunk("once")));
        Assert.Empty(session.Log.State.Chunks);
    }

    [Fact(DisplayName =
        "[H2] undo restores the state from before, undoing that brings it back, and none is lost while nothing can be stored")]
    public async Task Undo()
    {
        var session = await LoadAsync();
        Attach(session, "a");
        Apply(session, "a", new UpsertChunk(Samples.Chunk("one")));
        await FlushAsync(session);
        _storage.Fault = _ => WriteFault.Before;
        Assert.NotNull((await session.ClearAsync(null)).Failure);
        Assert.Equal(AppState.Initial, session.Log.State);
        for (var round = 0; round < 3; round++)
        {
            Assert.NotNull((await session.RestoreAsync(null, null)).Unsaved);
            Assert.Equal(["one"], session.Log.State.Chunks.Select(chunk => chunk.Id));
            Assert.Null((await session.RestoreAsync(null, null)).Refused);
            Assert.Empty(session.Log.State.Chunks);
        }
        // Two at once.
        await Task.WhenAll(session.RestoreAsync(null, null), session.RestoreAsync(null, null));
        Assert.Contains(await StatesAsync(session), state => state.Chunks.Count == 1 || session.Log.State.Chunks.Count == 1);

        session = Move(session);
        _storage.Fault = null;
        await FlushAsync(session);
        session = await LoadAsync();
        Assert.Contains((await StatesAsync(session)).Append(session.Log.State), state => state.Chunks.Count == 1);
    }

    [Fact(DisplayName =
        "[P11] clear, import and restore are one step: a crash before they are stored leaves all as it was, after it "
        + "the old state is in the history")]
    public async Task One_step()
    {
        var session = await LoadAsync();
        Attach(session, "a");
        Apply(session, "a", new UpsertChunk(Samples.Chunk("one")));
        await FlushAsync(session);
        var writes = _storage.Writes.Count;
        for (var failing = 0; ; failing++)
        {
            var at = 0;
            _storage.Fault = _ => at++ >= failing ? WriteFault.Before : WriteFault.None;
            var failure = (await session.ClearAsync(null)).Failure;
            _storage.Fault = null;
            var crashed = await LoadAsync();
            if (failure is null)
            {
                Assert.Equal(AppState.Initial, crashed.Log.State);
                break;
            }
            Assert.Equal(["one"], crashed.Log.State.Chunks.Select(chunk => chunk.Id));
            session = crashed;
            Attach(session, "a");
        }
        Assert.True(_storage.Writes.Count > writes);
        Assert.Contains(await StatesAsync(await LoadAsync()), state => state.Chunks.Count == 1);
    }

    [Fact(DisplayName =
        "[P11] an operation that is asked for again by its name is done once, also on the silo that the session has moved to")]
    public async Task Named()
    {
        var session = await LoadAsync();
        Attach(session, "a");
        Apply(session, "a", new UpsertChunk(Samples.Chunk("one")));
        Assert.Null((await session.ClearAsync("op")).Failure);
        Apply(session, "a", new UpsertChunk(Samples.Chunk("two")));
        Assert.Null((await session.ClearAsync("op")).Failure);
        Assert.Equal(["two"], session.Log.State.Chunks.Select(chunk => chunk.Id));
        session = Move(session);
        Assert.Null((await session.ClearAsync("op")).Failure);
        Assert.Equal(["two"], session.Log.State.Chunks.Select(chunk => chunk.Id));
        Assert.Null((await session.ClearAsync("another")).Failure);
        Assert.Empty(session.Log.State.Chunks);
    }

    [Fact(DisplayName =
        "[P9] a session that looks whether its rows were written elsewhere shows what it finds, and says "
        + "so; if not, nobody hears of it")]
    public async Task Stale_copy()
    {
        var session = await LoadAsync();
        Attach(session, "a");
        Apply(session, "a", new UpsertChunk(Samples.Chunk("one")));
        await FlushAsync(session);
        var epoch = session.Log.Epoch;
        await session.CheckRowsAsync();
        await FlushAsync(session);
        Assert.Equal(epoch, session.Log.Epoch);

        var other = await LoadAsync();
        other.Attach(Request("b"));
        Apply(other, "b", new SetStreaming(true));
        await FlushAsync(other);
        _told.Clear();
        await session.CheckRowsAsync();
        await FlushAsync(session);
        Assert.True(session.Log.State.Preferences.UseStreaming);
        Assert.Equal(["one"], session.Log.State.Chunks.Select(chunk => chunk.Id));
        Assert.Contains(_told, what => what is SessionReset);
    }

    [Fact(DisplayName = "[P9] a client that has seen more than the session holds is answered once that has looked at its rows")]
    public async Task A_client_has_seen_more()
    {
        var session = await LoadAsync();
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        var other = await LoadAsync();
        other.Attach(Request("b"));
        Apply(other, "b", new SetStreaming(true));
        await FlushAsync(other);
        var request = Request("b") with { SeenRevision = other.Log.Revision, Epoch = other.Log.Epoch, NextSequence = 2 };
        await session.EnsureCurrentAsync(request);
        var reply = session.Attach(request);
        Assert.True(reply.State.Snapshot!.Preferences.UseStreaming);
    }

    [Fact(DisplayName = "[F4] every field of the image is there after a move")]
    public async Task Images()
    {
        var session = await LoadAsync();
        Attach(session, "a");
        Apply(session, "a", new UpsertChunk(Samples.Chunk("one")), new SetGenerating(true, "one"));
        await session.ClearAsync("op");
        _storage.Fault = _ => WriteFault.Before;
        Apply(session, "a", new UpsertChunk(Samples.Chunk("two")));
        await FlushAsync(session, fails: true);
        session.LoadAgain("a test");
        var image = session.Capture();
        foreach (var property in typeof(SessionImage).GetProperties().Where(property => property.Name is not "Leases"))
        {
            var value = property.GetValue(image);
            Assert.False(value is null or false || (value is System.Collections.ICollection { Count: 0 }), property.Name);
        }
        var moved = Move(session).Capture();
        Assert.Equal(image.Log.State, moved.Log.State);
        Assert.Equal((image.IsUnsaved, image.LoadAgain, image.LastSaved), (moved.IsUnsaved, moved.LoadAgain, moved.LastSaved));
        Assert.Equal(image.Work, moved.Work);
        Assert.Equal(image.Operations.Select(each => each.Name), moved.Operations.Select(each => each.Name));
        Assert.Equal(image.Store.History.Select(each => each.Id), moved.Store.History.Select(each => each.Id));
    }

    [Fact(DisplayName = "[F4] [P6] a state that had expired as it was loaded is no replacement after a move, either")]
    public async Task Expired_and_moved()
    {
        _config = PersistConfig.AppState with { ExpiresAfter = TimeSpan.FromHours(1) };
        var session = await LoadAsync();
        Attach(session, "a");
        Apply(session, "a", new SetStreaming(true));
        await FlushAsync(session);
        _clock.Advance(_config.ExpiresAfter!.Value + TimeSpan.FromSeconds(1));

        var expired = await LoadAsync();
        Assert.True(expired.Log.Moment.IsCleared);
        Assert.False(expired.Log.IsReplaced);
        Assert.False(Move(expired).Log.IsReplaced);
    }

    [Fact(DisplayName = "[F3] activations of one session that load in the same millisecond hardly ever have the same epoch")]
    public async Task Epochs_differ()
    {
        var epochs = new HashSet<long>();
        for (var activation = 0; activation < 64; activation++) epochs.Add((await LoadAsync()).Log.Epoch);
        // By chance, so that a few pairs are equal; half of them never are.
        Assert.True(epochs.Count > 32, $"{epochs.Count} of 64 are different");
    }

    private async Task<Session> LoadAsync()
    {
        var session = New();
        await session.LoadAsync();
        return session;
    }

    [Fact(DisplayName =
        "[C3] of two processes with one client id the last to attach has it: changes of the other are refused, not swallowed")]
    public async Task Superseded()
    {
        var session = await LoadAsync();
        session.Attach(Request("a", process: "old"));
        Assert.Equal(ApplyResult.Done, Send("old", 1).Result);
        session.Attach(Request("a", process: "new"));
        Assert.Equal(ApplyResult.Done, Send("new", 2).Result);

        var refused = Send("old", 3);
        Assert.Equal((ApplyResult.Superseded, "client"), (refused.Result, refused.Refused!.Field));
        Assert.Empty(refused.Outcomes);
        Assert.True(session.Log.IsSuperseded(new("old", "a")));
        Assert.False(session.Log.IsSuperseded(new("new", "a")));
        // Nor does it take the client back, or forget it as it leaves; it may begin anew.
        Assert.Equal("client", session.CheckAttach(Request("a", process: "old") with { Renews = true })!.Field);
        Assert.Null(session.CheckAttach(Request("a", process: "new") with { Renews = true }));
        await session.DetachAsync(new("old", "a"), isDone: true);
        Assert.Equal(ApplyResult.Done, Send("new", 3).Result);
        Assert.Null(session.CheckAttach(Request("a", process: "old")));

        session = Move(session);
        Assert.Equal(ApplyResult.Superseded, Send("old", 4).Result);
        Assert.Equal(ApplyResult.Done, Send("new", 4).Result);
        await session.ClearAsync(operation: null);
        Assert.Equal((ApplyResult.Superseded, ApplyResult.OtherEpoch), (Send("old", 5).Result, Send("new", 5).Result));

        ApplyReply Send(string process, long sequence) => session.Apply(new("a", session.Log.Epoch, sequence - 1,
            [new(sequence, new UpsertChunk(Samples.Chunk($"{process}{sequence}")))], process));
    }

    private Session New()
    {
        Session session = null!;
        return session = new(new(_storage, SessionDriver.Owner, _config, new([new DefaultEngineAndParameters()]),
            new ChatterboxOptions(), _clock, NullLogger.Instance)
        {
            Publish = (_, what) => _told.Add(what),
            Arm = _ => { },
            IsAttached = _attached.Contains,
        });
    }

    private Session Move(Session session)
    {
        var moved = New();
        Assert.True(moved.TryResume(Model.ModelActivation.OverTheWire(session.Capture())));
        return moved;
    }

    private static AttachRequest Request(string client, string process = "p") =>
        new() { Client = new(process, client), Device = "d", Protocol = Protocol.Version, NextSequence = 1 };

    private void Attach(Session session, params string[] clients)
    {
        foreach (var client in clients)
        {
            _attached.Add(client);
            session.Attach(Request(client) with { NextSequence = _sequences.GetValueOrDefault(client) + 1 });
        }
    }

    private void Apply(Session session, string client, params AppStateChange[] changes)
    {
        foreach (var change in changes)
        {
            if (!session.Log.Knows(client))
            {
                session.Attach(Request(client) with { NextSequence = _sequences.GetValueOrDefault(client) + 1 });
            }
            var sequence = _sequences[client] = _sequences.GetValueOrDefault(client) + 1;
            var reply = session.Apply(new(client, session.Log.Epoch, sequence - 1, [new(sequence, change)]));
            Assert.Equal((ApplyResult.Done, null), (reply.Result, reply.Outcomes[0].Rejection));
        }
    }

    private async Task DetachAsync(Session session, string client)
    {
        _attached.Remove(client);
        Assert.Null((await session.DetachAsync(new("p", client), isDone: true)).Failure);
    }

    private static async Task FlushAsync(Session session, bool fails = false) =>
        Assert.Equal(fails, (await session.FlushAsync()).Failure is not null);

    private static async Task EndAsync(Session session) => Assert.Null(await session.SaveLastAsync());

    private static async Task<List<AppState>> StatesAsync(Session session)
    {
        var states = new List<AppState>();
        foreach (var entry in await session.History.ListAsync())
        {
            states.Add((await SessionStoreTests.ReadStateAsync(session.Rows, entry.Id))!);
        }
        return states;
    }
}
