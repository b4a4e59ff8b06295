using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Chatterbox.Tests.Apps;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.Persistence;

/// <summary>
/// A session without its grain, over storage with faults, by a clock that only moves when told, with one client that keeps every
/// change until it is durable. What the session may never lose is what the client has let go of.
/// </summary>
internal sealed class SessionDriver
{
    private const string Client = "client";
    private readonly MemoryStorage _storage;
    private readonly List<(long Sequence, SessionChange Change, long Revision)> _outbox = [];
    private readonly Random _jitter = new(1);
    private ITimer? _timer;
    private Task _running = Task.CompletedTask;
    private long _sequence;
    private long _seen;

    private SessionDriver(MemoryStorage storage) => _storage = storage;

    public static GrainId Owner { get; } = GrainId.Create("chatterbox.session", "alice/app-state");

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public PersistConfig Config { get; init; } = PersistConfig.AppState with { Partialize = state => state };

    public MigrationChain Migrations { get; init; } = new(TtsSiloApp.Instance.Migrations);

    private AppDefinition App => Config.App.Definition;

    public ChatterboxOptions Options { get; init; } = new() { RecentChanges = 8 };

    public Session Session { get; private set; } = null!;

    public SessionLog Log => Session.Log;

    public SessionStore Store => Session.Rows;

    public WriteBehind Writer => Session.Writer;

    /// <summary>The state that the accepted changes and replacements give.</summary>
    public SessionState Expected { get; private set; } = AppState.Initial;

    public int Saves { get; private set; }

    /// <summary>Changes of the client that are not durable.</summary>
    public int Unsaved => _outbox.Count;

    /// <summary>The client is attached, as far as its session knows.</summary>
    public bool IsAttached { get; set; } = true;

    /// <summary>How often the session began a new epoch of its own accord.</summary>
    public int Resets { get; private set; }

    public static async Task<SessionDriver> StartAsync(MemoryStorage storage, AnyApp? app = null)
    {
        app ??= AnyApp.Of("tts", 0);
        var driver = new SessionDriver(storage) { Config = app.Config, Migrations = app.Migrations };
        await driver.ActivateAsync();
        driver.Expected = driver.Log.State;
        return driver;
    }

    /// <summary>What memory held is gone; the client sends again what was not durable.</summary>
    public async Task CrashAsync()
    {
        _timer?.Dispose();
        for (var at = 0; at < _outbox.Count; at++) _outbox[at] = _outbox[at] with { Revision = 0 };
        await ActivateAsync();
        Send();
    }

    public void Change(SessionChange change)
    {
        var result = Config.App.Definition.Apply(Expected, change);
        Assert.Null(result.Rejection);
        Expected = result.State;
        _outbox.Add((++_sequence, change, 0));
        Send();
    }

    public Task<FlushReply> ClearAsync()
    {
        Expected = Config.App.Definition.Initial;
        return Session.ClearAsync(operation: null);
    }

    /// <summary>As an import or a clear does it, without waiting for the save.</summary>
    public void Replace(AppState state, bool isCleared = false)
    {
        Expected = state;
        Session.Replace(state, isCleared ? HistoryReason.BeforeClear : HistoryReason.BeforeImport, "a test", "a test", isCleared);
    }

    /// <summary>What an undo would restore.</summary>
    public async Task<AppState?> ReadBeforeAsync()
    {
        var entry = (await Session.History.ListAsync()).FirstOrDefault(each => each.Reason.IsBefore());
        return entry is null ? null : await SessionStoreTests.ReadStateAsync(Store, entry.Id);
    }

    public async Task AdvanceAsync(TimeSpan time)
    {
        Clock.Advance(time);
        await _running;
    }

    /// <summary>Lets time pass until everything is saved.</summary>
    public async Task SettleAsync()
    {
        for (var round = 0; round < 200 && !(Writer.IsIdle && Log.DurableRevision == Log.Revision); round++)
        {
            await AdvanceAsync(TimeSpan.FromSeconds(5));
        }
        Assert.True(Writer.IsIdle, $"still failing: {Writer.Failing?.Reason}");
        Assert.Empty(_outbox);
    }

    /// <summary>
    /// What was told durable is in storage as it is at this moment; with what the client still has, that is everything.
    /// </summary>
    public async Task CheckNothingLostAsync()
    {
        var stored = (await SessionStoreTests.New(new MemoryStorage(_storage), Config, migrations: Migrations, clock: Clock)
            .LoadAsync());
        var log = new SessionLog(App, 8, Clock);
        log.Load(stored, 1);
        log.Attach(Client, _outbox.Count == 0 ? _sequence + 1 : _outbox[0].Sequence, _seen);
        foreach (var (sequence, change, _) in _outbox) log.Apply(Client, new(sequence, change), out _);
        Assert.Equal(App.WithUnstored(Expected, App.Initial), App.WithUnstored(log.State, App.Initial));
    }

    private async Task ActivateAsync()
    {
        Session session = null!;
        session = new Session(new(_storage, Owner, Config, Migrations, Options,
            Clock, NullLogger.Instance)
        {
            // A session that has died is heard of no more.
            Publish = (_, what) =>
            {
                if (Session == session) Hear(what);
            },
            Arm = due => Arm(session, due),
            IsAttached = client => client == Client && IsAttached,
            Jitter = _jitter.NextDouble,
        })
        {
            WriteStarting = () => Saves++,
        };
        Session = session;
        await session.LoadAsync();
    }

    // As the grain and its client do it, on a network that loses nothing.
    private void Send()
    {
        if (!Log.Knows(Client) && Log.Attach(Client, _outbox.Count == 0 ? _sequence + 1 : _outbox[0].Sequence, _seen))
        {
            Writer.Changed();
        }
        for (var at = 0; at < _outbox.Count; at++)
        {
            var (sequence, change, revision) = _outbox[at];
            if (revision != 0) continue;
            var reply =
                Session.Apply(new(Client, Log.Epoch, at == 0 ? sequence - 1 : _outbox[at - 1].Sequence, [new(sequence, change)]));
            if (reply.Result is ApplyResult.Refused) break;
            Assert.Equal(ApplyResult.Done, reply.Result);
            Assert.Null(reply.Outcomes[0].Rejection);
            _outbox[at] = (sequence, change, reply.Outcomes[0].Revision);
        }
        _seen = Math.Max(_seen, Log.Revision);
        Hear(new BecameDurable(Log.DurableRevision));
    }

    private void Hear(SessionEvent what)
    {
        if (what is BecameDurable durable) _outbox.RemoveAll(sent => sent.Revision != 0 && sent.Revision <= durable.Revision);
        if (what is not SessionReset) return;
        Resets++;
        for (var at = 0; at < _outbox.Count; at++) _outbox[at] = _outbox[at] with { Revision = 0 };
        Send();
    }

    private void Arm(Session session, TimeSpan due)
    {
        if (Session != session) return;
        _timer?.Dispose();
        _timer = Clock.CreateTimer(_ => _running = session.OnTimerAsync(), null, due, Timeout.InfiniteTimeSpan);
    }
}
