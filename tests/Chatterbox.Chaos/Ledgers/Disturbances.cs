namespace Chatterbox.Chaos.Ledgers;

/// <summary>
/// The times in which the schedule cut clients off: what is not shown then does not count. A fault of a silo or of the database
/// counts for all clients, since any of them may use any silo. A step of a clock counts for none.
/// </summary>
internal sealed class Disturbances
{
    /// <summary>How soon after a fault every client has to be up to date again: the bound of a killed silo.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly List<(TimeSpan From, TimeSpan To)> _times = [];

    public void Add(TimeSpan from, TimeSpan to)
    {
        lock (_lock) _times.Add((from, to + Grace));
    }

    /// <summary>How much of a time is outside of them.</summary>
    public TimeSpan Undisturbed(TimeSpan from, TimeSpan to)
    {
        var counted = TimeSpan.Zero;
        lock (_lock)
        {
            foreach (var (begin, end) in _times.OrderBy(time => time.From))
            {
                if (from >= to) break;
                if (begin > from) counted += (begin < to ? begin : to) - from;
                if (end > from) from = end;
            }
        }
        return from < to ? counted + (to - from) : counted;
    }
}
