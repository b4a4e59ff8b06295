namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>What a failure of a batch concerns. Each database has one table of its errors.</summary>
internal enum BatchFailure
{
    /// <summary>One row: nothing was committed, and the others may succeed without it.</summary>
    Row,

    /// <summary>A row that another transaction has locked. Nothing was committed.</summary>
    Locked,

    /// <summary>
    /// Nothing lasting, such as a deadlock: nothing was committed, and the same batch may succeed when it is retried.
    /// </summary>
    Transient,

    /// <summary>The connection: it had ended before the batch was executed. Another connection may execute it.</summary>
    Stale,

    /// <summary>The database: it is unavailable, full or read-only. Nothing was committed.</summary>
    Unavailable,

    /// <summary>The connection was lost during the batch, which may be committed.</summary>
    Unknown,
}

/// <summary>
/// One connection and its prepared statements, used by one thread at a time. Synchronous on purpose: the thread is the lane's
/// own, so that no commit ever waits for, or takes, a thread of the pool that the grains run on.
/// </summary>
internal abstract class RowStore : IDisposable
{
    /// <summary>Opens the connection if it is not open, so that the first batch does not wait for it.</summary>
    public abstract void Open();

    /// <summary>
    /// Writes the rows, no two of them the same, in one transaction and sets <see cref="RowWrite.Written"/>. A conflict is not a
    /// failure. Returns after commit; throws with nothing committed, or with a failure that <see cref="Classify"/> says is
    /// unknown.
    /// </summary>
    public abstract void Write(List<RowWrite> rows);

    /// <summary>
    /// Sets <see cref="RowRead.Version"/> and <see cref="RowRead.Payload"/>, in order, until the payloads exceed
    /// <paramref name="bytes"/>; sets <see cref="PendingRow.IsLeft"/> of those that it did not get to. The first row is always
    /// read.
    /// </summary>
    public abstract void Read(List<RowRead> rows, long bytes);

    public abstract BatchFailure Classify(Exception failure);

    /// <summary>
    /// The rows that other transactions have locked at this moment, as far as that can be told without waiting.
    /// </summary>
    public virtual IReadOnlySet<RowKey> FindLocked(List<RowWrite> rows) => new HashSet<RowKey>();

    /// <summary>Closes the connection; the next call opens another.</summary>
    public abstract void Close();

    public void Dispose() => Close();
}
