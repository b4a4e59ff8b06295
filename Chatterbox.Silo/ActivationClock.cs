namespace Chatterbox.Silo;

/// <summary>
/// The clock by which Orleans decides when an idle activation is collected. Its collector refuses new activations while the clock
/// is
/// behind a time that it has seen, so this one starts at the wall clock's time and from then on follows the monotonic clock
/// alone.
/// </summary>
internal sealed class ActivationClock(TimeProvider clock) : TimeProvider
{
    private readonly DateTimeOffset _start = clock.GetUtcNow();
    private readonly long _startedAt = clock.GetTimestamp();

    public override long TimestampFrequency => clock.TimestampFrequency;

    public override TimeZoneInfo LocalTimeZone => clock.LocalTimeZone;

    public override DateTimeOffset GetUtcNow() => _start + clock.GetElapsedTime(_startedAt);

    public override long GetTimestamp() => clock.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        clock.CreateTimer(callback, state, dueTime, period);
}
