using Microsoft.Extensions.Hosting;

namespace Chatterbox.Grains.Session;

/// <summary>
/// When a session should look whether another activation has written its rows, as happens while silos disagree about the cluster:
/// at once after the cluster has changed or this process has stood still, and every so often all the same. A clean activation
/// would otherwise show an old state until it writes itself.
/// </summary>
/// <remarks>
/// The look reads the session's rows, only while clients are attached. So that it costs a silo no more than
/// <see cref="LooksPerSecond"/>, the interval grows with the number of sessions.
/// </remarks>
internal sealed class StaleCopies(TimeProvider clock, IServiceProvider services) : BackgroundService
{
    /// <summary>Sessions ask so often whether a look is due.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    /// <summary>A process that was silent for so long may have been declared dead.</summary>
    internal static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);

    private const int LooksPerSecond = 200;
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    private readonly IClusterMembershipService? _membership =
        (IClusterMembershipService?)services.GetService(typeof(IClusterMembershipService));
    private long _ticked = clock.GetTimestamp();
    private int _pauses;
    private int _sessions;

    /// <summary>As of this moment a session's copy is known to be current.</summary>
    internal readonly record struct Mark(long At, MembershipVersion Cluster, int Pauses);

    /// <summary>False where no other silo can have the rows: then nothing is ever due.</summary>
    public bool IsShared { get; set; } = true;

    public Mark Now => new(clock.GetTimestamp(), _membership?.CurrentSnapshot.Version ?? default, Volatile.Read(ref _pauses));

    /// <summary>Whether a look is due since the mark; renews it if so.</summary>
    public bool IsDue(ref Mark mark)
    {
        var now = Now;
        if (!IsShared
            || (now.Cluster == mark.Cluster && now.Pauses == mark.Pauses && clock.GetElapsedTime(mark.At, now.At) < Interval))
        {
            return false;
        }
        mark = now;
        return true;
    }

    public void Joined() => Interlocked.Increment(ref _sessions);

    public void Left() => Interlocked.Decrement(ref _sessions);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Tick, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken)) Ticked();
    }

    /// <summary>The process runs: notes when it has not for too long.</summary>
    internal void Ticked()
    {
        var now = clock.GetTimestamp();
        if (clock.GetElapsedTime(_ticked, now) > Pause) Interlocked.Increment(ref _pauses);
        _ticked = now;
    }

    private TimeSpan Interval
    {
        get
        {
            var paced = TimeSpan.FromSeconds((double)Volatile.Read(ref _sessions) / LooksPerSecond);
            return paced > ShortestInterval ? paced : ShortestInterval;
        }
    }
}
