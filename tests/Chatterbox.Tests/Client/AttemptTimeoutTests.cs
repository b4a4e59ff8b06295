using Chatterbox.Client.Connections;

namespace Chatterbox.Tests.Client;

public sealed class AttemptTimeoutTests
{
    [Fact(DisplayName =
        "[C5] attempts are short at first, then double up to the time-out of calls, and are short again after an answer")]
    public void Grows()
    {
        var timeout = new AttemptTimeout(TimeSpan.FromSeconds(10));
        var seconds = new List<double>();
        for (var attempt = 0; attempt < 7; attempt++)
        {
            seconds.Add(timeout.Current.TotalSeconds);
            timeout.Failed(new TimeoutException());
        }
        Assert.Equal([2, 2, 2, 4, 8, 10, 10], seconds);

        timeout.Answered();
        Assert.Equal(AttemptTimeout.First, timeout.Current);
    }

    [Fact(DisplayName = "[C5] a failure that is an answer makes no attempt longer")]
    public void Failures_that_are_answers()
    {
        var timeout = new AttemptTimeout(TimeSpan.FromSeconds(10));
        for (var attempt = 0; attempt < 7; attempt++) timeout.Failed(new InvalidOperationException());

        Assert.Equal(AttemptTimeout.First, timeout.Current);
    }

    [Fact(DisplayName = "[C5] no attempt is longer than the time-out of calls")]
    public void Is_bounded() =>
        Assert.Equal(TimeSpan.FromMilliseconds(100), new AttemptTimeout(TimeSpan.FromMilliseconds(100)).Current);
}
