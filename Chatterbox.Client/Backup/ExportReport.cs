namespace Chatterbox.Client.Backup;

/// <summary>What an export wrote.</summary>
/// <param name="Missing">Hashes of clips that the state refers to and that could not be had: damaged or gone.</param>
public sealed record ExportReport(AppState State, long Revision, int Clips, long AudioBytes, IReadOnlyList<string> Missing);
