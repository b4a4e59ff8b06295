namespace Chatterbox.Cli.Connection;

/// <summary>How long a verb waits for the service without any progress.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly TimeSpan _patience;
    private readonly CancellationTokenSource _source;
    private readonly CancellationToken _interrupted;

    public Deadline(TimeSpan patience, CancellationToken interrupted)
    {
        (_patience, _interrupted) = (patience, interrupted);
        _source = CancellationTokenSource.CreateLinkedTokenSource(interrupted);
        _source.CancelAfter(patience);
    }

    public CancellationToken Token => _source.Token;

    public bool Passed => _source.IsCancellationRequested && !_interrupted.IsCancellationRequested;

    /// <summary>There was progress.</summary>
    public void Extend() => _source.CancelAfter(_patience);

    /// <summary>A person is asked something: they may take their time.</summary>
    public void Suspend() => _source.CancelAfter(System.Threading.Timeout.InfiniteTimeSpan);

    public void Dispose() => _source.Dispose();
}
