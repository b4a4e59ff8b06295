namespace Chatterbox.Client.Connections;

/// <summary>
/// How long one attempt of a call that may be repeated waits for its answer. The silo that had the call may be dead, and nobody says so
/// to a client: short at first, so that a call soon reaches the silo that has the session now; longer after several in a row, so that a
/// call that only takes long is answered in the end.
/// </summary>
internal sealed class AttemptTimeout(TimeSpan longest)
{
    public static readonly TimeSpan First = TimeSpan.FromSeconds(2);

    /// <summary>Attempts of the first length. Together they outlast the detection of a dead silo.</summary>
    public const int ShortAttempts = 3;

    private int _unanswered;

    public TimeSpan Current
    {
        get
        {
            var doublings = Math.Clamp(_unanswered - ShortAttempts + 1, 0, 16);
            return TimeSpan.FromTicks(Math.Min(First.Ticks << doublings, longest.Ticks));
        }
    }

    /// <summary>An attempt has ended with a failure.</summary>
    public void Failed(Exception failure)
    {
        if (failure is TimeoutException) _unanswered++;
    }

    public void Answered() => _unanswered = 0;
}
