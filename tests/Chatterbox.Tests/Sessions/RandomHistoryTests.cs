using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Chatterbox.Tests.Persistence;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit.Abstractions;

namespace Chatterbox.Tests.Sessions;

/// <summary>
/// Random steps of all that replaces or keeps a state, over storage that fails. The test notes each state that was replaced while
/// it could be seen; the history has to hold the latest of those whose replacement is stored. The seed of what fails is printed.
/// </summary>
public sealed class RandomHistoryTests(ITestOutputHelper output)
{
    private const int Kept = 10;

    [Fact(DisplayName =
        "[H1] [H2] [P11] 10,000 random changes, clears, imports, undos, restores, drops, crashes and moves "
        + "over failing storage lose no state "
        + "that the history should hold, and the history stays within its bounds")]
    public async Task Random_steps()
    {
        var seed = Random.Shared.Next();
        for (var run = 0; run < 20; run++)
        {
            try
            {
                await new Run(seed + run).DoAsync(500);
            }
            catch
            {
                output.WriteLine($"seed {seed + run}");
                throw;
            }
        }
    }

    [Theory(DisplayName = "[H1] [H2] seeds that failed once")]
    [InlineData(444884415)]
    public Task Known_seeds(int seed) => new Run(seed).DoAsync(500);

    private sealed class Run(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly MemoryStorage _storage = new();
        private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

        /// <summary>States that were replaced, oldest first, by replacements that may or may not be stored yet.</summary>
        private readonly List<AppState> _replaced = [];

        private Session _session = null!;
        private int _stored;
        private int _sequence;
        private int _number;

        public async Task DoAsync(int steps)
        {
            await LoadAsync();
            for (var step = 0; step < steps; step++)
            {
                _clock.Advance(TimeSpan.FromSeconds(_random.Next(1, 600)));
                _storage.Fault = _random.Next(3) > 0 ? null : _ => (WriteFault)_random.Next(5);
                switch (_random.Next(16))
                {
                    case < 6: Change(); break;
                    case 6: await ReplaceAsync(() => _session.ClearAsync(null), AppState.Initial); break;
                    case 7: await ReplaceAsync(Import, null); break;
                    case 8 or 9: await UndoAsync(); break;
                    case 10: await RestoreAsync(); break;
                    case 11: await MoveAsync(); break;
                    case 12: await CrashAsync(); break;
                    case 13: await _session.CheckRowsAsync(); break;
                    default: await FlushAsync(); break;
                }
                if (step % 10 == 0) await CheckAsync();
            }
            _storage.Fault = null;
            await FlushAsync();
            await CrashAsync();
            await CheckAsync();
        }

        private void Change()
        {
            if (!_session.Log.Knows("c"))
            {
                _session.Attach(new()
                {
                    Client = new("p", "c"), Device = "d", Protocol = Protocol.Version, NextSequence = _sequence + 1,
                });
            }
            var change = FaultTests.RandomChange(_random, (AppState)_session.Log.State, ++_number);
            _session.Apply(new("c", _session.Log.Epoch, _sequence, [new(_sequence + 1, change)]));
            _sequence++;
        }

        private Task Import() => Task.Run(() =>
        {
            var state = AppState.Initial with
            {
                Chunks = [Samples.Chunk($"i{++_number}")], Preferences = _session.Log.State.Preferences,
            };
            _session.Replace(state, HistoryReason.BeforeImport, "an import", "imported");
            return _session.FlushAsync();
        });

        private async Task ReplaceAsync(Func<Task> replace, AppState? by)
        {
            var before = Now;
            if (by is null || before != by) _replaced.Add(before);
            await replace();
            NoteStored();
        }

        private async Task UndoAsync()
        {
            var before = Now;
            var report = await TryAsync(() => _session.RestoreAsync(null, null));
            if (report is { Refused: null }) _replaced.Add(before);
            NoteStored();
        }

        private async Task RestoreAsync()
        {
            var entries = await TryAsync(async () => await _session.History.ListAsync()) ?? [];
            if (entries.Count == 0) return;
            var (entry, before) = (entries[_random.Next(entries.Count)], Now);
            var report = await TryAsync(() => _session.RestoreAsync(entry.Id, null));
            if (report is { Refused: null }) _replaced.Add(before);
            NoteStored();
        }

        private Task MoveAsync()
        {
            var moved = New();
            Assert.True(moved.TryResume(Model.ModelActivation.OverTheWire(_session.Capture())));
            _session = moved;
            return Task.CompletedTask;
        }

        // What was not stored goes with memory: replacements too, whose states from before are then the session's again.
        private async Task CrashAsync()
        {
            _storage.Fault = null;
            _replaced.RemoveRange(_stored, _replaced.Count - _stored);
            await LoadAsync();
            _session.Attach(new()
            {
                Client = new("p", "c"), Device = "d", Protocol = Protocol.Version, NextSequence = _sequence + 1,
            });
        }

        private async Task FlushAsync()
        {
            await _session.FlushAsync();
            NoteStored();
        }

        private void NoteStored()
        {
            if (!_session.Log.IsReplaced) _stored = _replaced.Count;
        }

        private async Task CheckAsync()
        {
            _storage.Fault = null;
            var states = new List<AppState>();
            var entries = await _session.History.ListAsync();
            foreach (var entry in entries)
            {
                if (await SessionStoreTests.ReadStateAsync(_session.Rows, entry.Id) is { } state) states.Add(state);
            }
            // Equal states are one entry, and what a crash has undone may have taken places.
            foreach (var replaced in Enumerable.Reverse(_replaced).Distinct().Take(Kept / 2)) Assert.Contains(replaced, states);
            Assert.InRange(entries.Count(entry => entry.Reason.IsBefore()), 0, Kept);
            Assert.InRange(entries.Count, 0, HistoryRetention.Slots);
            Assert.InRange(_storage.Rows.Count(row => row.StartsWith("history-", StringComparison.Ordinal)),
                0, HistoryRetention.Slots);
            Assert.InRange(_session.History.Pending.Count, 0, 3 * Kept);
        }

        private AppState Now => _session.Log.State.Tts with { Runtime = RuntimeState.Default };

        private static async Task<T?> TryAsync<T>(Func<Task<T>> call) where T : class
        {
            try
            {
                return await call();
            }
            catch (Exception failure) when (failure is IOException or TimeoutException)
            {
                return null;
            }
        }

        private async Task LoadAsync()
        {
            _session = New();
            await _session.LoadAsync();
        }

        private Session New() =>
            new(new(_storage, SessionDriver.Owner, PersistConfig.AppState with { Partialize = state => state },
                new([new DefaultEngineAndParameters()]), new ChatterboxOptions { HistoryEntries = Kept },
                _clock, NullLogger.Instance)
            {
                Publish = (_, _) => { },
                Arm = _ => { },
            });
    }
}
