namespace Chatterbox.Grains.Cluster;

/// <summary>A silo's live sessions, counted.</summary>
internal sealed class SessionTotals
{
    private int _sessions;
    private int _clients;
    private int _failing;
    private int _readOnly;

    public int Sessions => Volatile.Read(ref _sessions);

    public int Clients => Volatile.Read(ref _clients);

    public int Failing => Volatile.Read(ref _failing);

    public int ReadOnly => Volatile.Read(ref _readOnly);

    public void Add(int sessions = 0, int clients = 0, int failing = 0, int readOnly = 0)
    {
        Interlocked.Add(ref _sessions, sessions);
        Interlocked.Add(ref _clients, clients);
        Interlocked.Add(ref _failing, failing);
        Interlocked.Add(ref _readOnly, readOnly);
    }
}
