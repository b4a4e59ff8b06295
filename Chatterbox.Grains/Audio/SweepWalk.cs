namespace Chatterbox.Grains.Audio;

/// <summary>One pass over the ring of hashes, starting anywhere.</summary>
internal sealed class SweepWalk
{
    private int _start;
    private bool _isPastEnd;

    public bool IsWalking { get; private set; }

    /// <summary>The start of the next page; null for the lowest hash.</summary>
    public int? After { get; private set; }

    public void Begin(int start) => (_start, After, _isPastEnd, IsWalking) = (start, start, false, true);

    /// <summary>Moves on after a page.</summary>
    /// <param name="next">The start of the next page; null after the last one.</param>
    public void Reached(int? next)
    {
        After = next;
        if (_isPastEnd) IsWalking = next < _start;
        else _isPastEnd = next is null;
    }
}
