namespace Chatterbox.Client.Outbox;

/// <summary>The readable content of an outbox file.</summary>
internal sealed class OutboxContent
{
    private readonly Dictionary<long, (SessionChange Change, int Size)> _changes = [];

    public int Version { get; set; } = OutboxFormat.Version;

    public OutboxHead? Head { get; set; }

    /// <summary>The damage found, in words.</summary>
    public List<string> Damage { get; } = [];

    public int Count => _changes.Count;

    /// <summary>The changes that are not durable, in order.</summary>
    public OutboxEntry[] Entries() => [.. _changes.OrderBy(each => each.Key)
        .Select(each => new OutboxEntry(each.Key, each.Value.Change, each.Value.Size) { IsRecovered = true })];

    public void Add(long sequence, SessionChange change, int size) => _changes[sequence] = (change, size);

    public void Remove(long from, long to)
    {
        if (to - from > _changes.Count)
        {
            foreach (var sequence in _changes.Keys.Where(each => each >= from && each <= to).ToArray()) _changes.Remove(sequence);
        }
        else for (var sequence = from; sequence <= to; sequence++) _changes.Remove(sequence);
    }
}
