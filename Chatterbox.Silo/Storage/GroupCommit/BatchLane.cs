using System.Diagnostics.CodeAnalysis;

namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>How much goes together, and how long it may take. See <see cref="DatabaseOptions"/>.</summary>
internal readonly record struct BatchLimits(int Rows, long Bytes, int Queue, TimeSpan Timeout);

/// <summary>
/// A queue and the thread that empties it. Nothing waits for a batch to fill: whatever came in while the last batch was being
/// committed is the next one. So a lone writer waits for its own commit only, and under load the batches grow by themselves.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A SemaphoreSlim whose wait handle nobody asks for holds nothing.")]
internal sealed partial class BatchLane<T> where T : PendingRow
{
    private const int Tries = 3;

    /// <summary>A batch that fails is cut into this many parts: each level down to the guilty row may cost a lock wait.</summary>
    private const int Parts = 8;

    /// <summary>For the driver to report a time-out by itself, which says more.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    private readonly BatchLimits _limits;
    private readonly Action<List<T>> _execute;
    private readonly RowStore _store;
    private readonly ILogger _logger;
    private readonly Thread _thread;

    // Back-pressure: a permit is taken before a row goes in and given back when its outcome is known.
    private readonly SemaphoreSlim _room;

    // Guarded by itself; pulsed when the first row comes in, and at the end.
    private readonly Queue<T> _due = new();
    private bool _closed;

    // Set by a work item that the pool takes up after those that wake the writers of a batch.
    private readonly ManualResetEventSlim _woken = new();

    // Rows of the last batch that are in the queue again, with their permits. The thread's own.
    private int _returned;

    // The batch under way, for the watch; null between two.
    private Flight? _flight;
    private ITimer? _watch;

