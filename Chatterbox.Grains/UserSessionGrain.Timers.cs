using Chatterbox.Grains.Session;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Grains;

/// <summary>What a session does by itself: it saves, ends leases that were not renewed, and looks after its rows.</summary>
internal sealed partial class UserSessionGrain
{
    /// <summary>Up to so many clients are told at once of each that comes and goes.</summary>
    private const int FewClients = 16;

    private static readonly TimeSpan PresenceDelayPerClient = TimeSpan.FromMilliseconds(2);

    private IGrainTimer? _saveTimer;
    private IGrainTimer? _leaseTimer;
    private IGrainTimer? _presenceTimer;
    private StaleCopies.Mark _checked;

    private void SweepLeases()
    {
        var period = _options.Lease / 3 < StaleCopies.Period ? _options.Lease / 3 : StaleCopies.Period;
        _leaseTimer ??= this.RegisterGrainTimer(SweepLeasesAsync,
            new GrainTimerCreationOptions(period, period) { Interleave = true });
    }

    private async Task SweepLeasesAsync(CancellationToken cancellationToken)
    {
        if (_leases.EndLapsed() is { Count: > 0 } lapsed)
        {
            LogLapsed(Key, lapsed.Count);
            PublishPresence();
        }
        if (staleCopies.IsDue(ref _checked)) await _session.CheckRowsAsync();
        await _session.MaintainAsync();
        if (_leases.Count > 0) return;
        _leaseTimer?.Dispose();
        _leaseTimer = null;
        _session.Log.Forget(0);
    }

    // Each of many clients is told of all the others: they are told less often the more they are.
    private void PublishPresence()
    {
        Count();
        if (_leases.Count <= FewClients)
        {
            PublishPresenceNow();
            return;
        }
        var delay = _leases.Count * PresenceDelayPerClient;
        _presenceTimer ??= this.RegisterGrainTimer(_ => PublishDuePresence(),
            new GrainTimerCreationOptions(delay, Timeout.InfiniteTimeSpan) { Interleave = true });
    }

    private Task PublishDuePresence()
    {
        if (_presenceTimer is not null) PublishPresenceNow();
        return Task.CompletedTask;
    }

    private void PublishPresenceNow()
    {
        _presenceTimer?.Dispose();
        _presenceTimer = null;
        _session.Publish(new PresenceChanged(Presence));
    }

    private void ArmSaveTimer(TimeSpan due)
    {
        if (_saveTimer is not null)
        {
            _saveTimer.Change(due, Timeout.InfiniteTimeSpan);
            return;
        }
        _saveTimer = this.RegisterGrainTimer(_ => _session.OnTimerAsync(),
            new GrainTimerCreationOptions(due, Timeout.InfiniteTimeSpan)
        {
            Interleave = true,
            KeepAlive = true,
        });
    }

    [LoggerMessage(LogLevel.Information, "Session {Session}: {Count} client(s) disconnected without detaching")]
    private partial void LogLapsed(string session, int count);
}
