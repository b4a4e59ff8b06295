using Chatterbox.Silo.Storage.GroupCommit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.Storage;

public sealed class BatchLaneTests : IDisposable
{
    /// <summary>So long that no test meets it by accident.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);

    private readonly FakeStore store = new();

    public void Dispose() => store.Dispose();

    [Fact(DisplayName = "[D3] what came in while a batch was being committed is the next batch")]
    public async Task Batches_what_is_due()
    {
        var lane = Lane();
        var first = lane.RunAsync(Row(0), default);
        await store.Committing.WaitAsync();
        var rest = Enumerable.Range(1, 20).Select(number => lane.RunAsync(Row(number), default)).ToArray();
        store.Commit.Release(2);

        await first;
        await Task.WhenAll(rest);
        Assert.Equal([1, 20], store.Batches.Select(batch => batch.Count));
    }

    [Fact(DisplayName =
        "[D3] writers that come back at once go together again: none of them is committed alone while the others wait")]
    public async Task Lets_writers_come_back()
    {
        const int Writers = 20;
        var lane = Lane(moment: TimeSpan.FromSeconds(30));
        var first = lane.RunAsync(Row(0), default);
        await store.Committing.WaitAsync();
        var writers = Enumerable.Range(1, Writers).Select(WriteTwiceAsync).ToArray();
        store.Commit.Release(10);
        await first;
        await Task.WhenAll(writers);

        Assert.Equal([1, Writers], store.Batches.Take(2).Select(batch => batch.Count));
        // A thread that is interrupted may bring its last rows late.
        Assert.True(store.Batches[2].Count >= Writers / 2, $"{store.Batches[2].Count} of {Writers} went together.");

        async Task WriteTwiceAsync(int number)
        {
            await lane.RunAsync(Row(number), default).ConfigureAwait(false);
            await lane.RunAsync(Row(number), default).ConfigureAwait(false);
        }
    }

