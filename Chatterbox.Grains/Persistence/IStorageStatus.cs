namespace Chatterbox.Grains.Persistence;

/// <summary>The host's storage status; sessions report it to their clients.</summary>
public interface IStorageStatus
{
    /// <summary>Since when the database does not answer or accepts no writes; null while it does.</summary>
    DateTimeOffset? DegradedSince { get; }

    /// <summary>Frames in the local fallback file that the database does not have yet.</summary>
    int PendingFrames { get; }

    /// <summary>Frames in the local fallback file for another database or service. They are kept.</summary>
    int ForeignFrames { get; }

    /// <summary>
    /// Why the last frame could not be written to the local fallback file, or frames cannot be replayed; null if neither failed.
    /// </summary>
    string? FallbackFailure { get; }

    /// <summary>Rows of this grain with frames in the local fallback file.</summary>
    int PendingFramesOf(GrainId grain);
}
