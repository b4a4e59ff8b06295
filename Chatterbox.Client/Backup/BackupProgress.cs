namespace Chatterbox.Client.Backup;

/// <summary>Progress of an export or import, in bytes.</summary>
/// <param name="Total">0 when unknown.</param>
public readonly record struct BackupProgress(BackupStage Stage, long Done, long Total);

public enum BackupStage
{
    /// <summary>An import reads and checks its document.</summary>
    Checking,

    /// <summary>An import stores audio.</summary>
    Uploading,

    /// <summary>An export fetches audio and writes it.</summary>
    Exporting,
}
