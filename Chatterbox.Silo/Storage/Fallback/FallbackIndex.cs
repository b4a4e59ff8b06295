namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>
/// Which rows have frames in the fallback file, in memory: it is asked for every read and write. For any thread.
/// </summary>
internal sealed class FallbackIndex
{
    // For each row, which frame was saved last; null where that was before the start.
    private readonly Dictionary<GrainId, Dictionary<string, SavedFrame?>> _rows = [];

    public int Count
    {
        get
        {
            lock (_rows)
                return _rows.Values.Sum(row => row.Count);
        }
    }

    public int CountOf(GrainId grain)
    {
        lock (_rows)
            return _rows.TryGetValue(grain, out var names) ? names.Count : 0;
    }

    public bool Contains(string stateName, GrainId grain)
    {
        lock (_rows)
            return _rows.Count > 0 && _rows.TryGetValue(grain, out var names) && names.ContainsKey(stateName);
    }

    public SavedFrame? LastOf(string stateName, GrainId grain)
    {
        lock (_rows)
            return _rows.TryGetValue(grain, out var names) ? names.GetValueOrDefault(stateName) : null;
    }

    public void Add(string stateName, GrainId grain, SavedFrame? saved)
    {
        lock (_rows)
        {
            if (!_rows.TryGetValue(grain, out var names))
                _rows[grain] = names = new(StringComparer.Ordinal);
            names[stateName] = saved;
        }
    }

    public void Remove(string stateName, GrainId grain)
    {
        lock (_rows)
        {
            if (!_rows.TryGetValue(grain, out var names))
                return;
            names.Remove(stateName);
            if (names.Count == 0)
                _rows.Remove(grain);
        }
    }

    public void Clear()
    {
        lock (_rows)
            _rows.Clear();
    }
}

/// <param name="Digest">SHA-256 of its bytes.</param>
/// <param name="IsSent">The database may have got it.</param>
internal sealed record SavedFrame(string ETag, byte[] Digest, bool IsSent)
{
    /// <summary>Saving this one again would change nothing.</summary>
    public bool Covers(string etag, byte[] digest, bool isSent) =>
        ETag == etag && (IsSent || !isSent) && Digest.AsSpan().SequenceEqual(digest);
}
