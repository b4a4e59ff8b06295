namespace Chatterbox.Chaos.Ledgers;

/// <summary>What is wrong, in one of the kinds that must not occur.</summary>
internal enum FindingKind
{
    /// <summary>The value of a promised change is not there.</summary>
    Lost,

    /// <summary>What was removed, or refused, is there: a change was done again, or a removal undone.</summary>
    Doubled,

    /// <summary>Two clients, or a client and the database, show different states.</summary>
    Diverged,

    /// <summary>A durable change was not shown by an undisturbed client for longer than allowed.</summary>
    Unseen,

    /// <summary>Something did not end in its time once all faults had been healed.</summary>
    Stuck,
}

/// <param name="Subject">What it is about: several findings about one subject count once.</param>
internal sealed record Finding(FindingKind Kind, string Subject, string What);

/// <summary>Compares what stores showed with what clients were told.</summary>
internal static class Verdict
{
    /// <summary>For how long an undisturbed client may not show a durable change.</summary>
    public static readonly TimeSpan UnseenBound = TimeSpan.FromSeconds(15);

    /// <summary>What is wrong with the state that a store shows at last.</summary>
    public static IEnumerable<Finding> OfFinal(View view, IReadOnlyList<Change> changes)
    {
        var byKey = changes.Where(change => change.User == view.User).ToLookup(change => change.Key);
        foreach (var key in byKey.Select(group => group.Key).Union(view.Keys))
        {
            var made = byKey[key].ToArray();
            var shown = view.Last(key);
            if (MayBeLast(made, shown)) continue;
            var last = made.Where(change => change.IsPromised).MaxBy(change => change.Begun);
            yield return last is { Value: not null }
                ? new(FindingKind.Lost, $"{view.User} {key}", $"{view.Store} shows {shown ?? "nothing"}, but {last}")
                : new(FindingKind.Doubled, $"{view.User} {key}",
                    $"{view.Store} shows {key} = {shown}, but {last?.ToString() ?? "nobody promised it"}");
        }
    }

    /// <summary>Every view of a session at last, against the others.</summary>
    public static IEnumerable<Finding> OfEquality(IEnumerable<View> views) =>
        from session in views.GroupBy(view => view.User)
        where session.Select(view => view.Hash).Distinct().Count() > 1
        select new Finding(FindingKind.Diverged, session.Key,
            $"{session.Key}: {string.Join(", ", session.Select(view => $"{view.Store} {view.Hash?[..8]}"))}");

    /// <summary>Durable changes that a store did not show for too long, of its undisturbed time.</summary>
    public static IEnumerable<Finding> OfSight(View view, IReadOnlyList<Change> changes, Disturbances disturbances, TimeSpan end)
    {
        foreach (var made in changes.Where(change => change.User == view.User && change.IsPossible).GroupBy(change => change.Key))
        {
            foreach (var durable in made.Where(change => change.Durable is not null))
            {
                var old = TimeSpan.Zero;
                foreach (var (from, to, value) in view.Shown(made.Key, end))
                {
                    var begin = from > durable.Durable ? from : durable.Durable!.Value;
                    if (begin >= to) continue;
                    old = IsOlder(value, durable, made) ? old + disturbances.Undisturbed(begin, to) : TimeSpan.Zero;
                    if (old <= UnseenBound) continue;
                    yield return new(FindingKind.Unseen, $"{durable}",
                        $"{view.Store} showed {value ?? "nothing"} for {old.TotalSeconds:N0} s after {durable}");
                    break;
                }
            }
        }
    }

    /// <summary>
    /// Whether the key may have this value after all the changes: no promised change follows whatever gave it the value.
    /// </summary>
    private static bool MayBeLast(Change[] made, string? shown)
    {
        var promised = made.Where(change => change.IsPromised).ToArray();
        if (shown is null && promised.Length == 0) return true;
        return made.Any(change => change.IsPossible && change.Value == shown && !promised.Any(change.Precedes));
    }

    /// <summary>Whether a value can only come from before the change.</summary>
    private static bool IsOlder(string? value, Change durable, IEnumerable<Change> made) =>
        value != durable.Value && made.Where(change => change.Value == value).All(change => change.Precedes(durable));
}
