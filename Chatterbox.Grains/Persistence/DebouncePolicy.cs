namespace Chatterbox.Grains.Persistence;

/// <summary>
/// When to save: a delay after the last change, but at most a ceiling after the first unsaved one. Times are from one monotonic
/// clock; no timer, no thread.
/// </summary>
internal sealed class DebouncePolicy(TimeSpan delay, TimeSpan ceiling)
{
    private TimeSpan _lastChange;

    /// <summary>The time of the first change that no write includes; null when nothing waits.</summary>
    public TimeSpan? FirstUnsaved { get; private set; }

    public void Changed(TimeSpan now)
    {
        FirstUnsaved ??= now;
        _lastChange = now;
    }

    /// <summary>A write includes all changes so far: the next change starts a new window.</summary>
    public void Taken() => FirstUnsaved = null;

    /// <summary>When the write is due, or null when nothing waits.</summary>
    public TimeSpan? Due
    {
        get
        {
            if (FirstUnsaved is not { } first) return null;
            var quiet = _lastChange + delay;
            var latest = first + ceiling;
            return quiet < latest ? quiet : latest;
        }
    }
}
