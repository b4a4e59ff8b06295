using Chatterbox.Client;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Xunit.Abstractions;

namespace Chatterbox.Tests.Sessions;

/// <summary>
/// Several clients, one session and its storage, joined by a network that loses, repeats, delays and reorders whatever passes, with
/// silos that die and lose what they had not stored. No clock and no threads: a seed gives the same run again.
/// </summary>
public sealed class ModelTests(ITestOutputHelper output)
{
    [Fact(DisplayName = "[C3] [F3] [P8] whatever is lost, repeated, reordered or killed: every change is in once, and all show the same")]
    [Trait("Category", "Long")]
    public void Random_runs()
    {
        for (var run = 0; run < 200; run++)
        {
            var seed = Random.Shared.Next();
            try
            {
                Run(seed);
            }
            catch
            {
                output.WriteLine($"seed {seed}");
                throw;
            }
        }
    }

    [Theory(DisplayName = "[C3] seeds that have failed before")]
    [InlineData(1)]
    [InlineData(2)]
    public void Known_seeds(int seed) => Run(seed);

    private static void Run(int seed)
    {
        var world = new World(new Random(seed));
        for (var step = 0; step < 400; step++) world.Step();
        world.Settle();
    }

    private sealed class World
    {
        private const int Clients = 4;
        private readonly Random _random;
        private readonly List<Action> _network = [];
        private readonly List<ModelClient> _clients = [];
        private SessionLog _log = new(8);
        private SessionMoment _stored = new(AppState.Initial, 0, [.. SliceDefinition.All.Select(_ => AppliedMap.Empty)]);
        private long _epoch;
        private int _made;

        public World(Random random)
        {
            _random = random;
            Load();
            for (var number = 0; number < Clients; number++) _clients.Add(new ModelClient($"client{number}"));
        }

        public void Step()
        {
            var client = _clients[_random.Next(Clients)];
            switch (_random.Next(12))
            {
                case 0 or 1 or 2: client.Change(NextChange(client)); break;
                case 3: Attach(client, lossy: true); break;
                case 4 or 5: Send(client, lossy: true); break;
                case 6: CatchUp(client, lossy: true); break;
                case 7 when _random.Next(4) == 0: Crash(); break;
                case 8 when _random.Next(2) == 0: Save(); break;
                default: Deliver(); break;
            }
        }

        /// <summary>The network is whole again: everybody catches up, and everything is stored.</summary>
        public void Settle()
        {
            _network.Clear();
            for (var round = 0; round < 4; round++)
            {
                foreach (var client in _clients)
                {
                    Attach(client, lossy: false);
                    while (client.Replica.NextBatch() is not null) Send(client, lossy: false);
                }
                Save();
            }
            foreach (var client in _clients)
            {
                CatchUp(client, lossy: false);
                client.Replica.BecameDurable(_log.DurableRevision);
                Assert.Equal(_log.State, client.Replica.Visible);
                Assert.Empty(client.Replica.Outbox);
            }
            Assert.Equal(_log.State with { Runtime = RuntimeState.Default }, _stored.State);
            // Each made a voice of its own name per change, and counted up one number: once each, and in order.
            foreach (var client in _clients)
            {
                Assert.Equal(client.Accepted, _log.State.SavedVoices.Where(voice => voice.Id.StartsWith(client.Name, StringComparison.Ordinal)).Select(voice => voice.Id));
            }
        }

        private UpsertVoice NextChange(ModelClient client)
        {
            _made++;
            var voice = new SavedVoice { Id = $"{client.Name}-{client.Made++}", Name = "n", Parameters = new() };
            client.Accepted.Add(voice.Id);
            return new UpsertVoice(voice);
        }

        private void Load()
        {
            _log = new SessionLog(8);
            _log.Load(_stored, ++_epoch);
        }

        private void Crash() => Load();

        private void Save()
        {
            _stored = _log.Moment with { State = _log.State with { Runtime = RuntimeState.Default } };
            _log.MarkDurable(_stored.Revision);
            Publish(new BecameDurable(_log.DurableRevision));
        }

