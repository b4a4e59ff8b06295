using Chatterbox.Grains.Cluster;

namespace Chatterbox.Grains.FanOut;

/// <summary>
/// The values reported to the instruments for a live session, so that they can be subtracted when the activation ends.
/// </summary>
internal sealed class SessionCounts
{
    private int _clients;
    private int _failing;
    private int _readOnly;
    private readonly SessionTotals _totals;
    private bool _isOver;

    /// <summary>The session is live.</summary>
    public SessionCounts(bool isMoved, SessionTotals totals)
    {
        _totals = totals;
        totals.Add(sessions: 1);
        ChatterboxInstruments.Arrived.Add(1, ChatterboxInstruments.By(isMoved ? "image" : "storage"));
        ChatterboxInstruments.LiveSessions.Add(1);
    }

    public void Update(int clients, bool isFailing, bool isReadOnly)
    {
        if (_isOver) return;
        var (failing, readOnly) = (isFailing ? 1 : 0, isReadOnly ? 1 : 0);
        _totals.Add(clients: clients - _clients, failing: failing - _failing, readOnly: readOnly - _readOnly);
        Set(ChatterboxInstruments.AttachedClients, ref _clients, clients);
        Set(ChatterboxInstruments.FailingSessions, ref _failing, failing);
        Set(ChatterboxInstruments.ReadOnlySessions, ref _readOnly, readOnly);
    }

    /// <summary>Subtracts the session from the instruments.</summary>
    public void End()
    {
        Update(0, isFailing: false, isReadOnly: false);
        if (_isOver) return;
        _totals.Add(sessions: -1);
        ChatterboxInstruments.LiveSessions.Add(-1);
        _isOver = true;
    }

    private static void Set(System.Diagnostics.Metrics.UpDownCounter<long> counter, ref int told, int now)
    {
        if (now != told) counter.Add(now - told);
        told = now;
    }
}
