namespace Chatterbox.Cli.State;

/// <summary>Reports once that the connection is lost, and once that it is restored.</summary>
internal sealed class ConnectionNotes(TextWriter error)
{
    private readonly Lock _lock = new();
    private bool _lost;

    public void Lost(string why)
    {
        lock (_lock)
        {
            if (_lost) return;
            _lost = true;
            error.WriteLine($"chatterbox: {why}; trying again until it works");
        }
    }

    public void Report(Exception? unreachable)
    {
        if (unreachable is not null)
        {
            Lost("the session cannot be reached");
            return;
        }
        lock (_lock)
        {
            if (_lost) error.WriteLine("chatterbox: connected");
            _lost = false;
        }
    }
}