        private void Attach(ModelClient client, bool lossy)
        {
            var (next, seen, epoch) = (client.Replica.FirstOutstanding, client.Replica.Revision, client.Replica.Epoch);
            Pass(lossy, () =>
            {
                _log.Attach(client.Name, next, seen);
                var reply = new AttachReply { State = _log.Since(epoch, seen, null), Applied = _log.AppliedOf(client.Name) };
                // An attach's reply is used only while nothing else has happened to the client: the store asks one thing at a time.
                var asked = client.Asked;
                Pass(lossy, () =>
                {
                    if (client.Asked != asked || client.Replica.FirstOutstanding != next || client.Replica.Epoch != epoch) return;
                    client.Attached(reply);
                });
            });
        }

        private void Send(ModelClient client, bool lossy)
        {
            if (client.Replica.Epoch == 0 || client.Replica.NextBatch() is not { } batch) return;
            Pass(lossy, () =>
            {
                var reply = Apply(batch);
                Pass(lossy, () => client.Saw(() => client.Replica.Replied(batch, reply)));
            });
        }

        // As the grain does it.
        private ApplyReply Apply(ChangeBatch batch)
        {
            var reply = new ApplyReply { Epoch = _log.Epoch, DurableRevision = _log.DurableRevision };
            if (batch.Epoch != _log.Epoch || !_log.Knows(batch.Client)) return reply with { Result = ApplyResult.OtherEpoch };
            if (batch.After >= _log.NextSequence(batch.Client)) return reply with { Result = ApplyResult.Gap };
            var from = _log.Revision;
            var taken = new List<AppliedChange>();
            var outcomes = batch.Changes.Select(change =>
            {
                var outcome = _log.Apply(batch.Client, change, out var applied);
                if (applied is not null) taken.Add(applied);
                return outcome;
            }).ToValueList();
            if (taken.Count > 0) Publish(new ChangesApplied(from, _log.Revision, taken.ToValueList()));
            return reply with { Outcomes = outcomes };
        }

        private void Publish(SessionEvent what)
        {
            var epoch = _log.Epoch;
            foreach (var client in _clients)
            {
                Pass(lossy: true, () => client.Saw(() =>
                {
                    if (client.Replica.Epoch != epoch) return;
                    if (what is ChangesApplied changes) client.Replica.ChangesApplied(changes);
                    else client.Replica.BecameDurable(((BecameDurable)what).Revision);
                }));
            }
        }

        private void CatchUp(ModelClient client, bool lossy)
        {
            if (client.Replica.Epoch == 0) return;
            var (epoch, revision) = (client.Replica.Epoch, client.Replica.Revision);
            Pass(lossy, () =>
            {
                var since = _log.Since(epoch, revision, null);
                Pass(lossy, () => client.Saw(() =>
                {
                    if (since.Epoch == client.Replica.Epoch) client.Replica.CaughtUp(since);
                }));
            });
        }

        private void Pass(bool lossy, Action message)
        {
            if (!lossy)
            {
                message();
                return;
            }
            for (var copies = _random.Next(10) switch { 0 or 1 => 0, 2 => 2, _ => 1 }; copies > 0; copies--) _network.Add(message);
        }

        private void Deliver()
        {
            if (_network.Count == 0) return;
            // Mostly in order, at times not.
            var index = _random.Next(3) == 0 ? _random.Next(_network.Count) : 0;
            var message = _network[index];
            _network.RemoveAt(index);
            message();
        }
    }

    private sealed class ModelClient(string name)
    {
        private (long Epoch, long Revision) _last;

        public string Name => name;

        public int Made { get; set; }

        public int Asked { get; private set; }

        public List<string> Accepted { get; } = [];

        public Replica Replica { get; } = new(name);

        public void Change(AppStateChange change) => Saw(() => Replica.Enqueue(change));

        public void Attached(AttachReply reply)
        {
            Asked++;
            // An older epoch's answer that comes late is of a session that is no more.
            if (reply.State.Epoch < Replica.Epoch) return;
            Saw(() => Replica.Attached(reply));
        }

        public void Saw(Action what)
        {
            what();
            var now = (Replica.Epoch, Replica.Revision);
            if (now.Epoch != 0)
            {
                Assert.True(now.CompareTo(_last) >= 0, $"{name} went from {_last} back to {now}");
                _last = now;
            }
            // What was made here is always shown, whatever the session has made of it so far.
            foreach (var id in Accepted) Assert.True(Replica.Visible.SavedVoices.Find(id) is not null, $"{name} does not show {id}");
        }
    }
}
