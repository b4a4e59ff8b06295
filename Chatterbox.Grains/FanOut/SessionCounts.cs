namespace Chatterbox.Grains.FanOut;

/// <summary>
/// The values reported to the instruments for a live session, so that they can be subtracted when the activation ends.
/// </summary>
internal sealed class SessionCounts
{
    private int _clients;
    private int _failing;
    private int _readOnly;
    private bool _isOver;

    /// <summary>The session is live.</summary>
    public SessionCounts(bool isMoved)
    {
        ChatterboxInstruments.Arrived.Add(1, ChatterboxInstruments.By(isMoved ? "image" : "storage"));
        ChatterboxInstruments.LiveSessions.Add(1);
    }

    public void Update(int clients, bool isFailing, bool isReadOnly)
    {
        if (_isOver) return;
        Set(ChatterboxInstruments.AttachedClients, ref _clients, clients);
        Set(ChatterboxInstruments.FailingSessions, ref _failing, isFailing ? 1 : 0);
        Set(ChatterboxInstruments.ReadOnlySessions, ref _readOnly, isReadOnly ? 1 : 0);
    }

    /// <summary>Subtracts the session from the instruments.</summary>
    public void End()
    {
        Update(0, isFailing: false, isReadOnly: false);
        if (!_isOver) ChatterboxInstruments.LiveSessions.Add(-1);
        _isOver = true;
    }

    private static void Set(System.Diagnostics.Metrics.UpDownCounter<long> counter, ref int told, int now)
    {
        if (now != told) counter.Add(now - told);
        told = now;
    }
}
