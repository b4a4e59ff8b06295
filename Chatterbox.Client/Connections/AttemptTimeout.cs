namespace Chatterbox.Client.Connections;

/// <summary>
/// The timeout of one attempt of a call that may be repeated. A client is not told when the silo that received a call is dead. So
/// the first attempts are short, to reach the session's new silo soon; after several in a row they are longer, so that a slow
/// call is answered in the end.
/// </summary>
/// <param name="first">The timeout of the first attempts; null is <see cref="First"/>.</param>
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
