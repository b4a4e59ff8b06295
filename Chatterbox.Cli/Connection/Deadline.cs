namespace Chatterbox.Cli.Connection;

/// <summary>The time a verb may take without progress.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _source;
    private readonly CancellationToken _interrupted;

    public Deadline(TimeSpan timeout, CancellationToken interrupted)
    {
        (_timeout, _interrupted) = (timeout, interrupted);
        _source = CancellationTokenSource.CreateLinkedTokenSource(interrupted);
        _source.CancelAfter(timeout);
    }

    public CancellationToken Token => _source.Token;

    public bool Passed => _source.IsCancellationRequested && !_interrupted.IsCancellationRequested;

    /// <summary>Restarts the time after progress.</summary>
    public void Extend() => _source.CancelAfter(_timeout);

    /// <summary>Stops the clock, as while waiting for the user's answer.</summary>
    public void Suspend() => _source.CancelAfter(System.Threading.Timeout.InfiniteTimeSpan);

    public void Dispose() => _source.Dispose();
}
