using Orleans.Concurrency;

namespace Chatterbox;

/// <summary>One audio clip of one user, keyed <c>user/sha256</c>: immutable, written once, read on demand.</summary>
[Alias("chatterbox.IAudioClipGrain")]
public interface IAudioClipGrain : IGrainWithStringKey
{
    /// <summary>
    /// Stores the clip; returns once it is durable. Storing it again does nothing. Refused when it is empty, too large, or its
    /// SHA-256 is not the one in the key.
    /// </summary>
    [Alias("Put")]
    Task<PutClipReply> PutAsync(Immutable<byte[]> clip, string mediaType);

    /// <summary>The clip; nothing when it is not stored.</summary>
    [Alias("Get"), ReadOnly]
    Task<GetClipReply> GetAsync();
}

/// <summary>The clip, or nothing; <paramref name="Refused"/> says why a clip that is stored cannot be given.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.GetClipReply")]
public sealed record GetClipReply(
    [property: Id(0)] byte[]? Clip,
    [property: Id(1)] string? MediaType,
    [property: Id(2)] Rejection? Refused);

/// <summary>Where the clip is, or why it was not stored.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.PutClipReply")]
public sealed record PutClipReply([property: Id(0)] AudioRef? Audio, [property: Id(1)] Rejection? Refused);

/// <summary>Keys of audio clips.</summary>
public static class AudioClipKey
{
    public static string For(string userId, string sha256) => $"{userId}/{sha256}";
}
