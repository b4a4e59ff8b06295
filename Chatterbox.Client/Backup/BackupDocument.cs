namespace Chatterbox.Client.Backup;

/// <summary>The names in an export document.</summary>
/// <remarks>
/// <c>{"format", "formatVersion", "exportedAt", "store", "schemaVersion", "state": {the persisted slices}, "audio": [{"hash",
/// "mediaType", "length", "data"}]}</c>. <c>audio</c> is omitted when the export is made without audio.
/// </remarks>
public static class BackupDocument
{
    public const string Format = "chatterbox-export";

    /// <summary>The version of the document around the state. It is raised by changes that older readers cannot read.</summary>
    public const int FormatVersion = 1;

    internal const string Allowed =
        "an object with \"state\" and \"version\", as the browser app stores it, or an export (\"format\": \"" + Format + "\")";
}
