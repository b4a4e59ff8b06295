using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.Sessions.Model;

internal sealed class World
{
    private const int Clients = 4;

    private readonly Random _random;
    private readonly bool _chooses;
    private readonly List<Action> _network = [];
    private readonly List<ModelClient> _clients = [];
    private readonly List<ModelClient> _dead = [];
    private int _made;

    /// <param name="chooses">Whether clients keep some slices in sync and others not.</param>
    public World(Random random, bool chooses)
    {
        (_random, _chooses) = (random, chooses);
        Session = ModelActivation.Load(this);
        for (var number = 0; number < Clients; number++) _clients.Add(NewClient());
    }

    public static IReadOnlyList<string> Everything { get; } =
    [
        "a call given up", "a change refused", "a client died", "a conflict", "a choice of slices", "a message lost",
        "a message twice", "a move", "a read or write failed",
        "a silo died", "a state replaced", "a write committed and failed", "a write late",
    ];

    public ModelStorage Storage { get; } = new();

    public FakeTimeProvider Clock { get; } = new();

    public ModelActivation Session { get; private set; }

    /// <summary>What has happened, and how often.</summary>
    public Dictionary<string, int> Happened { get; } = [];

    public void Note(string what) => Happened[what] = Happened.GetValueOrDefault(what) + 1;

    public void Step()
    {
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        var client = _clients[_random.Next(Clients)];
        switch (_random.Next(40))
        {
            case < 8: client.Change(NextChange(client)); break;
            case < 18: client.Step(lossy: true); break;
            case < 20: client.GiveUp(); break;
            case < 22: _ = Session.SaveAsync(); break;
            case < 26: Store(); break;
            case 26 when _random.Next(3) == 0: Die(); break;
            case 27 when _random.Next(2) == 0: Move(); break;
            case 28 when _random.Next(4) == 0: ReplaceClient(client); break;
            case 29 when _random.Next(4) == 0: Replace(); break;
            case 30 when _chooses && _random.Next(4) == 0: Choose(client); break;
            default: Deliver(); break;
        }
    }

    /// <summary>The network is whole again and so is storage: everybody catches up, and everything is stored.</summary>
    public void Settle()
    {
        _network.Clear();
        for (var round = 0; round < 100
            && !(Session.IsSaved && _clients.All(client => client.IsIdle && client.Replica.Outbox.Count == 0)); round++)
        {
            foreach (var client in _clients)
            {
                client.GiveUp();
                client.Step(lossy: false);
            }
            _ = Session.SaveAsync();
            while (Storage.Waiting.Count > 0) Take(Storage.Waiting, 0)((false, true));
        }
        foreach (var client in _clients)
        {
            // Whatever events were lost.
            while (client.Replica.Revision != Session.Log.Revision) client.Step(lossy: false);
            Assert.Equal(Shown(client), client.Replica.Visible);
            Assert.Equal(0, client.Replica.Outbox.Count);
        }
        Session.History.Explains((AppState)Session.Log.State);

        var stored = ModelActivation.Load(this);
        Assert.Equal(Session.Log.State.Tts with { Runtime = RuntimeState.Default }, stored.Log.State);
        stored.History.Explains((AppState)stored.Log.State);
        foreach (var client in _clients.Concat(_dead))
        {
            foreach (var entry in client.Durable.Where(entry => entry.Change is UpsertVoice or UpsertChunk))
                Assert.True(stored.History.Holds(client.Name, entry.Sequence, entry.Change.Slice),
                    $"{client.Name}'s change {entry.Sequence} was said to be durable");
        }
    }

    public void Publish(long epoch, SessionEvent happened)
    {
        foreach (var client in _clients)
        {
            // A process with a store of all slices is sent them all.
            var told = _chooses && happened is ChangesApplied changes && _random.Next(2) == 0
                ? changes with
                {
                    Changes = changes.Changes.Where(change => client.Replica.Syncs(change.Change.Slice)).ToValueList(),
                }
                : happened;
            Pass(lossy: true, () => client.On(epoch, told));
        }
    }

