using Chatterbox.Grains.FanOut;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.FanOut;

public sealed class LeaseTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);

    private readonly SteppedClock _clock = new();
    private readonly Leases _leases;

    public LeaseTests() => _leases = new(Duration, _clock);

    [Theory(DisplayName = "[I5] a jump of the wall clock in either direction ends no lease and keeps none")]
    [InlineData(1)]
    [InlineData(-1)]
    public void Wall_clock(int hours)
    {
        Start("a", "p");
        _clock.WallOffset = TimeSpan.FromHours(hours);
        Assert.Empty(_leases.EndLapsed());
        _clock.Advance(Duration - TimeSpan.FromTicks(1));
        Assert.Empty(_leases.EndLapsed());
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(["a"], _leases.EndLapsed().Select(lease => lease.Client.Client));
    }

    [Fact(DisplayName = "[F1] a lease that is renewed lasts")]
    public void Renewal()
    {
        Start("a", "p");
        _clock.Advance(Duration / 2);
        Assert.True(_leases.Renew("a"));
        _clock.Advance(Duration / 2);
        Assert.Empty(_leases.EndLapsed());
    }

    private void Start(string client, string process) => _leases.Start(new(process, client), "device", null);

    /// <summary>A clock whose wall time can be stepped while its monotonic time goes on.</summary>
    private sealed class SteppedClock : FakeTimeProvider
    {
        public TimeSpan WallOffset { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + WallOffset;

        public override long GetTimestamp() => base.GetUtcNow().Ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    }
}
