namespace Chatterbox.Client;

/// <summary>The audio clips of a store's user.</summary>
public sealed class StoreAudio
{
    private readonly AppStore _store;
    private readonly ClipTransfer _transfer;

    internal StoreAudio(AppStore store) => (_store, _transfer) = (store, new(store.Client, store.Session.UserId));

    /// <summary>
    /// Raised when the audio of old work sessions was dropped to make room for an upload, with the sizes before and after.
    /// </summary>
    public event Action<QuotaCleanedUp>? QuotaCleanedUp;

    /// <inheritdoc cref="UploadAsync(Stream, string, IProgress{AudioProgress}?, CancellationToken)"/>
    public Task<AudioRef> UploadAsync(byte[] clip, string mediaType = "audio/wav",
        CancellationToken cancellationToken = default) =>
        UploadAsync(clip, mediaType, progress: null, cancellationToken);

    /// <inheritdoc cref="UploadAsync(Stream, string, IProgress{AudioProgress}?, CancellationToken)"/>
    public async Task<AudioRef> UploadAsync(
        byte[] clip, string mediaType, IProgress<AudioProgress>? progress, CancellationToken cancellationToken = default)
    {
        using var stream = new MemoryStream(clip, writable: false);
        return await UploadAsync(stream, mediaType, progress, cancellationToken);
    }

    /// <summary>
    /// Stores a clip and returns the reference for the state. A clip that the user has already stored is not sent again; an
    /// interrupted upload is resumed. A clip without a reference is deleted after the silo's upload expiry, 1 h by default.
    /// </summary>
    /// <param name="clip">Read from its start; held in memory when it cannot seek.</param>
    /// <exception cref="ClipRefusedException">The clip is empty or too large, or the session is read-only.</exception>
    /// <exception cref="QuotaExceededException">There is no room, even without the audio of old work sessions.</exception>
    /// <exception cref="IOException">For a minute, no silo could be reached, or none could store.</exception>
    public async Task<AudioRef> UploadAsync(
        Stream clip, string mediaType = "audio/wav", IProgress<AudioProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        if (clip.CanSeek) return await _transfer.UploadAsync(clip, _store.Session.Store, mediaType, progress, cancellationToken);
        using var held = new MemoryStream();
        var buffer = new byte[AudioPieces.Bytes];
        for (int read; held.Length <= Limits.ClipBytes && (read = await clip.ReadAsync(buffer, cancellationToken)) > 0;)
            held.Write(buffer, 0, read);
        return await _transfer.UploadAsync(held, _store.Session.Store, mediaType, progress, cancellationToken);
    }

    /// <inheritdoc cref="ChatterboxClient.DownloadAudioAsync"/>
    public Task<byte[]?> DownloadAsync(string hash, CancellationToken cancellationToken = default) =>
        DownloadAsync(hash, progress: null, cancellationToken);

    /// <inheritdoc cref="ChatterboxClient.DownloadAudioAsync"/>
    public async Task<byte[]?> DownloadAsync(string hash, IProgress<AudioProgress>? progress,
        CancellationToken cancellationToken = default)
    {
        using var clip = new MemoryStream();
        return await _transfer.DownloadAsync(hash, clip, progress, cancellationToken) ? clip.ToArray() : null;
    }

    /// <summary>Writes the clip to a stream, a piece at a time. False when the user has no such clip.</summary>
    /// <exception cref="InvalidDataException">The stored clip is damaged; discard the output.</exception>
    /// <exception cref="IOException">No silo can be reached.</exception>
    public Task<bool> DownloadAsync(
        string hash, Stream output, IProgress<AudioProgress>? progress = null, CancellationToken cancellationToken = default) =>
        _transfer.DownloadAsync(hash, output, progress, cancellationToken);

    internal void CleanedUp(QuotaCleanedUp what) => QuotaCleanedUp?.Invoke(what);
}
