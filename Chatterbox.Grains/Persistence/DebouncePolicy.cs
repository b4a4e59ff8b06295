namespace Chatterbox.Grains.Persistence;

/// <summary>
/// When to save: a while after the last change, but never later than a ceiling after the first unsaved one. Times are of one
/// monotonic clock; no timer, no thread.
/// </summary>
internal sealed class DebouncePolicy(TimeSpan delay, TimeSpan ceiling)
{
    private TimeSpan _lastChange;

    /// <summary>When the first change came that no write has taken; null when nothing waits.</summary>
    public TimeSpan? FirstUnsaved { get; private set; }

    public void Changed(TimeSpan now)
    {
        FirstUnsaved ??= now;
        _lastChange = now;
    }

    /// <summary>A write took everything there was: the next change opens a new window.</summary>
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
