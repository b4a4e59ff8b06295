namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>A row that waits for its batch. The caller awaits <see cref="Task"/>.</summary>
internal abstract class PendingRow(RowKey key)
{
    private int _state;

    public RowKey Key { get; } = key;

    /// <summary>Counts towards the size of a batch.</summary>
    public abstract int Bytes { get; }

    public abstract Task Task { get; }

    /// <summary>It has to be taken again: its batch did not get to it, or it goes on in another lane.</summary>
    public virtual bool IsLeft { get; set; }

    /// <summary>The batch is committed, and the row knows its outcome.</summary>
    public abstract void Complete();

    public abstract void Fail(Exception reason);

    /// <summary>What a caller is told that cancels once the row is in a batch.</summary>
    public abstract Exception CancelledTooLate(CancellationToken cancellationToken);

    /// <summary>What a caller is told whose row is in a batch that does not end.</summary>
    public abstract Exception TimedOut(string reason);

    /// <summary>True if the row goes into a batch, false if it was withdrawn before.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _state, 1, 0) == 0;

    /// <summary>True if the row will never go into a batch, false if it is in one.</summary>
    public bool TryWithdraw() => Interlocked.CompareExchange(ref _state, 2, 0) == 0;

    /// <summary>The row was taken, and waits again.</summary>
    public void Return() => Interlocked.CompareExchange(ref _state, 0, 1);
}

/// <summary>Insert (no version), update, or clear (no payload).</summary>
internal sealed class RowWrite(RowKey key, byte[]? payload, int? version) : PendingRow(key)
{
    // Asynchronous, or the callers' code would run on the thread that commits.
    private readonly TaskCompletionSource<bool> _written = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public byte[]? Payload { get; } = payload;

    /// <summary>The version that has to be there; null if there has to be none.</summary>
    public int? Version { get; } = version;

    public override int Bytes => Payload?.Length ?? 0;

    public override Task<bool> Task => _written.Task;

    /// <summary>Set by the store: false is a conflict.</summary>
    public bool Written { get; set; }

    /// <summary>When the row was first found locked, on the monotonic clock; null if it never was.</summary>
    public long? LockedSince { get; set; }

    public override void Complete() => _written.TrySetResult(Written);

    public override void Fail(Exception reason) => _written.TrySetException(reason);

    public override Exception CancelledTooLate(CancellationToken cancellationToken) =>
        new WriteOutcomeUnknownException("Cancelled while the row was being committed.");

    public override Exception TimedOut(string reason) => new WriteOutcomeUnknownException(reason);
}

internal sealed class RowRead(RowKey key) : PendingRow(key)
{
    private readonly TaskCompletionSource _read = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Set by the store: null where there is no row.</summary>
    public int? Version { get; set; }

    /// <summary>Set by the store: null also where the row was cleared.</summary>
    public byte[]? Payload { get; set; }

    // Known only once it is read: the store bounds what it reads.
    public override int Bytes => 0;

    public override Task Task => _read.Task;

    public override void Complete() => _read.TrySetResult();

    public override void Fail(Exception reason) => _read.TrySetException(reason);

    public override Exception CancelledTooLate(CancellationToken cancellationToken) =>
        new OperationCanceledException(cancellationToken);

    public override Exception TimedOut(string reason) => new StorageUnavailableException(reason);
}
