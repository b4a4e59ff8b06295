namespace Chatterbox.Client.Outbox;

/// <summary>
/// A client's changes that are not durable, by growing sequence. Added at the end and mostly removed at the front, both in
/// constant time; a lookup by sequence is a binary search.
/// </summary>
internal sealed class OutboxQueue
{
    private readonly List<OutboxEntry> _entries = [];
    private int _first;

    public int Count => _entries.Count - _first;

    public long Bytes { get; private set; }

    public OutboxEntry this[int index] => _entries[_first + index];

    public void Add(OutboxEntry entry)
    {
        _entries.Add(entry);
        Bytes += entry.Size;
    }

    public OutboxEntry? Find(long sequence) =>
        IndexAfter(sequence - 1) is var index && index < Count && this[index].Sequence == sequence ? this[index] : null;

    /// <summary>The index of the first entry with a higher sequence; <see cref="Count"/> when there is none.</summary>
    public int IndexAfter(long sequence)
    {
        var (low, high) = (_first, _entries.Count);
        while (low < high)
        {
            var middle = low + (high - low) / 2;
            if (_entries[middle].Sequence <= sequence) low = middle + 1;
            else high = middle;
        }
        return low - _first;
    }

    public OutboxEntry RemoveFirst()
    {
        var first = _entries[_first];
        _entries[_first++] = null!;
        Bytes -= first.Size;
        // Compacted rarely, so that a removal costs amortized constant time.
        if (_first >= 32 && _first * 2 >= _entries.Count) TrimFront();
        return first;
    }

    public void RemoveAll(HashSet<OutboxEntry> gone)
    {
        TrimFront();
        _entries.RemoveAll(gone.Contains);
        Bytes -= gone.Sum(entry => (long)entry.Size);
    }

    public IEnumerable<OutboxEntry> All => _entries.Skip(_first);

    private void TrimFront()
    {
        _entries.RemoveRange(0, _first);
        _first = 0;
    }
}
