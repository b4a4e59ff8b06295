namespace Chatterbox;

/// <summary>The size limits of documents, beside those of every app in <see cref="Limits"/>.</summary>
public static class DocumentLimits
{
    /// <summary>UTF-16 units of a key. Any valid Unicode is a key, the empty text and <c>__proto__</c> too.</summary>
    public const int KeyLength = 1024;

    /// <summary>Keys of one document.</summary>
    public const int Keys = 10_000;

    /// <summary>Bytes of JSON of one value or patch that is sent.</summary>
    public const int ValueBytes = 1024 * 1024;

    /// <summary>The deepest nesting of a value. Messages add their own levels; JSON readers allow 64.</summary>
    public const int Depth = 32;
}