    public void Pass(bool lossy, Action message)
    {
        if (!lossy)
        {
            message();
            return;
        }
        var copies = _random.Next(10) switch { 0 => 0, 1 => 2, _ => 1 };
        if (copies != 1) Note(copies == 0 ? "a message lost" : "a message twice");
        for (; copies > 0; copies--) _network.Add(message);
    }

    private ModelClient NewClient() => new(this, $"client{_clients.Count + _dead.Count}");

    private void Choose(ModelClient client)
    {
        Note("a choice of slices");
        client.Select(_random.Next(3) == 0
            ? null
            : TtsApp.Instance.Slices.Select(slice => slice.Name)
                .Where(slice => slice is TtsSlice.Preferences || _random.Next(2) == 0).ToValueList());
    }

    // Of the slices that it does not keep in sync a client shows nothing.
    private AppState Shown(ModelClient client)
    {
        var all = Session.Log.State;
        var shown = TtsApp.Instance.Stored.Where(slice => client.Replica.Syncs(slice))
            .Aggregate(AppState.Initial, (sum, slice) => (AppState)slice.With(sum, slice.Get(all)));
        return client.Replica.Syncs(TtsApp.Runtime) ? shown with { Runtime = all.Runtime } : shown;
    }

    // As its store does, a client makes no change of what it does not show.
    private AppStateChange NextChange(ModelClient client)
    {
        while (true)
        {
            if (AnyChange(client) is var change && client.Replica.Syncs(change.Slice)) return change;
        }
    }

    // Each voice and chunk is new, so that it is seen whether its change is in.
    private AppStateChange AnyChange(ModelClient client)
    {
        _made++;
        var shown = client.Replica.Visible;
        return _random.Next(8) switch
        {
            0 or 1 or 2 => new UpsertVoice(new() { Id = $"v{_made}", Name = client.Name, Parameters = new() }),
            3 when shown.SavedVoices.Count > 0 => new RemoveVoice(shown.SavedVoices[_random.Next(shown.SavedVoices.Count)].Id),
            4 => new UpdateParameters(TtsEngine.Chatterbox, new() { Seed = _made }),
            5 => new SetGenerating(_random.Next(2) == 0, null),
            6 when shown.Chunks.Count > 0 =>
                new SetChunkStatus(shown.Chunks[_random.Next(shown.Chunks.Count)].Id, (WorkStatus)_random.Next(2)),
            _ => new UpsertChunk(Samples.Chunk($"c{_made}")),
        };
    }

    private void Deliver()
    {
        if (_network.Count > 0) Take(_network, Any(_network.Count))();
    }

    private void Store()
    {
        if (Storage.Waiting.Count == 0) return;
        var fate = _random.Next(6) switch { 0 => (true, false), 1 => (true, true), _ => (false, true) };
        if (fate.Item1) Note(fate.Item2 ? "a write committed and failed" : "a read or write failed");
        Take(Storage.Waiting, Any(Storage.Waiting.Count))(fate);
    }

    // What is not stored is gone. What was on its way to storage is lost, or arrives when another silo has the session already.
    private void Die()
    {
        Note("a silo died");
        Leave();
        Session = ModelActivation.Load(this);
    }

    private void Move()
    {
        Note("a move");
        var moved = Session.Move();
        Leave();
        Session = moved;
    }

    private void Leave()
    {
        if (Storage.Waiting.Count > 0 && _random.Next(2) == 0) Note("a write late");
        else Storage.Waiting.Clear();
    }

    private void ReplaceClient(ModelClient client)
    {
        Note("a client died");
        _dead.Add(client);
        _clients.Remove(client);
        _clients.Add(NewClient());
    }

    private void Replace()
    {
        Note("a state replaced");
        Session.Replace(_random.Next(2) == 0
            ? AppState.Initial
            : AppState.Initial with { SavedVoices = [new() { Id = $"imported{++_made}", Name = "n", Parameters = new() }] });
    }

    // Mostly in order, at times not.
    private int Any(int count) => _random.Next(3) == 0 ? _random.Next(count) : 0;

    private static T Take<T>(List<T> list, int index)
    {
        var taken = list[index];
        list.RemoveAt(index);
        return taken;
    }
}
