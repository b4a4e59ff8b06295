using Chatterbox.Client;
using Chatterbox.Client.Outbox;
using Chatterbox.Grains.Session;
using Xunit.Abstractions;

namespace Chatterbox.Tests.Client;

/// <summary>
/// A client with its outbox on disk, the session and its storage, each of which may die between any two steps. No clock and no
/// threads: a seed gives the same run again.
/// </summary>
public sealed class OutboxModelTests(ITestOutputHelper output)
{
    [Fact(DisplayName = "[C3] whoever is killed whenever, what went into an outbox on disk is in the session once")]
    public void Random_runs()
    {
        for (var run = 0; run < 30; run++)
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
    public void Known_seeds(int seed) => Run(seed);

    private static void Run(int seed)
    {
        using var device = new Device(new Random(seed));
        for (var step = 0; step < 200; step++) device.Step();
        device.Settle();
    }

    private sealed class Device : IDisposable
    {
        private readonly Random _random;
        private readonly TestFolder _folder = new();
        private readonly List<string> _expected = [];
        private SessionLog _log = new(TtsApp.Instance, 8, TimeProvider.System);
        private SessionMoment _stored = new(AppState.Initial, 0, [.. TtsApp.Instance.Stored.Select(_ => AppliedMap.Empty)]);
        private long _epoch;
        private int _clients;
        private int _made;
        private bool _calm;
        private OutboxFile _file = null!;
        private Replica _replica = null!;

        public Device(Random random)
        {
            _random = random;
            Load();
            Start();
        }

        public void Step()
        {
            switch (_random.Next(16))
            {
                case < 5: Change(); break;
                case 5 or 6: Attach(); break;
                case 7 or 8 or 9: Send(answered: _random.Next(3) > 0); break;
                case 10 or 11: Save(told: _random.Next(2) == 0); break;
                case 12: Load(); break;
                case 13: Kill(); break;
                case 14 when _replica.Outbox.Count == 0: Goodbye(); break;
            }
            foreach (var id in _expected.Where(id =>
                _replica.Outbox.All.Any(entry => entry.Change is UpsertVoice { Voice.Id: var own } && own == id)))
            {
                Assert.True(_replica.Visible.SavedVoices.Find(id) is not null, $"{id} is in the outbox and does not show");
            }
        }

        public void Settle()
        {
            Kill();
            _calm = true;
            Attach();
            while (_replica.NextBatch() is not null) Send(answered: true);
            Save(told: true);
            Assert.Equal(0, _replica.Outbox.Count);
            // In order, too: a change that came twice would have brought back what was taken away.
            Assert.Equal(_expected, _log.State.SavedVoices.Select(voice => voice.Id));
            Assert.Equal(_log.State, _stored.State);
        }

        public void Dispose()
        {
            _file.Dispose();
            _folder.Dispose();
        }

        private void Change()
        {
            if (_expected.Count > 3 && _random.Next(3) == 0)
            {
                Take(new RemoveVoice(_expected[0]));
                _expected.RemoveAt(0);
                return;
            }
            _expected.Add($"v{_made++}");
            Take(new UpsertVoice(new() { Id = _expected[^1], Name = "n", Parameters = new() }));
        }

        private void Take(AppStateChange change)
        {
            var json = OutboxFormat.Encode(change);
            _file.Append([(_replica.LastSequence + 1, json)]);
            _replica.Enqueue(change, json.Length);
        }

        private void Attach()
        {
            _log.Attach(_file.Head.Client, _replica.FirstOutstanding, _replica.Revision);
            _replica.Attached(new()
            {
                State = _log.Since(_replica.Epoch, _replica.Revision, null), Applied = _log.AppliedOf(_file.Head.Client),
            }, _replica.Revision);
            Settled();
        }

        private void Send(bool answered)
        {
            if (_replica.Epoch == 0 || _replica.NextBatch() is not { } batch) return;
            var reply = Apply(batch);
            if (answered && _replica.Replied(batch, reply).Need is Need.Attach) Attach();
            else Settled();
        }

        // As the grain does it.
        private ApplyReply Apply(ChangeBatch batch)
        {
            var reply = new ApplyReply { Epoch = _log.Epoch, DurableRevision = _log.DurableRevision };
            if (batch.Epoch != _log.Epoch || !_log.Knows(batch.Client)) return reply with { Result = ApplyResult.OtherEpoch };
            if (batch.After >= _log.NextSequence(batch.Client)) return reply with { Result = ApplyResult.Gap };
            return reply with
            {
                Outcomes = batch.Changes.Select(change => _log.Apply(batch.Client, change, out _)).ToValueList(),
            };
        }

        private void Save(bool told)
        {
            _stored = _log.Moment;
            _log.MarkDurable(_stored.Revision);
            if (!told || _replica.Epoch != _log.Epoch) return;
            _replica.CaughtUp(_log.Since(_replica.Epoch, _replica.Revision, null));
            Settled();
        }

        private void Settled()
        {
            if (_replica.Gone.Count == 0) return;
            // Killed between hearing of it and writing it down.
            if (_calm || _random.Next(4) > 0) _file.Remove(_replica.Gone, _replica.Outbox);
            else Kill();
            _replica.Gone.Clear();
        }

        private void Load()
        {
            _log = new SessionLog(TtsApp.Instance, 8, TimeProvider.System);
            _log.Load(_stored, ++_epoch);
        }

        private void Kill()
        {
            _file.Dispose();
            Start();
        }

        private void Goodbye()
        {
            _file.Empty();
            // As the grain does it.
            if (_random.Next(2) == 0 && _log.DurableRevision == _log.Revision) _log.Leave(_file.Head.Client);
            if (_random.Next(2) == 0) _file.Delete();
            Kill();
        }

        private void Start()
        {
            _file = _folder.Open($"client{_clients++}");
            Assert.Empty(_file.Notices);
            _replica = new(TtsApp.Instance, _file.Head.Client, _file.Head.FirstSequence);
            _replica.Recover(_file.Recovered);
        }
    }
}