    [Fact(DisplayName = "[D3] two writes of one row never share a batch, and keep their order")]
    public async Task Keeps_writes_of_a_row_apart()
    {
        var lane = Lane();
        store.Commit.Release(10);
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => lane.RunAsync(Row(7), default)));

        Assert.All(store.Batches, batch => Assert.Single(batch));
    }

    [Fact(DisplayName = "[D3] a batch stops growing at its limits of rows and bytes")]
    public async Task Keeps_limits()
    {
        var lane = Lane(new BatchLimits(Rows: 4, Bytes: 100, Queue: 100, Timeout));
        var blocked = lane.RunAsync(Row(0), default);
        await store.Committing.WaitAsync();
        var small = Enumerable.Range(1, 6).Select(number => lane.RunAsync(Row(number), default));
        var large = Enumerable.Range(10, 3).Select(number => lane.RunAsync(Row(number, bytes: 90), default));
        var all = small.Concat(large).Append(blocked).ToArray();
        store.Commit.Release(10);
        await Task.WhenAll(all);

        Assert.Equal([1, 4, 4, 1], store.Batches.Select(batch => batch.Count));
    }

    [Fact(DisplayName = "[D3] a full queue makes its writers wait, and loses none")]
    public async Task Pushes_back()
    {
        var lane = Lane(new BatchLimits(Rows: 2, Bytes: 1000, Queue: 4, Timeout));
        var writes = Enumerable.Range(0, 50).Select(number => lane.RunAsync(Row(number), default)).ToArray();
        await store.Committing.WaitAsync();
        Assert.DoesNotContain(writes, write => write.IsCompleted);

        store.Commit.Release(50);
        await Task.WhenAll(writes);
        Assert.Equal(50, store.Batches.Sum(batch => batch.Count));
    }

    [Fact(DisplayName = "[D3] one bad row is found by splitting; its neighbours are written")]
    public async Task Halves()
    {
        store.Bad = row => row.Key.IdHash == 13 ? new FormatException("bad row") : null;
        var outcomes = await WriteInOneBatchAsync(Lane(), 32);

        Assert.Equal([13], Enumerable.Range(0, 32).Where(number => outcomes[number] is not null));
        Assert.Contains("bad row", Assert.IsType<StorageRejectedException>(outcomes[13]).Message, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[D3] a batch that may pass when tried again is tried again")]
    public async Task Tries_again()
    {
        var failures = 2;
        store.Bad = _ => failures-- > 0 ? new TimeZoneNotFoundException("passing") : null;

        Assert.All(await WriteInOneBatchAsync(Lane(), 8), Assert.Null);
    }

    [Fact(DisplayName = "[D3] a connection lost under way says that the outcome is unknown, to every writer of the batch")]
    public async Task Tells_that_the_outcome_is_unknown()
    {
        store.Bad = row => row.Key.IdHash == 3 ? new IOException("connection lost") : null;
        var outcomes = await WriteInOneBatchAsync(Lane(), 8);

        Assert.Equal(1, store.Closed);
        Assert.All(outcomes[1..], outcome => Assert.IsType<WriteOutcomeUnknownException>(outcome));
    }

    [Fact(DisplayName = "[D4] who waits behind a batch that finds the database away is told at once, and was not written")]
    public async Task Tells_those_who_wait()
    {
        store.Bad = row => row.Key.IdHash == 1 ? new IOException("connection lost") : null;
        var lane = Lane(new BatchLimits(Rows: 1, Bytes: 1000, Queue: 1000, Timeout));
        var outcomes = await WriteInOneBatchAsync(lane, 8);

        Assert.IsType<WriteOutcomeUnknownException>(outcomes[1]);
        Assert.All(outcomes[2..], outcome => Assert.IsType<StorageUnavailableException>(outcome));
        Assert.Equal([[0]], store.Batches);
        // There is room again for as many as ever.
        store.Bad = _ => null;
        store.Commit.Release(1000);
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(number => lane.RunAsync(Row(number), default)));
    }

    [Fact(DisplayName = "[D3] reads that are due together, such as those of an activation, are one batch")]
    public async Task Batches_reads()
    {
        var lane = new BatchLane<RowRead>("lane", new(Rows: 100, Bytes: 1000, Queue: 1000, Timeout), store,
            rows => store.Read(rows, 1000), NullLogger.Instance).Start();
        var first = lane.RunAsync(new(new(0, 0, 0, 0, "t", "0")), default);
        await store.Committing.WaitAsync();
        var rest = Enumerable.Range(1, 8).Select(number => new RowRead(new(number, 0, 0, 0, "t", $"{number}"))).ToArray();
        var reads = rest.Select(row => lane.RunAsync(row, default)).ToArray();
        store.Commit.Release(2);
        await first;
        await Task.WhenAll(reads);

        Assert.Equal([1, 8], store.Batches.Select(batch => batch.Count));
        Assert.Equal(Enumerable.Range(1, 8), rest.Select(row => row.Version!.Value));
    }

    [Fact(DisplayName = "[D3] reads of more bytes than a batch holds are several batches, and none is lost")]
    public async Task Bounds_reads()
    {
        var lane = new BatchLane<RowRead>("lane", new(Rows: 100, Bytes: 250, Queue: 1000, Timeout), store,
            rows => store.Read(rows, 250), NullLogger.Instance)
            .Start();
        var first = lane.RunAsync(new(new(0, 0, 0, 0, "t", "0")), default);
        await store.Committing.WaitAsync();
        var reads = Enumerable.Range(1, 8)
            .Select(number => lane.RunAsync(new(new(number, 0, 0, 0, "t", $"{number}")), default)).ToArray();
        store.Commit.Release(100);
        await first;
        await Task.WhenAll(reads);

        Assert.All(store.Batches, batch => Assert.InRange(batch.Count, 1, 3));
        Assert.Equal(Enumerable.Range(0, 9), store.Batches.SelectMany(batch => batch).Order());
        // The permits are returned as well.
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(number =>
        {
            store.Commit.Release(1);
            return lane.RunAsync(new(new(number, 0, 0, 0, "t", $"{number}")), default);
        }));
    }

    [Fact(DisplayName = "[D3] a batch whose connection had ended before is executed on another, and nobody is told")]
    public async Task Goes_on_with_another_connection()
    {
        var failures = 1;
        store.Bad = _ => failures-- > 0 ? new EndOfStreamException("ended while idle") : null;

        Assert.All(await WriteInOneBatchAsync(Lane(), 8), Assert.Null);
        Assert.Equal(1, store.Closed);
    }

    [Fact(DisplayName = "[D3] a row that another transaction has locked goes on elsewhere; its neighbours are written at once")]
    public async Task Sets_locked_rows_aside()
    {
        var aside = new List<RowWrite>();
        store.Locked.UnionWith([3, 9]);
        store.Bad = row => store.Locked.Contains(row.Key.IdHash) ? new SynchronizationLockException("locked") : null;
        var lane = Lane(isolate: row =>
        {
            aside.Add(row);
            return true;
        });
        var first = lane.RunAsync(Row(0), default);
        await store.Committing.WaitAsync();
        var writes = Enumerable.Range(1, 16).Select(number => lane.RunAsync(Row(number), default)).ToArray();
        store.Commit.Release(1000);
        await first;
        await Task.WhenAll(writes.Where((_, at) => at + 1 is not (3 or 9)));

        Assert.Equal([3, 9], aside.Select(row => row.Key.IdHash).Order());
        Assert.False(writes[2].IsCompleted || writes[8].IsCompleted);
        // The first batch, the one that failed is none, and the one without the locked rows.
        Assert.Equal([1, 14], store.Batches.Select(batch => batch.Count));
    }

    [Fact(DisplayName = "[D3] a lock that cannot be seen, such as that of another's first write, is found by splitting")]
    public async Task Halves_to_find_a_lock()
    {
        store.Bad = row => row.Key.IdHash == 5 ? new SynchronizationLockException("locked") : null;
        var outcomes = await WriteInOneBatchAsync(Lane(), 16);

        Assert.Equal([5], Enumerable.Range(0, 16).Where(number => outcomes[number] is not null));
        Assert.IsType<StorageRejectedException>(outcomes[5]);
    }

    [Fact(DisplayName =
        "[D3] a driver that hangs longer than its timeout keeps no writer waiting, neither in its batch nor behind it")]
    public async Task Tells_those_of_a_driver_that_hangs()
    {
        var clock = new FakeTimeProvider();
        var lane = Lane(clock: clock);
        var hanging = lane.RunAsync(Row(0), default);
        await store.Committing.WaitAsync();
        var queued = lane.RunAsync(Row(1), default);
        clock.Advance(Timeout);
        Assert.False(hanging.IsCompleted || queued.IsCompleted);

        clock.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<WriteOutcomeUnknownException>(() => hanging);
        await Assert.ThrowsAsync<StorageUnavailableException>(() => queued);
        var late = lane.RunAsync(Row(2), default);
        clock.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => late);

        store.Commit.Release(2);
        await lane.RunAsync(Row(3), default);
        Assert.Equal([[0], [3]], store.Batches);
    }

    [Fact(DisplayName = "[D3] few attempts find one guilty row among many, since each may wait for a lock")]
    public async Task Splits_in_few_levels()
    {
        store.Bad = row => row.Key.IdHash == 77 ? new SynchronizationLockException("locked") : null;
        var outcomes = await WriteInOneBatchAsync(Lane(new BatchLimits(Rows: 512, Bytes: 1 << 20, Queue: 1000, Timeout)), 512);

        Assert.Equal([77], Enumerable.Range(0, 512).Where(number => outcomes[number] is not null));
        Assert.InRange(store.Failures, 1, 4);
    }

    [Fact(DisplayName = "[D3] a read cancelled during its batch is cancelled: there is no outcome to be unsure of")]
    public async Task Cancels_reads()
    {
        using var cancel = new CancellationTokenSource();
        var lane = new BatchLane<RowRead>("lane", new(Rows: 100, Bytes: 1000, Queue: 10, Timeout), store,
            rows => store.Read(rows, 1000), NullLogger.Instance)
            .Start();
        var reading = lane.RunAsync(new(new(1, 0, 0, 0, "t", "1")), cancel.Token);
        await store.Committing.WaitAsync();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        store.Commit.Release(1);
    }

    [Fact(DisplayName = "[D3] a write cancelled in the queue is not done; cancelled during its commit, its outcome is unknown")]
    public async Task Cancels()
    {
        using var cancel = new CancellationTokenSource();
        var lane = Lane();
        var committing = lane.RunAsync(Row(1), cancel.Token);
        await store.Committing.WaitAsync();
        var queued = lane.RunAsync(Row(2), cancel.Token);
        var bystander = lane.RunAsync(Row(3), default);

        await cancel.CancelAsync();
        await Assert.ThrowsAsync<WriteOutcomeUnknownException>(() => committing);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);

        store.Commit.Release(5);
        await bystander;
        Assert.DoesNotContain(store.Batches, batch => batch.Contains(2));
    }

    [Fact(DisplayName = "[D3] a lane that drains does what is queued and takes no more")]
    public async Task Drains()
    {
        var lane = Lane();
        var writes = Enumerable.Range(0, 10).Select(number => lane.RunAsync(Row(number), default)).ToArray();
        store.Commit.Release(20);

        Assert.True(await lane.DrainAsync(TimeSpan.FromSeconds(10)));
        await Task.WhenAll(writes);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => lane.RunAsync(Row(11), default));
        Assert.Equal(1, store.Closed);
    }

    private BatchLane<RowWrite> Lane(
        BatchLimits? limits = null, TimeSpan? moment = null, Func<RowWrite, bool>? isolate = null, TimeProvider? clock = null) =>
        new BatchLane<RowWrite>("lane", limits ?? new(Rows: 100, Bytes: 1 << 20, Queue: 1000, Timeout), store,
            store.Write, NullLogger.Instance)
        {
            RegroupWait = moment ?? TimeSpan.FromMilliseconds(1),
            Isolate = row => isolate?.Invoke(row) ?? false,
            Clock = clock ?? TimeProvider.System,
        }.Start();

    private static RowWrite Row(int number, int bytes = 0) => new(new(number, 0, 0, 0, "t", $"{number}"), new byte[bytes], null);

    /// <summary>Row 0 goes first and alone; the others are one batch. Outcome by number.</summary>
    private async Task<Exception?[]> WriteInOneBatchAsync(BatchLane<RowWrite> lane, int rows)
    {
        var writes = new List<Task> { lane.RunAsync(Row(0), default) };
        await store.Committing.WaitAsync();
        writes.AddRange(Enumerable.Range(1, rows - 1).Select(number => lane.RunAsync(Row(number), default)));
        store.Commit.Release(1000);
        return await Task.WhenAll(writes.Select(async write =>
        {
            await write.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return write.Exception?.InnerException;
        }));
    }

    /// <summary>Says when it commits, and waits for leave.</summary>
    private sealed class FakeStore : RowStore
    {
        public SemaphoreSlim Committing { get; } = new(0);

        public SemaphoreSlim Commit { get; } = new(0);

        public List<List<int>> Batches { get; } = [];

        public Func<RowWrite, Exception?> Bad { get; set; } = _ => null;

        public int Failures { get; private set; }

        public int Closed { get; private set; }

        public override void Write(List<RowWrite> rows)
        {
            Committing.Release();
            Commit.Wait();
            if (rows.Where(row => row.Key.IdHash > 0).Select(Bad).FirstOrDefault(failure => failure is not null) is { } failure)
            {
                Failures++;
                throw failure;
            }
            rows.ForEach(row => row.Written = true);
            Batches.Add(rows.ConvertAll(row => row.Key.IdHash));
        }

        public HashSet<int> Locked { get; } = [];

        public override void Open()
        {
        }

        public override void Read(List<RowRead> rows, long bytes)
        {
            Committing.Release();
            Commit.Wait();
            if (rows.Select(row => BadRead(row)).FirstOrDefault(failure => failure is not null) is { } failure)
                throw failure;
            // A row has 100 bytes.
            for (var at = 0; at < rows.Count; at++)
            {
                rows[at].IsLeft = at * 100 >= bytes;
                rows[at].Version = rows[at].Key.IdHash;
            }
            Batches.Add(rows.Where(row => !row.IsLeft).Select(row => row.Key.IdHash).ToList());
        }

        public Func<RowRead, Exception?> BadRead { get; set; } = _ => null;

        public override IReadOnlySet<RowKey> FindLocked(List<RowWrite> rows) =>
            rows.Where(row => Locked.Contains(row.Key.IdHash)).Select(row => row.Key).ToHashSet();

        public override BatchFailure Classify(Exception failure) => failure switch
        {
            TimeZoneNotFoundException => BatchFailure.Transient,
            SynchronizationLockException => BatchFailure.Locked,
            EndOfStreamException => BatchFailure.Stale,
            IOException => BatchFailure.Unknown,
            _ => BatchFailure.Row,
        };

        public override void Close() => Closed++;
    }
}
