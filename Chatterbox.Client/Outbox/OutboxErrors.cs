namespace Chatterbox.Client;

/// <summary>
/// The outbox had no room for a change within <see cref="ChatterboxClientOptions.OutboxWait"/>, because too many earlier changes
/// are not durable yet. The change was not made: nothing shows it, and no earlier change is lost.
/// </summary>
public sealed class OutboxFullException(int changes, long bytes, int mostChanges, long mostBytes, string what) : IOException(
    $"outbox: must be at most {mostChanges} changes and {mostBytes} bytes, was {changes} changes of {bytes} bytes "
    + $"that are not durable yet; no room for {what}")
{
    /// <summary>Changes that are in the outbox.</summary>
    public int Changes => changes;

    public long Bytes => bytes;

    public int MostChanges => mostChanges;

    public long MostBytes => mostBytes;
}

/// <summary>The file of an outbox cannot be opened or written. A change that could not be written was not made.</summary>
public sealed class OutboxUnavailableException(string path, string reason, Exception? cause = null)
    : IOException($"outbox: {path} must be in a writable folder with room on its disk: {reason}", cause)
{
    public string Path => path;
}

/// <summary>The changes that are not durable yet, and the limits.</summary>
/// <param name="Recovered">The number of changes left by an earlier run of the client.</param>
/// <param name="OnDisk">Whether they survive the end of this client.</param>
/// <param name="Held">Why recovered changes are held back; null when they are not. They are sent once the session accepts changes
/// again.</param>
public sealed record OutboxStatus(int Changes, long Bytes, int MostChanges, long MostBytes, int Recovered,
    bool OnDisk, string? Held);
