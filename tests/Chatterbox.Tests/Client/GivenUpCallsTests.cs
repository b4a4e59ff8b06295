using System.Runtime.CompilerServices;
using Chatterbox.Client.Connections;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.Client;

public sealed class GivenUpCallsTests
{
    [Theory(DisplayName = "[C5] a call that was given up and fails later leaves no unobserved exception")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Is_observed(bool byTimeout)
    {
        var marker = new InvalidOperationException("of a call that was given up");
        var unobserved = 0;
        TaskScheduler.UnobservedTaskException += Count;
        try
        {
            // Shows that what is counted here would be seen.
            Abandon(marker);
            Collect();
            Assert.Equal(1, Volatile.Read(ref unobserved));

            await GiveUpAsync(byTimeout, marker);
            Collect();
            Assert.Equal(1, Volatile.Read(ref unobserved));
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Count;
        }

        void Count(object? sender, UnobservedTaskExceptionEventArgs thrown)
        {
            if (thrown.Exception.InnerException == marker) Interlocked.Increment(ref unobserved);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Abandon(Exception failure) => new TaskCompletionSource().SetException(failure);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task GiveUpAsync(bool byTimeout, Exception failure)
    {
        var clock = new FakeTimeProvider();
        using var cancelled = new CancellationTokenSource();
        var call = new TaskCompletionSource<int>();
        var waiting = byTimeout
            ? call.Task.WithinAsync(TimeSpan.FromSeconds(1), clock, CancellationToken.None)
            : call.Task.UntilAsync(cancelled.Token);
        if (byTimeout) clock.Advance(TimeSpan.FromSeconds(1));
        else await cancelled.CancelAsync();
        var givenUp = await Record.ExceptionAsync(() => waiting);
        Assert.True(givenUp is TimeoutException or OperationCanceledException);
        call.SetException(failure);
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
