namespace Chatterbox.Chaos.Ledgers;

/// <summary>What one store showed, from its hydration on.</summary>
internal sealed class View(string store, string user, TimeSpan from)
{
    private readonly Dictionary<string, List<(TimeSpan At, string? Value)>> _steps = [];

    public string Store => store;
    public string User => user;
    public TimeSpan From => from;

    /// <summary>When the store was closed or its process killed; null while it is open.</summary>
    public TimeSpan? To { get; set; }

    /// <summary>A hash of the whole state as last reported.</summary>
    public string? Hash { get; set; }

    public IEnumerable<string> Keys => _steps.Keys;

    public void Shows(TimeSpan at, string key, string? value)
    {
        if (!_steps.TryGetValue(key, out var steps)) _steps[key] = steps = [];
        steps.Add((at, value));
    }

    /// <summary>What it shows of a key at last; null for nothing.</summary>
    public string? Last(string key) => _steps.TryGetValue(key, out var steps) ? steps[^1].Value : null;

    /// <summary>What it showed of a key, each value with the time from which and until which it did.</summary>
    public IEnumerable<(TimeSpan From, TimeSpan To, string? Value)> Shown(string key, TimeSpan end)
    {
        var (since, shown) = (From, (string?)null);
        foreach (var (at, value) in _steps.GetValueOrDefault(key, []))
        {
            yield return (since, at, shown);
            (since, shown) = (at, value);
        }
        yield return (since, To ?? end, shown);
    }
}
