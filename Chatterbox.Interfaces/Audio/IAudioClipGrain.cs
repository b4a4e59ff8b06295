using Orleans.Concurrency;

namespace Chatterbox;

/// <summary>
/// One audio clip of one user, keyed <c>u/user/sha256</c>: immutable, written once, read on demand. Uploads and downloads go in
/// pieces of <see cref="AudioPieces.Bytes"/>, so that neither side holds more than that of a clip at a time.
/// </summary>
[Alias("chatterbox.IAudioClipGrain")]
public interface IAudioClipGrain : IGrainWithStringKey
{
    /// <summary>
    /// Stores the clip in one call; returns once it is durable. Idempotent. Refused when it is empty, too
    /// large, over the quota of the user's default store, or its SHA-256 is not the one in the key.
    /// </summary>
    [Alias("Put")]
    Task<PutClipReply> PutAsync(Immutable<byte[]> clip, string mediaType);

    /// <summary>
    /// Starts or resumes an upload: returns the pieces still to be sent, none when the clip is already stored. An upload that is
    /// not completed and referred to within the silo's upload expiry is deleted.
    /// </summary>
    [Alias("BeginUpload")]
    Task<BeginUploadReply> BeginUploadAsync(UploadRequest request);

    /// <summary>Stores one piece, in any order; returns once it is durable. Idempotent.</summary>
    [Alias("PutPiece")]
    Task<PutPieceReply> PutPieceAsync(int piece, Immutable<byte[]> bytes);

    /// <summary>
    /// Completes the clip if the stored pieces have the SHA-256 in the key; with another hash they are deleted. The reply names
    /// missing pieces. Idempotent.
    /// </summary>
    [Alias("CompleteUpload")]
    Task<PutClipReply> CompleteUploadAsync();

    /// <summary>The clip; empty when it is not stored.</summary>
    [Alias("Get"), ReadOnly]
    Task<GetClipReply> GetAsync();

    /// <summary>
    /// One piece of the clip; empty when the clip is not stored. The pieces together have the SHA-256 in the key.
    /// </summary>
    [Alias("GetPiece"), ReadOnly]
    Task<GetPieceReply> GetPieceAsync(int piece);

    /// <summary>The clip's description, without its bytes; null when it is not stored or damaged.</summary>
    [Alias("Describe"), ReadOnly]
    Task<AudioRef?> DescribeAsync();
}

/// <summary>The clip, or null; <paramref name="Refused"/> is the reason when a stored clip cannot be returned.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.GetClipReply")]
public sealed record GetClipReply(
    [property: Id(0)] byte[]? Clip,
    [property: Id(1)] string? MediaType,
    [property: Id(2)] Rejection? Refused);

/// <summary>The reference to the clip, or why it was not stored.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.PutClipReply")]
public sealed record PutClipReply([property: Id(0)] AudioRef? Audio, [property: Id(1)] Rejection? Refused)
{
    /// <summary>Pieces that have to be sent before the upload can be completed.</summary>
    [Id(2)] public ValueList<int> Missing { get; init; } = [];

    /// <summary>The upload is not known, or no longer: begin it again.</summary>
    [Id(3)] public bool Unknown { get; init; }

    /// <summary>Set beside <see cref="Refused"/> when there is no room.</summary>
    [Id(4)] public QuotaExceeded? Quota { get; init; }
}

/// <summary>A clip to upload.</summary>
/// <param name="Store">The store that will refer to it, and whose quota it counts against.</param>
/// <param name="Length">Bytes. 1 to <see cref="Limits.ClipBytes"/>.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.UploadRequest")]
public sealed record UploadRequest(
    [property: Id(0)] string Store,
    [property: Id(1)] long Length,
    [property: Id(2)] string MediaType);

/// <summary>The pieces left to send.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.BeginUploadReply")]
public sealed record BeginUploadReply
{
    /// <summary>Set when the clip is already stored: nothing to send.</summary>
    [Id(0)] public AudioRef? Stored { get; init; }

    /// <summary>The pieces to send.</summary>
    [Id(1)] public ValueList<int> Missing { get; init; } = [];

    [Id(2)] public Rejection? Refused { get; init; }

    /// <summary>Set beside <see cref="Refused"/> when there is no room.</summary>
    [Id(3)] public QuotaExceeded? Quota { get; init; }
}

/// <summary>The result of sending a piece.</summary>
/// <param name="Unknown">The upload is not known, or no longer: begin it again.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.PutPieceReply")]
public sealed record PutPieceReply([property: Id(0)] Rejection? Refused = null, [property: Id(1)] bool Unknown = false);

/// <summary>A piece of a clip, and the clip's description; null when it is not stored.</summary>
/// <param name="Refused">Why a stored clip cannot be returned.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.GetPieceReply")]
public sealed record GetPieceReply(
    [property: Id(0)] AudioRef? Audio,
    [property: Id(1)] byte[]? Bytes,
    [property: Id(2)] Rejection? Refused = null);

/// <summary>The quota has no room for a clip, even after a clean-up. All in bytes.</summary>
/// <param name="Used">The session's stored slices and audio.</param>
/// <param name="Needed">The size of the clip.</param>
/// <param name="Allowed">The session's quota.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.QuotaExceeded")]
public sealed record QuotaExceeded([property: Id(0)] long Used, [property: Id(1)] long Needed, [property: Id(2)] long Allowed)
{
    public Rejection ToRejection() => new("quota", $"{Used} used and {Needed} needed", $"at most {Allowed} bytes in all");
}

/// <summary>Keys of audio clips.</summary>
public static class AudioClipKey
{
    public static string For(string userId, string sha256) => $"{GrainKeys.OfUser(userId)}/{sha256}";

    /// <summary>The reverse. For a key of no clip, the parts are no valid user and hash.</summary>
    internal static (string User, string Hash) Split(string key)
    {
        var name = GrainKeys.WithoutPrefix(key) ?? "";
        var slash = name.LastIndexOf('/');
        return (name[..Math.Max(0, slash)], name[(slash + 1)..]);
    }
}

/// <summary>The division of a clip for transfer and storage: all pieces but the last have the same size.</summary>
public static class AudioPieces
{
    /// <summary>
    /// Bytes of a piece: few round trips for a usual clip (40 s are 1.9 MB), little memory for each upload in progress.
    /// </summary>
    public const int Bytes = 512 * 1024;

    public static int CountOf(long length) => (int)((length + Bytes - 1) / Bytes);

    public static int LengthOf(int piece, long length) => (int)Math.Min(Bytes, length - ((long)piece * Bytes));
}
