namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>A frame that the database has not taken, and the etag that it was to replace.</summary>
/// <param name="Sent">The SHA-256 of frames that were sent under the same etag without an answer: one of them may be in the
/// database.</param>
/// <param name="IsDamaged">The bytes are not those that were saved.</param>
internal sealed record FallbackFrame(
    long Number, FallbackOwner Owner, string StateName, GrainId Grain, string? ETag, byte[] Bytes, string SavedAt,
    IReadOnlyList<byte[]> Sent, bool IsDamaged);

/// <summary>The local file cannot be written or read: full, not writable, missing.</summary>
internal sealed class FallbackFileException(string message, Exception cause) : Exception(message, cause);
