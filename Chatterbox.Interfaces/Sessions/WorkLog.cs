namespace Chatterbox;

/// <summary>Unfinished items of one kind, by id.</summary>
/// <param name="Kind">Usually the name of the slice that holds them.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.WorkItems")]
public sealed record WorkItems([property: Id(0)] string Kind, [property: Id(1)] ValueList<string> Ids);

/// <summary>
/// Which client does which unfinished work. A client's work is interrupted when it is not attached any more and has not left.
/// </summary>
public sealed class WorkLog
{
    private readonly SortedDictionary<string, Dictionary<string, string>> _byKind = new(StringComparer.Ordinal);

    /// <summary>The client does this work from now on.</summary>
    public void Begin(string kind, string id, string client)
    {
        if (!_byKind.TryGetValue(kind, out var owners)) _byKind[kind] = owners = new(StringComparer.Ordinal);
        owners[id] = client;
    }

    /// <summary>The work is finished, or there is none of that name.</summary>
    public void End(string kind, string id)
    {
        if (_byKind.TryGetValue(kind, out var owners)) owners.Remove(id);
    }

    /// <summary>All work of the kind is finished.</summary>
    public void EndAll(string kind) => _byKind.Remove(kind);

    internal bool IsEmpty => _byKind.Values.All(owners => owners.Count == 0);

    internal IEnumerable<string> Kinds => _byKind.Keys;

    internal IReadOnlyDictionary<string, string> Owners(string kind) => _byKind[kind];

    /// <summary>Ends the work of these clients. Returns whether there was any.</summary>
    internal bool EndOf(Func<string, bool> isOf)
    {
        var ended = false;
        foreach (var owners in _byKind.Values)
        {
            foreach (var (id, client) in owners)
            {
                if (isOf(client)) ended |= owners.Remove(id);
            }
        }
        return ended;
    }

    internal void Clear() => _byKind.Clear();
}
