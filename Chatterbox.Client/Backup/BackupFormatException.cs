namespace Chatterbox.Client.Backup;

/// <summary>A document cannot be imported. Nothing was changed.</summary>
/// <param name="place">Where: line and byte, or a path in the JSON.</param>
/// <param name="problem">The value found, and the allowed values.</param>
public sealed class BackupFormatException(string place, string problem) : Exception($"{place}: {problem}")
{
    /// <summary>Where in the document.</summary>
    public string Place => place;

    internal string Found { get; private init; } = problem;

    internal string Allowed { get; private init; } = "";

    internal static BackupFormatException At(string path, string found, string allowed) =>
        new(path.Length == 0 ? "the document" : path, $"must be {allowed}, was {found}") { Found = found, Allowed = allowed };
}
