using System.Security.Cryptography;
using Orleans.Concurrency;

namespace Chatterbox.Client;

/// <summary>The audio clips of a store's user.</summary>
public sealed class StoreAudio
{
    private readonly ChatterboxStore _store;

    internal StoreAudio(ChatterboxStore store) => _store = store;

    /// <summary>Stores a clip, once however often it is sent, and returns what the state refers to it by.</summary>
    /// <exception cref="ArgumentException">The clip is empty or too large.</exception>
    public async Task<AudioRef> UploadAsync(byte[] clip, string mediaType = "audio/wav", CancellationToken cancellationToken = default)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(clip));
        var reply = await _store.Client.Clip(_store.Session.UserId, hash).PutAsync(clip.AsImmutable(), mediaType).WaitAsync(cancellationToken);
        return reply.Audio ?? throw new ArgumentException(reply.Refused!.Message);
    }

    /// <inheritdoc cref="ChatterboxClient.DownloadAudioAsync"/>
    public Task<byte[]?> DownloadAsync(string hash, CancellationToken cancellationToken = default) =>
        _store.Client.DownloadAudioAsync(_store.Session.UserId, hash, cancellationToken);
}
