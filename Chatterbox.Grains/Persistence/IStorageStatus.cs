namespace Chatterbox.Grains.Persistence;

/// <summary>What the host knows about its storage; sessions pass it on to their clients.</summary>
public interface IStorageStatus
{
    /// <summary>Since when the database has not been answering, or not taking writes; null while it does.</summary>
    DateTimeOffset? DegradedSince { get; }

    /// <summary>Frames in the local fallback file that the database does not have yet.</summary>
    int PendingFrames { get; }

    /// <summary>Frames in the local fallback file for another database or service. They stay there.</summary>
    int ForeignFrames { get; }

    /// <summary>
    /// Why the local fallback file could not keep the last frame, or why frames cannot be replayed; null when neither failed.
    /// </summary>
    string? FallbackFailure { get; }

    /// <summary>Rows of this grain with frames in the local fallback file.</summary>
    int PendingFramesOf(GrainId grain);
}