    public BatchLane(string name, BatchLimits limits, RowStore store, Action<List<T>> execute, ILogger logger)
    {
        (_limits, _store, _execute, _logger) = (limits, store, execute, logger);
        _room = new SemaphoreSlim(limits.Queue, limits.Queue);
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How long the writers of a batch have for their next rows before the next batch begins.</summary>
    internal TimeSpan RegroupWait { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// Takes rows over that another transaction has locked, so that nobody here waits for it. False where they cannot go on
    /// elsewhere: then they fail.
    /// </summary>
    internal Func<T, bool> Isolate { get; init; } = _ => false;

    /// <summary>Is told of a row that failed for what it is.</summary>
    internal Action<T> Refused { get; init; } = _ => { };

    /// <summary>Starts the thread, which opens the connection first. Rows that came before wait.</summary>
    public BatchLane<T> Start()
    {
        _watch = Clock.CreateTimer(_ => Watch(), null, Grace, Grace);
        _thread.Start();
        return this;
    }

    /// <summary>Returns when the row's outcome is known.</summary>
    /// <exception cref="OperationCanceledException">Cancelled in time: the row was not touched.</exception>
    /// <exception cref="WriteOutcomeUnknownException">Cancelled too late.</exception>
    public Task RunAsync(T row, CancellationToken cancellationToken)
    {
        // What nearly every write is: there is room, and nobody will cancel.
        if (cancellationToken.CanBeCanceled || !_room.Wait(0, CancellationToken.None))
            return RunSlowlyAsync(row, cancellationToken);
        Enqueue(row);
        return row.Task;
    }

    /// <summary>Takes a row over from another lane; its caller waits already. False when this lane is closed or full.</summary>
    public bool TryAccept(T row)
    {
        if (!_room.Wait(0, CancellationToken.None)) return false;
        row.Return();
        if (TryEnqueue(row)) return true;
        _room.Release();
        return false;
    }

    /// <summary>
    /// Takes no more rows, does those that are queued, and ends. False if that took longer than <paramref name="timeout"/>.
    /// </summary>
    public Task<bool> DrainAsync(TimeSpan timeout)
    {
        lock (_due)
        {
            _closed = true;
            Monitor.PulseAll(_due);
        }
        // A thread cannot be awaited, and this happens once in a silo's life.
        return Task.Factory.StartNew(
            () => _thread.Join(timeout), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private async Task RunSlowlyAsync(T row, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
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
                throw row.CancelledTooLate(cancellationToken);
            // Too late: the outcome is known.
            await row.Task.ConfigureAwait(false);
        }
    }

    private void Enqueue(T row)
    {
        if (TryEnqueue(row)) return;
        _room.Release();
        throw new ObjectDisposedException(_thread.Name, "The storage is closed; nothing was written.");
    }

    private bool TryEnqueue(T row)
    {
        lock (_due)
        {
            if (_closed) return false;
            _due.Enqueue(row);
            Monitor.Pulse(_due);
            return true;
        }
    }

    private void Run()
    {
        TryOpen();
        var batch = new List<T>(_limits.Rows);
        var keys = new HashSet<RowKey>(_limits.Rows);
        while (Take(batch, keys) is var taken and > 0)
        {
            _returned = 0;
            if (batch.Count > 0)
            {
                Volatile.Write(ref _flight, new([.. batch], Clock.GetTimestamp()));
                Execute(batch);
                Volatile.Write(ref _flight, null);
            }
            if (taken > _returned)
                _room.Release(taken - _returned);
            Regroup(batch.Count);
        }
        _watch!.Dispose();
        _store.Dispose();
    }

    /// <summary>
    /// The writers of a batch are being woken, and under load most have their next row at hand. Were the first of them committed
    /// alone, all others would wait for that. So this thread has itself woken after them. It does not wait where others have
    /// filled
    /// the queue meanwhile, nor for a lone writer.
    /// </summary>
    private void Regroup(int rows)
    {
        lock (_due)
            if (_closed || rows < 2 || _due.Count >= rows / 2)
                return;
        _woken.Reset();
        ThreadPool.UnsafeQueueUserWorkItem(static woken => woken.Set(), _woken, preferLocal: false);
        _woken.Wait(RegroupWait);
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
        lock (_due)
        {
            while (_due.Count == 0 && !_closed)
                Monitor.Wait(_due);
            while (batch.Count < _limits.Rows && bytes < _limits.Bytes && _due.TryPeek(out var row) && keys.Add(row.Key))
            {
                _due.Dequeue();
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
                _execute(batch);
            }
            catch (Exception failure)
            {
                var kind = _store.Classify(failure);
                if (kind is BatchFailure.Stale or BatchFailure.Unavailable or BatchFailure.Unknown)
                    TryClose();
                if (kind is BatchFailure.Transient or BatchFailure.Stale && attempt < Tries)
                    continue;
                Settle(batch, kind, failure);
                return;
            }
            foreach (var row in batch)
            {
                if (row.IsLeft) Return(row);
                else row.Complete();
            }
            return;
        }
    }

    private void Settle(List<T> batch, BatchFailure kind, Exception failure)
    {
        switch (kind)
        {
            case BatchFailure.Locked when batch.Count > 1 && FindLocked(batch) is { Count: > 0 } locked:
                foreach (var row in batch.Where(row => locked.Contains(row.Key)))
                    IsolateOrFail(row, failure);
                if (batch.FindAll(row => !locked.Contains(row.Key)) is { Count: > 0 } free)
                    Execute(free);
                return;
            case BatchFailure.Row or BatchFailure.Locked or BatchFailure.Transient when batch.Count > 1:
                // Until the row to blame stands alone. Those whose callers have been told by now are not sent again.
                LogSplit(failure.Message, batch.Count);
                foreach (var part in batch.FindAll(row => !row.Task.IsCompleted).Chunk((batch.Count + Parts - 1) / Parts))
                    Execute([.. part]);
                return;
            case BatchFailure.Locked:
                IsolateOrFail(batch[0], failure);
                return;
            case BatchFailure.Row or BatchFailure.Transient:
                Refused(batch[0]);
                batch[0].Fail(Rejected(failure));
                return;
            default:
                LogFailed(kind, batch.Count, failure.Message);
                var reason = new StorageUnavailableException(failure.Message);
                FailWaiting(reason);
                foreach (var row in batch)
                    row.Fail(kind is BatchFailure.Unknown
                        ? new WriteOutcomeUnknownException(
                            $"The connection was lost in the middle of a commit: {failure.Message}")
                        : reason);
                return;
        }
    }

    /// <summary>
    /// A driver may hang for longer than its own time-out: in the attempt to cancel, over the same dead network. The callers are
    /// told in
    /// time, and so are those that queue behind the batch.
    /// </summary>
    private void Watch()
    {
        if (Volatile.Read(ref _flight) is not { } flight || Clock.GetElapsedTime(flight.Started) < _limits.Timeout + Grace)
            return;
        var reason = $"no answer within {_limits.Timeout.TotalSeconds:0.#} s";
        foreach (var row in flight.Rows)
            row.Fail(row.TimedOut(reason));
        FailWaiting(new StorageUnavailableException(reason));
    }

    // The exceptions of drivers stay here: a caller may be on another machine, which does not know them.
    private static StorageRejectedException Rejected(Exception failure) =>
        failure as StorageRejectedException ?? new($"The database refused the row: {failure.Message}");

    private void IsolateOrFail(T row, Exception failure)
    {
        if (!Isolate(row)) row.Fail(Rejected(failure));
    }

    private void Return(T row)
    {
        row.IsLeft = false;
        row.Return();
        _returned++;
        // Also when the lane is closed: it ends with the last row.
        lock (_due) _due.Enqueue(row);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Then splitting finds them.")]
    private IReadOnlySet<RowKey> FindLocked(List<T> batch)
    {
        try
        {
            return batch is List<RowWrite> rows ? _store.FindLocked(rows) : new HashSet<RowKey>();
        }
        catch (Exception failure)
        {
            LogSplit(failure.Message, batch.Count);
            TryClose();
            return new HashSet<RowKey>();
        }
    }

    /// <summary>
    /// Those in the queue fail as well: each batch of them would wait for a time-out of its own. None of them was sent.
    /// </summary>
    private void FailWaiting(Exception reason)
    {
        T[] waiting;
        lock (_due)
        {
            waiting = [.. _due];
            _due.Clear();
        }
        foreach (var row in waiting)
            if (row.TryTake())
                row.Fail(reason);
        if (waiting.Length > 0)
            _room.Release(waiting.Length);
    }

    [SuppressMessage("Design", "CA1031", Justification = "The first batch will open it, or say why not.")]
    private void TryOpen()
    {
        try
        {
            _store.Open();
        }
        catch (Exception failure)
        {
            LogFailed(BatchFailure.Unavailable, 0, failure.Message);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A connection that is broken may say so again.")]
    private void TryClose()
    {
        try
        {
            _store.Close();
        }
        catch (Exception failure)
        {
            LogFailed(BatchFailure.Unavailable, 0, failure.Message);
        }
    }

    private sealed record Flight(T[] Rows, long Started);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A batch of {Rows} rows is split to find the one that fails: {Reason}")]
    private partial void LogSplit(string reason, int rows);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database is {Kind} for a batch of {Rows} rows: {Reason}")]
    private partial void LogFailed(BatchFailure kind, int rows, string reason);
}
