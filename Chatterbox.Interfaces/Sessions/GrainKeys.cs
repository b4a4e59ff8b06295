namespace Chatterbox;

/// <summary>
/// Grain keys of a user's data. The prefix keeps Orleans' key parser from reading a key as an integer or a GUID,
/// which have several spellings: two users would share one row.
/// </summary>
internal static class GrainKeys
{
    private const string Prefix = "u/";

    public static string OfUser(string userId) => Prefix + userId;

    /// <summary>The part of a key after the prefix; null when the key has no prefix.</summary>
    public static string? WithoutPrefix(string? key) =>
        key?.StartsWith(Prefix, StringComparison.Ordinal) is true ? key[Prefix.Length..] : null;
}
