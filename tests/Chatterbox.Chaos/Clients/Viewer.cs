using Chatterbox.Chaos.Ledgers;

namespace Chatterbox.Chaos.Clients;

/// <summary>Says what a store shows whenever that has changed.</summary>
internal sealed class Viewer(ChatterboxStore store, string label)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private Dictionary<string, string> _said = [];
    private AppState? _last;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.Hydrated.WaitAsync(cancellationToken);
            Line.Say(Word.Opened, label, store.Session.UserId);
            using var tick = new PeriodicTimer(Period);
            do Look(store.State);
            while (await tick.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            // Closed.
        }
    }

    /// <summary>Says all that is shown now, and its hash.</summary>
    public void Report()
    {
        if (!store.Hydrated.IsCompletedSuccessfully) return;
        var state = store.State;
        Look(state);
        Line.Say(Word.Reported, label, StateKeys.Hash(state));
    }

    private void Look(AppState state)
    {
        lock (_lock)
        {
            if (ReferenceEquals(state, _last)) return;
            _last = state;
            var now = StateKeys.Of(state);
            foreach (var (key, value) in now)
            {
                if (_said.GetValueOrDefault(key) != value) Line.Say(Word.Shows, label, key, value);
            }
            foreach (var gone in _said.Keys.Where(key => !now.ContainsKey(key))) Line.Say(Word.Shows, label, gone, "-");
            _said = now;
        }
    }
}
