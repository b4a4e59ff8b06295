namespace Chatterbox.Grains.Persistence;

/// <summary>What the host knows about its storage; sessions pass it on to their clients.</summary>
public interface IStorageStatus
{
    /// <summary>Since when the database has not been answering, or not taking writes; null while it does.</summary>
    DateTimeOffset? DegradedSince { get; }

    /// <summary>Frames in the local fallback file that the database does not have yet.</summary>
    int PendingFrames { get; }

    /// <summary>Why the local fallback file did not take the last frame that it was to keep; null when it did.</summary>
    string? FallbackFailure { get; }

    /// <summary>Rows of this grain with frames in the local fallback file.</summary>
    int PendingFramesOf(GrainId grain);
}
