using Chatterbox.Grains.Persistence;
using Orleans.Storage;

namespace Chatterbox.Tests.Persistence;

/// <summary>Grain storage in memory, with etags, and with faults where a test puts them.</summary>
internal sealed class MemoryStorage : IGrainStorage
{
    private readonly Dictionary<string, (byte[]? Bytes, int Version)> _rows = [];

    /// <summary>What becomes of a write, by the row's name. Runs before the commit; what it returns runs after it.</summary>
    public Func<string, Action?>? OnWrite { get; set; }

    public Func<string, Action?>? OnRead { get; set; }

    /// <summary>Told of each write that is tried, with its etag.</summary>
    public Action<string, string?>? OnTry { get; set; }

    public List<string> Writes { get; } = [];

    public byte[]? this[string row]
    {
        get => _rows.TryGetValue(row, out var found) ? found.Bytes : null;
        set => _rows[row] = (value, _rows.TryGetValue(row, out var found) ? found.Version + 1 : 1);
    }

    public IEnumerable<string> Rows => _rows.Keys;

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        OnRead?.Invoke(stateName);
        var exists = _rows.TryGetValue(stateName, out var row) && row.Bytes is not null;
        grainState.State = (T)(object)new StoredFrame { Bytes = exists ? row.Bytes! : [] };
        grainState.RecordExists = exists;
        grainState.ETag = _rows.ContainsKey(stateName) ? $"{row.Version}" : null!;
        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        OnTry?.Invoke(stateName, grainState.ETag);
        var after = OnWrite?.Invoke(stateName);
        var known = _rows.TryGetValue(stateName, out var row) ? $"{row.Version}" : null;
        if (known != grainState.ETag) throw new InconsistentStateException("stale");
        this[stateName] = ((StoredFrame)(object)grainState.State!).Bytes;
        Writes.Add(stateName);
        after?.Invoke();
        grainState.ETag = $"{_rows[stateName].Version}";
        grainState.RecordExists = true;
        return Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        this[stateName] = null;
        grainState.ETag = $"{_rows[stateName].Version}";
        grainState.RecordExists = false;
        return Task.CompletedTask;
    }
}
