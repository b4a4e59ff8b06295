namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>A row that waits for its batch. Whoever asked awaits <see cref="Task"/>.</summary>
internal abstract class PendingRow(RowKey key)
{
    private int state;

    public RowKey Key { get; } = key;

    /// <summary>Counts towards the size of a batch.</summary>
    public abstract int Bytes { get; }

    public abstract Task Task { get; }

    /// <summary>The batch is committed, and the row knows what became of it.</summary>
    public abstract void Complete();

    public abstract void Fail(Exception reason);

    /// <summary>True if the row goes into a batch, false if it was withdrawn before.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref state, 1, 0) == 0;

    /// <summary>True if the row will never go into a batch, false if it is in one.</summary>
    public bool TryWithdraw() => Interlocked.CompareExchange(ref state, 2, 0) == 0;
}

/// <summary>Insert (no version), update, or clear (no payload).</summary>
internal sealed class RowWrite(RowKey key, byte[]? payload, int? version) : PendingRow(key)
{
    // Asynchronous, or the callers' code would run on the thread that commits.
    private readonly TaskCompletionSource<bool> written = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public byte[]? Payload { get; } = payload;

    /// <summary>The version that has to be there; null if there has to be none.</summary>
    public int? Version { get; } = version;

    public override int Bytes => Payload?.Length ?? 0;

    public override Task<bool> Task => written.Task;

    /// <summary>Set by the store: false is a conflict.</summary>
    public bool Written { get; set; }

    public override void Complete() => written.TrySetResult(Written);

    public override void Fail(Exception reason) => written.TrySetException(reason);
}

internal sealed class RowRead(RowKey key) : PendingRow(key)
{
    private readonly TaskCompletionSource read = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Set by the store: null where there is no row.</summary>
    public int? Version { get; set; }

    /// <summary>Set by the store: null also where the row was cleared.</summary>
    public byte[]? Payload { get; set; }

    public override int Bytes => 0;

    public override Task Task => read.Task;

    public override void Complete() => read.TrySetResult();

    public override void Fail(Exception reason) => read.TrySetException(reason);
}
