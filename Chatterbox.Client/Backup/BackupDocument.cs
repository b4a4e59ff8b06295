namespace Chatterbox.Client.Backup;

/// <summary>The names in an export document.</summary>
/// <remarks>
/// <c>{"format", "formatVersion", "exportedAt", "store", "schemaVersion", "state": {the persisted slices}, "audio": [{"hash",
/// "mediaType", "length", "data"}]}</c>. <c>audio</c> is left out where audio was not asked for.
/// </remarks>
public static class BackupDocument
{
    public const string Format = "chatterbox-export";

    /// <summary>Of the document around the state. Grows when an older reader could not make sense of it.</summary>
    public const int FormatVersion = 1;

    internal const string Allowed =
        "an object with \"state\" and \"version\", as the browser app stores it, or an export (\"format\": \"" + Format + "\")";
}
