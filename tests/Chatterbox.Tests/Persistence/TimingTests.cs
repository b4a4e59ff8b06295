using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.Persistence;

public sealed class TimingTests
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Ceiling = TimeSpan.FromSeconds(2);

    [Fact(DisplayName = "[P1] each change pushes the write back, but never past the ceiling after the first unsaved one")]
    public void Debounce()
    {
        var policy = new DebouncePolicy(Delay, Ceiling);
        Assert.Null(policy.Due);
        policy.Changed(TimeSpan.Zero);
        Assert.Equal(Delay, policy.Due);
        policy.Changed(TimeSpan.FromMilliseconds(200));
        Assert.Equal(TimeSpan.FromMilliseconds(500), policy.Due);
        policy.Changed(TimeSpan.FromMilliseconds(1900));
        Assert.Equal(Ceiling, policy.Due);
        policy.Taken();
        Assert.Null(policy.Due);
        policy.Changed(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.FromSeconds(5) + Delay, policy.Due);
    }

    [Fact(DisplayName = "[P3] retries wait twice as long each time up to the longest, shortened by chance by at most half")]
    public void Backoff()
    {
        foreach (var (random, factor) in ((double, double)[])[(0, 1), (1, 0.5)])
        {
            var policy = new RetryPolicy(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), () => random);
            Assert.Equal(((double[])[100, 200, 400, 800, 1000, 1000]).Select(wait => wait * factor),
                Enumerable.Range(0, 6).Select(_ => policy.Failed().TotalMilliseconds));
            policy.Succeeded();
            Assert.Equal(100 * factor, policy.Failed().TotalMilliseconds);
        }
        var long_ = new RetryPolicy(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), () => 0);
        for (var failure = 0; failure < 100; failure++)
        {
            Assert.InRange(long_.Failed(), TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1));
        }
    }

    [Fact(DisplayName = "[P1] changes that never stop are written every two seconds")]
    public async Task Continuous_changes_are_written()
    {
        var driver = new Driver();
        for (var step = 0; step < 100; step++)
        {
            driver.Writer.Changed();
            await driver.AdvanceAsync(TimeSpan.FromMilliseconds(100));
        }
        Assert.Equal(5, driver.Saves);
    }

    [Fact(DisplayName = "[P2] what changes while a write is under way is written after it, on its own")]
    public async Task One_write_at_a_time()
    {
        var driver = new Driver { Hold = new() };
        driver.Writer.Changed();
        var first = driver.Writer.FlushAsync();
        driver.Writer.Changed();
        var second = driver.Writer.FlushAsync();
        Assert.Equal(1, await driver.SavesReached(1));
        driver.Hold.SetResult();
        Assert.Null(await first);
        Assert.Null(await second);
        Assert.Equal(2, driver.Saves);
        Assert.True(driver.Writer.IsIdle);
    }

    [Fact(DisplayName = "[P3] a failure is told once, and tried again until it is over; a flush says why it is not durable")]
    public async Task Failures()
    {
        var driver = new Driver { Failure = new IOException("disk full") };
        var told = 0;
        driver.Writer.FailingChanged += () => told++;
        driver.Writer.Changed();
        Assert.Equal("disk full", await driver.Writer.FlushAsync());
        var since = driver.Writer.Failing!.Value.Since;
        for (var attempt = 0; attempt < 5; attempt++) await driver.AdvanceAsync(TimeSpan.FromSeconds(5));
        Assert.InRange(driver.Saves, 5, 7);
        Assert.Equal((1, since), (told, driver.Writer.Failing!.Value.Since));

        driver.Failure = null;
        await driver.AdvanceAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(2, told);
        Assert.Null(driver.Writer.Failing);
        Assert.True(driver.Writer.IsIdle);
        var saves = driver.Saves;
        await driver.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(saves, driver.Saves);
    }

    [Fact(DisplayName =
        "[P1] [P2] it is idle when nothing waits and nothing is under way; a timer that comes late or "
        + "for nothing writes nothing more")]
    public async Task Idle()
    {
        var driver = new Driver { Hold = new() };
        Assert.True(driver.Writer.IsIdle);
        await driver.Writer.OnTimerAsync();
        Assert.Equal(0, driver.Saves);
        driver.Writer.Changed();
        Assert.False(driver.Writer.IsIdle);
        var first = driver.Writer.OnTimerAsync();
        Assert.False(driver.Writer.IsIdle);
        Assert.Same(first, driver.Writer.OnTimerAsync());
        driver.Writer.Changed();
        Assert.Same(first, driver.Writer.OnTimerAsync());
        await driver.SavesReached(1);
        driver.Hold.SetResult();
        await first;
        Assert.False(driver.Writer.IsIdle);
        await driver.AdvanceAsync(Delay);
        Assert.True(driver.Writer.IsIdle);
        Assert.Equal(2, driver.Saves);
    }

    [Fact(DisplayName = "[F4] what waited on another silo is saved on this one, and what failed there is failing still")]
    public async Task Resumed()
    {
        var driver = new Driver();
        var failing = (new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), "disk full");
        driver.Writer.Resume(failing);
        Assert.Equal(failing, driver.Writer.Failing);
        Assert.False(driver.Writer.IsIdle);
        await driver.AdvanceAsync(Delay);
        Assert.Equal((1, null), (driver.Saves, driver.Writer.Failing));
    }

    [Fact(DisplayName = "[P1] what was due while a write was under way is due at once after it")]
    public async Task Overdue()
    {
        var driver = new Driver { Hold = new() };
        driver.Writer.Changed();
        var first = driver.Writer.FlushAsync();
        await driver.SavesReached(1);
        driver.Writer.Changed();
        driver.Advance(TimeSpan.FromMinutes(1));
        driver.Hold.SetResult();
        await first;
        Assert.Equal(TimeSpan.Zero, driver.Armed);
    }

    [Fact(DisplayName = "[P3] after a success the next failure waits the shortest time again")]
    public async Task Waits()
    {
        var driver = new Driver { Failure = new IOException("full") };
        for (var attempt = 0; attempt < 3; attempt++)
        {
            driver.Writer.Changed();
            await driver.Writer.FlushAsync();
        }
        Assert.Equal(TimeSpan.FromMilliseconds(400), driver.Armed);
        driver.Failure = null;
        await driver.Writer.FlushAsync();
        driver.Failure = new IOException("full");
        driver.Writer.Changed();
        await driver.Writer.FlushAsync();
        Assert.Equal(TimeSpan.FromMilliseconds(100), driver.Armed);
    }

    /// <summary>A write-behind with a clock that only moves when told, and the timer that a grain would lend it.</summary>
    private sealed class Driver
    {
        private readonly FakeTimeProvider _clock = new();
        private ITimer? _timer;
        private Task _running = Task.CompletedTask;
        private readonly TaskCompletionSource _reached = new();

        public Driver() => Writer = new(new DebouncePolicy(Delay, Ceiling),
            new RetryPolicy(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), () => 0), _clock, SaveAsync, Arm);

        public WriteBehind Writer { get; }

        public int Saves { get; private set; }

        public TimeSpan? Armed { get; private set; }

        public Exception? Failure { get; set; }

        public TaskCompletionSource? Hold { get; init; }

        public void Advance(TimeSpan time) => _clock.Advance(time);

        public async Task AdvanceAsync(TimeSpan time)
        {
            Advance(time);
            await _running;
        }

        public async Task<int> SavesReached(int count)
        {
            await _reached.Task;
            Assert.Equal(count, Saves);
            return Saves;
        }

        private async Task SaveAsync()
        {
            Saves++;
            _reached.TrySetResult();
            if (Hold is not null) await Hold.Task;
            if (Failure is not null) throw Failure;
        }

        private void Arm(TimeSpan due)
        {
            Armed = due;
            _timer?.Dispose();
            _timer = _clock.CreateTimer(_ => _running = Writer.OnTimerAsync(), null, due, Timeout.InfiniteTimeSpan);
        }
    }
}
