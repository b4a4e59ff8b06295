namespace Chatterbox.Grains.Persistence;

/// <summary>What the host knows about its storage; sessions pass it on to their clients.</summary>
public interface IStorageStatus
{
    /// <summary>Since when the database has not been answering; null while it is.</summary>
    DateTimeOffset? DegradedSince { get; }

    /// <summary>Frames in the local fallback file that the database does not have yet.</summary>
    int PendingFrames { get; }
}
