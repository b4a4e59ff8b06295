using Orleans.Storage;

namespace Chatterbox.Grains.Persistence;

/// <summary>One row of a grain in grain storage, known by the etag it was last seen with. Its bytes are not held.</summary>
internal sealed class StoredRow(IGrainStorage storage, GrainId owner, string name)
{
    private string? _etag;

    public string Name => name;

    /// <summary>Changes with every write and clear of the row, and never comes back.</summary>
    public string? ETag => _etag;

    /// <summary>Bytes in the row as last seen; 0 when there is none.</summary>
    public int Length { get; private set; }

    /// <summary>The row's bytes, or null when there is none. A read that fails leaves what is known as it was.</summary>
    public async Task<byte[]?> ReadAsync()
    {
        var read = new GrainState<StoredFrame>(new StoredFrame());
        await storage.ReadStateAsync(name, owner, read);
        _etag = read.ETag;
        Length = read.RecordExists ? read.State!.Bytes.Length : 0;
        return read.RecordExists ? read.State!.Bytes : null;
    }

    /// <exception cref="Orleans.Storage.InconsistentStateException">Somebody else has written the row.</exception>
    public async Task WriteAsync(byte[] bytes)
    {
        var write = new GrainState<StoredFrame>(new StoredFrame { Bytes = bytes }, _etag) { RecordExists = Length > 0 };
        await storage.WriteStateAsync(name, owner, write);
        _etag = write.ETag;
        Length = bytes.Length;
    }

    public async Task ClearAsync()
    {
        var cleared = new GrainState<StoredFrame>(new StoredFrame(), _etag) { RecordExists = Length > 0 };
        await storage.ClearStateAsync(name, owner, cleared);
        _etag = cleared.ETag;
        Length = 0;
    }

    /// <summary>Takes over what another activation knew of the row.</summary>
    public void Resume(string? etag, int length) => (_etag, Length) = (etag, length);

    /// <summary>Reads the row again: its bytes, and whether it is still as this object knew it.</summary>
    public async Task<(byte[]? Bytes, bool Unchanged)> ReadAgainAsync()
    {
        var etag = _etag;
        var bytes = await ReadAsync();
        return (bytes, _etag == etag);
    }
}
