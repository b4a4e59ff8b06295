namespace Chatterbox.Client.Connections;

/// <summary>
/// How long one attempt of a call that may be repeated waits for its answer. A client is not told that the silo which had the call is dead:
/// the attempts are short at first, so that the call soon reaches the silo that has the session now, and longer after several in a row,
/// so that a call that only takes long is answered in the end.
/// </summary>
/// <param name="first">The first attempts; <see cref="First"/> where it is null.</param>
internal sealed class AttemptTimeout(TimeSpan longest, TimeSpan? first = null)
{
    public static readonly TimeSpan First = TimeSpan.FromSeconds(2);

    private readonly TimeSpan _first = first ?? First;

    /// <summary>Attempts of the first length. Together they outlast the detection of a dead silo.</summary>
    public const int ShortAttempts = 3;

    private int _unanswered;

    public bool IsLongest => Current == longest;

    public TimeSpan Current
    {
        get
        {
            var doublings = Math.Clamp(_unanswered - ShortAttempts + 1, 0, 16);
            return TimeSpan.FromTicks(Math.Min(_first.Ticks << doublings, longest.Ticks));
        }
    }

    /// <summary>An attempt has ended with a failure.</summary>
    public void Failed(Exception failure)
    {
        if (failure is TimeoutException) _unanswered++;
    }

    public void Answered() => _unanswered = 0;
}
