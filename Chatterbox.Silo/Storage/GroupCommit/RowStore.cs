namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>Whose failure it is that a batch met. Each database has one table of its errors.</summary>
internal enum BatchFailure
{
    /// <summary>A row's: nothing was committed, and the others may well pass without it.</summary>
    Row,

    /// <summary>Another transaction's: it has a row of the batch locked. Nothing was committed.</summary>
    Locked,

    /// <summary>Nobody's: nothing was committed, and the same batch may well pass when tried again.</summary>
    Passing,

    /// <summary>The connection's: it had ended before the batch was executed, which another connection may do.</summary>
    Stale,

    /// <summary>The database's: it is unavailable, full or read-only. Nothing was committed.</summary>
    Unavailable,

    /// <summary>The connection was lost under way: the batch may be committed.</summary>
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
    /// failure. Returns after commit; throws with nothing committed, or with a failure that <see cref="Classify"/> says is unknown.
    /// </summary>
    public abstract void Write(List<RowWrite> rows);

    /// <summary>
    /// Sets <see cref="RowRead.Version"/> and <see cref="RowRead.Payload"/>, in order, until the payloads exceed
    /// <paramref name="bytes"/>; sets <see cref="PendingRow.IsLeft"/> of those that it did not get to. The first row is always read.
    /// </summary>
    public abstract void Read(List<RowRead> rows, long bytes);

    public abstract BatchFailure Classify(Exception failure);

    /// <summary>The rows that other transactions have locked at this moment, as far as that can be told without waiting.</summary>
    public virtual IReadOnlySet<RowKey> FindLocked(List<RowWrite> rows) => new HashSet<RowKey>();

    /// <summary>Closes the connection; the next call opens another.</summary>
    public abstract void Close();

    public void Dispose() => Close();
}
