namespace Chatterbox.Client.Backup;

/// <summary>The result of an export.</summary>
/// <param name="Missing">Hashes of clips that the state refers to but that could not be read: damaged or deleted.</param>
public sealed record ExportReport(SessionState State, long Revision, int Clips, long AudioBytes, IReadOnlyList<string> Missing);
