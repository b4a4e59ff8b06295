namespace Chatterbox.Grains.Persistence;

/// <summary>
/// The delay after a failed write: doubling from the first to the longest delay, each shortened at random by up to half, so that
/// the sessions of a silo do not all retry at once.
/// </summary>
internal sealed class RetryPolicy(TimeSpan first, TimeSpan longest, Func<double> random)
{
    private const int MostDoublings = 30;

    public int Failures { get; private set; }

    public TimeSpan Failed()
    {
        var full = Math.Min(first.Ticks * (double)(1L << Math.Min(Failures, MostDoublings)), longest.Ticks);
        Failures++;
        return TimeSpan.FromTicks((long)(full * (1 - random() / 2)));
    }

    public void Succeeded() => Failures = 0;
}
