using Chatterbox.Silo;
using Chatterbox.Silo.Storage.Fallback;

namespace Chatterbox.Tests.Storage;

public sealed class CircuitTests
{
    private readonly SteppingClock clock = new();

    [Theory(DisplayName = "[I5] a step of the wall clock neither delays nor hastens the next try, nor the replay after it")]
    [InlineData(-1)]
    [InlineData(1)]
    public void Waits_on_the_monotonic_clock(int hours)
    {
        var circuit = new Circuit(clock, () => 0);
        Assert.True(circuit.TryEnter(out var entered));
        circuit.Failed(entered);

        clock.Step = TimeSpan.FromHours(hours);
        Assert.False(circuit.TryEnter(out _));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(circuit.TryEnter(out entered));
        circuit.Succeeded(entered);
        Assert.Null(circuit.OpenSince);

        clock.Step = TimeSpan.FromHours(-2 * hours);
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.FromSeconds(5), circuit.ClosedFor);
    }

    [Fact(DisplayName = "[I5] the clock that Orleans collects activations by follows no step of the wall clock")]
    public void The_activation_clock_is_steady()
    {
        clock.Step = TimeSpan.FromHours(1);
        var start = clock.GetUtcNow();
        var steady = new ActivationClock(clock);

        clock.Step = TimeSpan.FromHours(-5);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(start + TimeSpan.FromMinutes(1), steady.GetUtcNow());
    }

    /// <summary>Its wall clock may step; its monotonic clock only advances.</summary>
    private sealed class SteppingClock : TimeProvider
    {
        private TimeSpan _elapsed;

        public TimeSpan Step { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => _elapsed += by;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + Step + _elapsed;

        public override long GetTimestamp() => _elapsed.Ticks;
    }
}
