using System.Diagnostics.CodeAnalysis;

namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>How much goes together. See <see cref="DatabaseOptions"/>.</summary>
internal readonly record struct BatchLimits(int Rows, long Bytes, int Queue);

/// <summary>
/// A queue and the thread that empties it. Nothing waits for a batch to fill: whatever came in while the last batch was being
/// committed is the next one. So a lone writer waits for its own commit only, and under load the batches grow by themselves.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A SemaphoreSlim whose wait handle nobody asks for holds nothing.")]
internal sealed partial class BatchLane<T> where T : PendingRow
{
    private const int Tries = 3;

    private readonly BatchLimits limits;
    private readonly Action<List<T>> execute;
    private readonly RowStore store;
    private readonly ILogger logger;
    private readonly Thread thread;

    // Back-pressure: a permit is taken before a row goes in and given back when its outcome is known.
    private readonly SemaphoreSlim room;

    // Guarded by itself; pulsed when the first row comes in, and at the end.
    private readonly Queue<T> due = new();
    private bool closed;

    // Set by a work item that the pool takes up after those that wake the writers of a batch.
    private readonly ManualResetEventSlim woken = new();

    public BatchLane(string name, BatchLimits limits, RowStore store, Action<List<T>> execute, ILogger logger)
    {
        (this.limits, this.store, this.execute, this.logger) = (limits, store, execute, logger);
        room = new SemaphoreSlim(limits.Queue, limits.Queue);
        thread = new Thread(Run) { Name = name, IsBackground = true };
        thread.Start();
    }

    /// <summary>How long the writers of a batch have to come back with their next rows before the next batch begins.</summary>
    internal TimeSpan Moment { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Returns when the row's outcome is known.</summary>
    /// <exception cref="OperationCanceledException">Cancelled in time: the row was not touched.</exception>
    /// <exception cref="WriteOutcomeUnknownException">Cancelled too late.</exception>
    public Task RunAsync(T row, CancellationToken cancellationToken)
    {
        // What nearly every write is: there is room, and nobody will cancel.
        if (cancellationToken.CanBeCanceled || !room.Wait(0, CancellationToken.None)) return RunSlowlyAsync(row, cancellationToken);
        Enqueue(row);
        return row.Task;
    }

    private async Task RunSlowlyAsync(T row, CancellationToken cancellationToken)
    {
        await room.WaitAsync(cancellationToken).ConfigureAwait(false);
        Enqueue(row);
        try
        {
            await row.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            if (row.TryWithdraw())
                throw;
            if (!row.Task.IsCompleted)
                throw new WriteOutcomeUnknownException("Cancelled while the row was being committed.");
            // Too late: what became of it is known.
            await row.Task.ConfigureAwait(false);
        }
    }

    private void Enqueue(T row)
    {
        lock (due)
        {
            if (closed)
            {
                room.Release();
                throw new ObjectDisposedException(thread.Name, "The storage is closed; nothing was written.");
            }
            due.Enqueue(row);
            Monitor.Pulse(due);
        }
    }

    /// <summary>Takes no more rows, does those that are queued, and ends. False if that took longer than <paramref name="patience"/>.</summary>
    public Task<bool> DrainAsync(TimeSpan patience)
    {
        lock (due)
        {
            closed = true;
            Monitor.PulseAll(due);
        }
        // A thread cannot be awaited, and this happens once in a silo's life.
        return Task.Factory.StartNew(() => thread.Join(patience), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Run()
    {
        var batch = new List<T>(limits.Rows);
        var keys = new HashSet<RowKey>(limits.Rows);
        while (Take(batch, keys) is var taken and > 0)
        {
            if (batch.Count > 0)
                Execute(batch);
            room.Release(taken);
            LetWritersComeBack(batch.Count);
        }
        store.Dispose();
    }

    /// <summary>
    /// The writers of a batch are being woken, and under load most have their next row at hand. Were the first of them committed
    /// alone, all others would wait for that. So this thread has itself woken after them. It does not wait where others have filled
    /// the queue meanwhile, nor for a lone writer.
    /// </summary>
    private void LetWritersComeBack(int rows)
    {
        lock (due)
            if (closed || rows < 2 || due.Count >= rows / 2)
                return;
        woken.Reset();
        ThreadPool.UnsafeQueueUserWorkItem(static woken => woken.Set(), woken, preferLocal: false);
        woken.Wait(Moment);
    }

    /// <summary>
    /// Fills the batch with what is due and returns how many rows left the queue; 0 at the end. A second write of a row ends
    /// the batch: its etag check has to see the first one's outcome.
    /// </summary>
    private int Take(List<T> batch, HashSet<RowKey> keys)
    {
        batch.Clear();
        keys.Clear();
        var taken = 0;
        var bytes = 0L;
        lock (due)
        {
            while (due.Count == 0 && !closed)
                Monitor.Wait(due);
            while (batch.Count < limits.Rows && bytes < limits.Bytes && due.TryPeek(out var row) && keys.Add(row.Key))
            {
                due.Dequeue();
                taken++;
                if (!row.TryTake())
                    continue;
                batch.Add(row);
                bytes += row.Bytes;
            }
        }
        return taken;
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever it is, it is the callers' answer; the thread must go on.")]
    private void Execute(List<T> batch)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                execute(batch);
                foreach (var row in batch)
                    row.Complete();
                return;
            }
            catch (Exception failure)
            {
                var kind = store.Classify(failure);
                if (kind is BatchFailure.Passing && attempt < Tries)
                    continue;
                if (kind is BatchFailure.Row or BatchFailure.Passing && batch.Count > 1)
                {
                    // Halves, until the row to blame stands alone.
                    LogSplit(failure.Message, batch.Count);
                    Execute(batch[..(batch.Count / 2)]);
                    Execute(batch[(batch.Count / 2)..]);
                    return;
                }
                if (kind is BatchFailure.Unavailable or BatchFailure.Unknown)
                {
                    LogFailed(kind, batch.Count, failure.Message);
                    CloseQuietly();
                    FailWaiting(failure);
                }
                foreach (var row in batch)
                    row.Fail(kind is BatchFailure.Unknown
                        ? new WriteOutcomeUnknownException("The database went away in the middle of a commit.", failure)
                        : failure);
                return;
            }
        }
    }

    /// <summary>Those in the queue are told as well: each batch of them would wait for a time-out of its own. None of them was sent.</summary>
    private void FailWaiting(Exception reason)
    {
        T[] waiting;
        lock (due)
        {
            waiting = [.. due];
            due.Clear();
        }
        foreach (var row in waiting)
            if (row.TryTake())
                row.Fail(reason);
        if (waiting.Length > 0)
            room.Release(waiting.Length);
    }

    [SuppressMessage("Design", "CA1031", Justification = "A connection that is broken may say so again.")]
    private void CloseQuietly()
    {
        try
        {
            store.Close();
        }
        catch (Exception failure)
        {
            LogFailed(BatchFailure.Unavailable, 0, failure.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "A batch of {Rows} rows is split to find the one that fails: {Reason}")]
    private partial void LogSplit(string reason, int rows);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database is {Kind} for a batch of {Rows} rows: {Reason}")]
    private partial void LogFailed(BatchFailure kind, int rows, string reason);
}
