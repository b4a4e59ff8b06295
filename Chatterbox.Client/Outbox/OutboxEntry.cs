namespace Chatterbox.Client.Outbox;

/// <summary>A change of this client that is not durable yet.</summary>
/// <param name="size">Bytes of the change as JSON.</param>
internal sealed class OutboxEntry(long sequence, SessionChange change, int size = 0)
{
    public long Sequence => sequence;

    public SessionChange Change => change;

    public int Size => size;

    /// <summary>Made by an earlier run of the client: no caller waits for its result.</summary>
    public bool IsRecovered { get; init; }

    /// <summary>The session's revision that includes it; null until the session has confirmed one.</summary>
    public long? Revision { get; set; }

    /// <summary>
    /// The session has confirmed this change itself in this epoch; until then it may have been refused.
    /// </summary>
    public bool IsConfirmed { get; set; }

    public TaskCompletionSource<long> Applied { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Durable { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
