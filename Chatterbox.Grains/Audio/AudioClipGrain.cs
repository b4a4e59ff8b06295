using System.Security.Cryptography;
using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Concurrency;
using Orleans.Storage;

namespace Chatterbox.Grains.Audio;

/// <summary>A clip in a row of its own. Holds no bytes in memory: they pass through.</summary>
[GrainType("chatterbox.clip")]
internal sealed class AudioClipGrain([FromKeyedServices(ChatterboxStorage.Name)] IGrainStorage storage) : Grain, IAudioClipGrain
{
    private StoredRow Row => new(storage, this.GetGrainId(), "clip");

    private string Hash => this.GetPrimaryKeyString()[(this.GetPrimaryKeyString().LastIndexOf('/') + 1)..];

    public async Task<PutClipReply> PutAsync(Immutable<byte[]> clip, string mediaType)
    {
        if (Check(clip.Value, mediaType) is { } wrong) return new(null, wrong);
        var row = Row;
        var stored = await row.ReadAsync();
        // A row that does not hold what its key says is damaged; the clip in hand is the true one.
        if (stored is null || !Holds(stored)) await row.WriteAsync(ClipFrame.Encode(clip.Value, mediaType));
        return new(WavHeader.Describe(clip.Value, Hash, mediaType), null);
    }

    public async Task<GetClipReply> GetAsync()
    {
        if (await Row.ReadAsync() is not { } stored) return new(null, null, null);
        return ClipFrame.TryDecode(stored, out var mediaType, out var clip) && Matches(clip)
            ? new(clip, mediaType, null)
            : new(null, null, Rejection.OfText("audio", Hash, "a clip that is intact; the stored one is damaged, its bytes are left as they are"));
    }

    private Rejection? Check(byte[]? clip, string? mediaType)
    {
        if (!SessionId.TryParse($"{this.GetPrimaryKeyString()[..^(Hash.Length + 1)]}/{SessionId.DefaultStore}", out _))
        {
            return Rejection.OfText("userId", this.GetPrimaryKeyString(), "a user's clip: user/sha256");
        }
        if (clip is not { Length: > 0 and <= Limits.ClipBytes })
        {
            return new("audio", $"{clip?.Length ?? 0} bytes", $"1 to {Limits.ClipBytes} bytes");
        }
        return Text.CheckMediaType("mediaType", mediaType)
            ?? (Matches(clip) ? null : Rejection.OfText("audio", Hash, "the SHA-256 of the clip that is sent"));
    }

    private bool Holds(byte[] stored) => ClipFrame.TryDecode(stored, out _, out var clip) && Matches(clip);

    private bool Matches(byte[] clip) => Convert.ToHexStringLower(SHA256.HashData(clip)) == Hash;
}
