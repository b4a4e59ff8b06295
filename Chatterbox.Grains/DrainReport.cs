namespace Chatterbox.Grains;

/// <summary>The outcomes of a stopping silo's sessions, for its last log line and an instrument.</summary>
public sealed class DrainReport
{
    private int _moved;
    private int _saved;
    private int _unsaved;

    /// <summary>Sessions in use that moved to another silo.</summary>
    public int Moved => Volatile.Read(ref _moved);

    /// <summary>Sessions that ended with everything saved.</summary>
    public int Saved => Volatile.Read(ref _saved);

    /// <summary>Sessions that ended with changes that were not saved in time.</summary>
    public int Unsaved => Volatile.Read(ref _unsaved);

    internal void Add(DrainOutcome outcome)
    {
        switch (outcome)
        {
            case DrainOutcome.Moved: Interlocked.Increment(ref _moved); break;
            case DrainOutcome.Saved: Interlocked.Increment(ref _saved); break;
            default: Interlocked.Increment(ref _unsaved); break;
        }
        ChatterboxInstruments.Drained.Add(1, ChatterboxInstruments.Outcome(outcome.ToString().ToLowerInvariant()));
    }
}

internal enum DrainOutcome
{
    Moved,
    Saved,
    Unsaved,
}
