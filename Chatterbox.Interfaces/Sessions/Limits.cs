namespace Chatterbox;

/// <summary>The size limits of client input. Each is checked on arrival and named in the error.</summary>
public static class Limits
{
    public const int UserIdLength = 128;
    public const int StoreLength = 64;
    public const int IdLength = 128;
    public const int NameLength = 200;

    public const int MediaTypeLength = 100;
    /// <summary>Bytes of unknown JSON members in one item.</summary>
    public const int UnknownBytes = 16 * 1024;

    /// <summary>
    /// The deepest nesting of such members. A stored slice adds its own levels; the JSON reader allows 64.
    /// </summary>
    public const int UnknownDepth = 32;

    /// <summary>Changes in one call.</summary>
    public const int ChangesPerBatch = 1000;

    /// <summary>Bytes of one audio clip: 40 s of PCM16 at 24 kHz is 1.9 MB.</summary>
    public const int ClipBytes = 32 * 1024 * 1024;

    /// <summary>Bytes of JSON of one slice.</summary>
    public const int SliceBytes = 8 * 1024 * 1024;

    /// <summary>Bytes of JSON of all slices of a session.</summary>
    public const int SessionBytes = 24 * 1024 * 1024;

    /// <summary>
    /// Bytes of an imported document without its audio. Twice a session's limit, so that every export fits, and also documents of
    /// which an import leaves out parts.
    /// </summary>
    public const int ImportBytes = 2 * SessionBytes;

    /// <summary>Repaired values that an import's report lists.</summary>
    public const int ImportMends = 10_000;

    /// <summary>Clips that an imported state may refer to.</summary>
    public const int ImportClips = 5500;
}
