namespace Chatterbox.Client.Outbox;

/// <summary>A change of this client on its way: kept until it is durable.</summary>
/// <param name="size">Bytes of the change as JSON.</param>
internal sealed class OutboxEntry(long sequence, AppStateChange change, int size = 0)
{
    public long Sequence => sequence;

    public AppStateChange Change => change;

    public int Size => size;

    /// <summary>Made by an earlier run of the client: nobody here waits to hear what became of it.</summary>
    public bool IsRecovered { get; init; }

    /// <summary>The revision at which it is in the session's state; null until the session has said so.</summary>
    public long? Revision { get; set; }

    /// <summary>The session has said of this very change that it is in, in this epoch; until then it may have been refused.</summary>
    public bool IsConfirmed { get; set; }

    public TaskCompletionSource<long> Applied { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Durable { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
