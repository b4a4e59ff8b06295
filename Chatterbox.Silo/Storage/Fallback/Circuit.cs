namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>
/// Whether to ask the database at all. After a failure one caller at a time may try, each later than the one before; the others
/// are told at once instead of waiting for a time-out each. A pure policy: no timers, no threads of its own.
/// </summary>
internal sealed class Circuit(TimeProvider clock, Func<double> random)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(15);

    private readonly Lock gate = new();
    private int failures;
    private int turn;
    private DateTimeOffset nextTry;

    /// <summary>Null while the database answers.</summary>
    public DateTimeOffset? OpenSince { get; private set; }

    /// <summary>When the database was seen to be back; null if it was never away.</summary>
    public DateTimeOffset? ClosedAt { get; private set; }

    /// <param name="entered">To be given back with the outcome. One that began before the state last changed says nothing about it.</param>
    public bool TryEnter(out int entered)
    {
        lock (gate)
        {
            entered = turn;
            if (OpenSince is null)
                return true;
            var now = clock.GetUtcNow();
            if (now < nextTry)
                return false;
            // Whoever comes next waits for this one's outcome, or for as long as the outcome may take.
            nextTry = now + Longest;
            entered = ++turn;
            return true;
        }
    }

    public void Succeeded(int entered)
    {
        lock (gate)
        {
            if (OpenSince is null || entered != turn)
                return;
            (OpenSince, ClosedAt, failures) = (null, clock.GetUtcNow(), 0);
            turn++;
        }
    }

    public void Failed(int entered)
    {
        lock (gate)
        {
            if (entered != turn)
                return;
            turn++;
            var now = clock.GetUtcNow();
            OpenSince ??= now;
            var wait = Math.Min(First.Ticks * (double)(1L << Math.Min(failures++, 20)), Longest.Ticks);
            nextTry = now + TimeSpan.FromTicks((long)(wait * (1 - random() / 2)));
        }
    }
}
