namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>
/// Whether to ask the database at all. After a failure one caller at a time may try, each later than the one before; the others
/// fail at once instead of waiting for a time-out each. A pure policy: no timers, no threads of its own. It waits on the
/// monotonic
/// clock; the wall clock is for display.
/// </summary>
internal sealed class Circuit(TimeProvider clock, Func<double> random)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(15);

    private readonly Lock _gate = new();
    private int _failures;
    private int _turn;
    private long _waitFrom;
    private TimeSpan _wait;
    private long? _closedAt;

    /// <summary>Null while the database answers.</summary>
    public DateTimeOffset? OpenSince { get; private set; }

    /// <summary>How long the database has been available again; null if it was never unavailable.</summary>
    public TimeSpan? ClosedFor
    {
        get
        {
            lock (_gate)
                return _closedAt is { } closed ? clock.GetElapsedTime(closed) : null;
        }
    }

    /// <param name="entered">Passed back with the outcome. One that began before the state last changed says nothing about
    /// it.</param>
    public bool TryEnter(out int entered)
    {
        lock (_gate)
        {
            entered = _turn;
            if (OpenSince is null)
                return true;
            if (clock.GetElapsedTime(_waitFrom) < _wait)
                return false;
            // The next caller waits for this one's outcome, or for as long as the outcome may take.
            Wait(Longest);
            entered = ++_turn;
            return true;
        }
    }

    public void Succeeded(int entered)
    {
        lock (_gate)
        {
            if (OpenSince is null || entered != _turn)
                return;
            (OpenSince, _closedAt, _failures) = (null, clock.GetTimestamp(), 0);
            _turn++;
        }
    }

    public void Failed(int entered)
    {
        lock (_gate)
        {
            if (entered != _turn)
                return;
            _turn++;
            OpenSince ??= clock.GetUtcNow();
            var ticks = Math.Min(First.Ticks * (double)(1L << Math.Min(_failures++, 20)), Longest.Ticks);
            Wait(TimeSpan.FromTicks((long)(ticks * (1 - random() / 2))));
        }
    }

    private void Wait(TimeSpan time) => (_waitFrom, _wait) = (clock.GetTimestamp(), time);
}
