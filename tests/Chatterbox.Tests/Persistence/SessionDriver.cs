using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
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
    private readonly List<(long Sequence, AppStateChange Change, long Revision)> _outbox = [];
    private readonly Random _jitter = new(1);
    private ITimer? _timer;
    private Task _running = Task.CompletedTask;
    private long _sequence;
    private long _seen;

    private SessionDriver(MemoryStorage storage) => _storage = storage;

    public static GrainId Owner { get; } = GrainId.Create("chatterbox.session", "alice/app-state");

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public PersistConfig Config { get; init; } = PersistConfig.AppState with { Partialize = state => state };

    public SessionLog Log { get; private set; } = null!;

    public SessionStore Store { get; private set; } = null!;

    public WriteBehind Writer { get; private set; } = null!;

    public SessionSaver Saver { get; private set; } = null!;

    /// <summary>The state that the accepted changes and replacements give.</summary>
    public AppState Expected { get; private set; } = AppState.Initial;

    public int Saves { get; private set; }

    /// <summary>How often the session began a new epoch of its own accord.</summary>
    public int Resets { get; private set; }

    public static async Task<SessionDriver> StartAsync(MemoryStorage storage)
    {
        var driver = new SessionDriver(storage);
        await driver.ActivateAsync();
        driver.Expected = driver.Log.State;
        return driver;
    }

    /// <summary>What memory held is gone; the client sends again what was not durable.</summary>
    public async Task CrashAsync()
    {
        _timer?.Dispose();
        await ActivateAsync();
        Send();
    }

    public void Change(AppStateChange change)
    {
        var result = AppStateReducer.Apply(Expected, change);
        Assert.Null(result.Rejection);
        Expected = result.State;
        _outbox.Add((++_sequence, change, 0));
        Send();
    }

    /// <summary>As an import does it: the copy from before, then the other state.</summary>
    public async Task ReplaceAsync(AppState state, bool isCleared = false)
    {
        await Store.KeepBeforeAsync(Log.Moment, "a test");
        Replace(state, isCleared);
    }

    public void Replace(AppState state, bool isCleared = false)
    {
        Expected = state;
        Saver.Replace(state, "a test", isCleared);
    }

    public async Task AdvanceAsync(TimeSpan time)
    {
        Clock.Advance(time);
        await _running;
    }

    /// <summary>Lets time pass until everything is saved.</summary>
    public async Task SettleAsync()
    {
        for (var round = 0; round < 200 && !(Writer.IsIdle && Log.DurableRevision == Log.Revision); round++) await AdvanceAsync(TimeSpan.FromSeconds(5));
        Assert.True(Writer.IsIdle, $"still failing: {Writer.Failing?.Reason}");
        Assert.Empty(_outbox);
    }

    /// <summary>What was told durable is in storage as it is at this moment; with what the client still has, that is everything.</summary>
    public async Task CheckNothingLostAsync()
    {
        var stored = (await SessionStoreTests.New(new MemoryStorage(_storage), Config).LoadAsync());
        var log = new SessionLog(8);
        log.Load(stored, 1);
        log.Attach(Client, _outbox.Count == 0 ? _sequence + 1 : _outbox[0].Sequence, _seen);
        foreach (var (sequence, change, _) in _outbox) log.Apply(Client, new(sequence, change), out _);
        Assert.Equal(Expected with { Runtime = RuntimeState.Default }, log.State with { Runtime = RuntimeState.Default });
    }

    private async Task ActivateAsync()
    {
        Log = new SessionLog(8);
        Store = new(_storage, Owner, Config, new([new DefaultEngineAndParameters()]), new ChatterboxOptions(), Clock, NullLogger.Instance);
        Writer = new(new DebouncePolicy(TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(2)),
            new RetryPolicy(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), _jitter.NextDouble), Clock, SaveAsync, Arm);
        Saver = new(Log, Store, Clock, NullLogger.Instance) { Changed = Writer.Changed, Publish = Hear, Marker = state => WorkInHand.Of(state, [Client], crashed: false) };
        Log.Load(await Store.LoadAsync(), Saver.NewEpoch());
        if (Store.NeedsSave) Writer.Changed();
    }

    private Task SaveAsync()
    {
        Saves++;
        return Saver.SaveAsync();
    }

    // As the grain and its client do it, on a network that loses nothing.
    private void Send()
    {
        if (!Log.Knows(Client)) Log.Attach(Client, _outbox.Count == 0 ? _sequence + 1 : _outbox[0].Sequence, _seen);
        var changed = false;
        for (var at = 0; at < _outbox.Count; at++)
        {
            var (sequence, change, _) = _outbox[at];
            var outcome = Log.Apply(Client, new(sequence, change), out var applied);
            Assert.Null(outcome.Rejection);
            changed |= applied is not null;
            if (_outbox[at].Revision == 0 || applied is not null) _outbox[at] = (sequence, change, outcome.Revision);
        }
        _seen = Math.Max(_seen, Log.Revision);
        if (changed) Writer.Changed();
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

    private void Arm(TimeSpan due)
    {
        _timer?.Dispose();
        var writer = Writer;
        _timer = Clock.CreateTimer(_ => _running = writer.OnTimerAsync(), null, due, Timeout.InfiniteTimeSpan);
    }
}
