using Chatterbox.Grains.Persistence;
using Orleans.Storage;

namespace Chatterbox.Tests.Persistence;

/// <summary>What goes wrong with one write or clear.</summary>
internal enum WriteFault
{
    None,

    /// <summary>Not committed, and the writer is told so.</summary>
    Before,

    /// <summary>Committed, and the writer is not told.</summary>
    After,

    /// <summary>
    /// The writer gives up; committed later, when it has looked and found nothing, if nobody has written meanwhile.
    /// </summary>
    Late,

    /// <summary>Not committed, for an etag that is said to be stale and is not.</summary>
    Stale,
}

/// <summary>Grain storage in memory, with etags, and with faults where a test puts them.</summary>
internal sealed class MemoryStorage : IGrainStorage
{
    private readonly Dictionary<string, (byte[]? Bytes, int Version)> _rows = [];
    private readonly Dictionary<string, Action> _late = [];

    public MemoryStorage() { }

    /// <summary>The rows as they are in another one, without its faults.</summary>
    public MemoryStorage(MemoryStorage other) => _rows = new(other._rows);

    /// <summary>What becomes of a write, by the row's name. Runs before the commit; what it returns runs after it.</summary>
    public Func<string, Action?>? OnWrite { get; set; }

    /// <summary>What goes wrong with the next write or clear, by the row's name.</summary>
    public Func<string, WriteFault>? Fault { get; set; }

    /// <summary>Awaited before each write and read, for example to hold it up.</summary>
    public Func<string, Task>? Slow { get; set; }

    public Func<string, Task>? OnRead { get; set; }

    /// <summary>Told of each write that is tried, with its etag.</summary>
    public Action<string, string?>? OnTry { get; set; }

    public List<string> Writes { get; } = [];

    public byte[]? this[string row]
    {
        get => _rows.TryGetValue(row, out var found) ? found.Bytes : null;
        set => _rows[row] = (value, _rows.TryGetValue(row, out var found) ? found.Version + 1 : 1);
    }

    public IEnumerable<string> Rows => _rows.Where(row => row.Value.Bytes is not null).Select(row => row.Key);

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (OnRead is not null) await OnRead(stateName);
        lock (_rows)
        {
            var exists = _rows.TryGetValue(stateName, out var row) && row.Bytes is not null;
            grainState.State = (T)(object)new StoredFrame { Bytes = exists ? row.Bytes! : [] };
            grainState.RecordExists = exists;
            grainState.ETag = _rows.ContainsKey(stateName) ? $"{row.Version}" : null!;
        }
        CommitLate(stateName);
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ChangeAsync(stateName, grainState, ((StoredFrame)(object)grainState.State!).Bytes);

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ChangeAsync(stateName, grainState, null);

    private async Task ChangeAsync<T>(string row, IGrainState<T> state, byte[]? bytes)
    {
        if (Slow is not null) await Slow(row);
        CommitLate(row);
        OnTry?.Invoke(row, state.ETag);
        var after = OnWrite?.Invoke(row);
        var etag = state.ETag;
        switch (Fault?.Invoke(row) ?? WriteFault.None)
        {
            case WriteFault.Before: throw new IOException("put in by the test: failed before the commit");
            case WriteFault.Stale: throw new InconsistentStateException("put in by the test: stale etag");
            case WriteFault.Late:
                _late[row] = () =>
                {
                    if (EtagOf(row) == etag) this[row] = bytes;
                };
                throw new TimeoutException("put in by the test: no answer");
            case WriteFault.After:
                Commit(row, etag, bytes);
                throw new TimeoutException("put in by the test: no answer after the commit");
            default:
                var committed = Commit(row, etag, bytes);
                after?.Invoke();
                (state.ETag, state.RecordExists) = (committed, bytes is not null);
                return;
        }
    }

    // Atomic, also where a test runs several writers on threads of their own.
    private string Commit(string row, string? etag, byte[]? bytes)
    {
        lock (_rows)
        {
            if (EtagOf(row) != etag) throw new InconsistentStateException("stale");
            this[row] = bytes;
            Writes.Add(row);
            return EtagOf(row)!;
        }
    }

    private void CommitLate(string row)
    {
        if (_late.Remove(row, out var commit)) commit();
    }

    private string? EtagOf(string row) => _rows.TryGetValue(row, out var found) ? $"{found.Version}" : null;
}
