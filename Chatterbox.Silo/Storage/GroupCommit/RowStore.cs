namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>What a failed batch says about its rows.</summary>
internal enum BatchFailure
{
    /// <summary>Nothing was committed, and one of the rows may be to blame.</summary>
    Row,

    /// <summary>Nothing was committed; the same batch may well pass when tried again.</summary>
    Passing,

    /// <summary>Nothing was committed, and no row is to blame: the database is away, full or read-only.</summary>
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
    /// <summary>
    /// Writes the rows, no two of them the same, in one transaction and sets <see cref="RowWrite.Written"/>. A conflict is not a
    /// failure. Returns after commit; throws with nothing committed, or with a failure that <see cref="Classify"/> says is unknown.
    /// </summary>
    public abstract void Write(List<RowWrite> rows);

    /// <summary>Sets <see cref="RowRead.Version"/> and <see cref="RowRead.Payload"/>.</summary>
    public abstract void Read(List<RowRead> rows);

    public abstract BatchFailure Classify(Exception failure);

    /// <summary>Closes the connection; the next call opens another.</summary>
    public abstract void Close();

    public void Dispose() => Close();
}
