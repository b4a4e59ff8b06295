using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.ClusterTests.Soak;

/// <summary>
/// Real time for whoever waits, and it can jump: timers that are due in between fire, and the monotonic clock jumps as well.
/// </summary>
internal sealed class JumpingClock : IAsyncDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _end = new();
    private readonly Task _running;

    public JumpingClock()
    {
        Time = new(TimeProvider.System.GetUtcNow());
        _running = RunAsync();
    }

    public FakeTimeProvider Time { get; }

    public void Jump(TimeSpan by) => Time.Advance(by);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running;
        _end.Dispose();
    }

    private async Task RunAsync()
    {
        using var tick = new PeriodicTimer(Step);
        var last = TimeProvider.System.GetTimestamp();
        try
        {
            while (await tick.WaitForNextTickAsync(_end.Token))
            {
                var now = TimeProvider.System.GetTimestamp();
                Time.Advance(TimeProvider.System.GetElapsedTime(last, now));
                last = now;
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
