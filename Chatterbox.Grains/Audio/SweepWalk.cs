namespace Chatterbox.Grains.Audio;

/// <summary>A walk once round the hashes, from any of them.</summary>
internal sealed class SweepWalk
{
    private int _start;
    private bool _isPastEnd;

    public bool IsWalking { get; private set; }

    /// <summary>Where the next page begins; null for the lowest hash.</summary>
    public int? After { get; private set; }

    public void Begin(int start) => (_start, After, _isPastEnd, IsWalking) = (start, start, false, true);

    /// <summary>A page has been seen to.</summary>
    /// <param name="next">Where the next one begins; null when it was the last.</param>
    public void Reached(int? next)
    {
        After = next;
        if (_isPastEnd) IsWalking = next < _start;
        else _isPastEnd = next is null;
    }
}
