using Orleans.Storage;

namespace Chatterbox.Grains.Persistence;

/// <summary>One row of a grain in grain storage, identified by its last known etag. Does not keep the bytes.</summary>
internal sealed class StoredRow(IGrainStorage storage, GrainId owner, string name)
{
    private string? _etag;

    /// <summary>A write was abandoned: it may have been or still be committed.</summary>
    private bool _isUncertain;

    public string Name => name;

    /// <summary>Changes with every write and clear of the row; never reused.</summary>
    public string? ETag => _etag;

    /// <summary>Bytes in the row as last seen; 0 when there is none.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes that were read are not saved: see <see cref="StoredFrame.IsPending"/>.</summary>
    public bool IsPending { get; private set; }

    /// <summary>The row's bytes, or null when there is none. A failed read does not change this object.</summary>
    public async Task<byte[]?> ReadAsync(bool acceptsPending = false) => Adopt(await FetchAsync(acceptsPending));

    /// <exception cref="InconsistentStateException">Another writer has written the row.</exception>
    public async Task WriteAsync(byte[] bytes)
    {
        var write = new GrainState<StoredFrame>(new StoredFrame { Bytes = bytes }, _etag) { RecordExists = Length > 0 };
        _isUncertain = true;
        await storage.WriteStateAsync(name, owner, write);
        (_etag, Length, _isUncertain) = (write.ETag, bytes.Length, false);
    }

    /// <summary>
    /// Overwrites any content of the row: for rows that are replaced as a whole, without regard to older writes.
    /// </summary>
    /// <exception cref="IOException">Other writers keep changing the row. Not the storage's own exception, which would end the
    /// activation.</exception>
    public async Task OverwriteAsync(byte[] bytes)
    {
        if (_isUncertain) await ReadAsync();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await WriteAsync(bytes);
                return;
            }
            catch (InconsistentStateException overtaken)
            {
                if (attempt == 2) throw Overtaken(overtaken);
                await ReadAsync();
            }
        }
    }

    /// <summary>Reads the row, and writes it unless it already holds these bytes.</summary>
    /// <inheritdoc cref="OverwriteAsync"/>
    public async Task ReadAndOverwriteAsync(byte[] bytes)
    {
        if (await ReadAsync() is not { } found || !found.AsSpan().SequenceEqual(bytes)) await OverwriteAsync(bytes);
    }

    /// <summary>Reads the row, and clears it unless it is empty.</summary>
    /// <inheritdoc cref="ClearAsync"/>
    public async Task ReadAndClearAsync()
    {
        if (await ReadAsync() is not null) await ClearAsync();
    }

    /// <summary>Whether the row is unchanged since the last read or write here.</summary>
    public async Task<bool> IsCurrentAsync()
    {
        var found = await FetchAsync(acceptsPending: true);
        return (string.IsNullOrEmpty(found.ETag) ? null : found.ETag) == (string.IsNullOrEmpty(_etag) ? null : _etag);
    }

    /// <exception cref="IOException">Another writer has written the row.</exception>
    public async Task ClearAsync()
    {
        var cleared = new GrainState<StoredFrame>(new StoredFrame(), _etag) { RecordExists = Length > 0 };
        try
        {
            await storage.ClearStateAsync(name, owner, cleared);
        }
        catch (InconsistentStateException overtaken)
        {
            throw Overtaken(overtaken);
        }
        (_etag, Length) = (cleared.ETag, 0);
    }

    /// <summary>Adopts another activation's knowledge of the row.</summary>
    public void Resume(string? etag, int length) => (_etag, Length) = (etag, length);

    /// <summary>
    /// The outcome of a write: true when the row holds its bytes, false when it is unchanged. Another writer's content is not
    /// adopted, so that later writes cannot overwrite it.
    /// </summary>
    /// <exception cref="SessionConflictException">Another writer has written the row.</exception>
    public async Task<bool> HoldsAsync(byte[] written)
    {
        var found = await FetchAsync();
        var isOurs = found.RecordExists && found.State!.Bytes.AsSpan().SequenceEqual(written);
        if (!isOurs && found.ETag != _etag)
            throw new SessionConflictException($"The {name} of {owner} have been written by another activation.");
        Adopt(found);
        return isOurs;
    }

    private async Task<GrainState<StoredFrame>> FetchAsync(bool acceptsPending = false)
    {
        var read = new GrainState<StoredFrame>(new StoredFrame { AcceptsPending = acceptsPending });
        await storage.ReadStateAsync(name, owner, read);
        return read;
    }

    private byte[]? Adopt(GrainState<StoredFrame> read)
    {
        var bytes = read.RecordExists ? read.State!.Bytes : null;
        (_etag, Length, _isUncertain) = (read.ETag, bytes?.Length ?? 0, false);
        IsPending = read.RecordExists && read.State!.IsPending;
        return bytes;
    }

    private IOException Overtaken(InconsistentStateException overtaken) =>
        new($"The {name} of {owner} are being written by another activation.", overtaken);
}
