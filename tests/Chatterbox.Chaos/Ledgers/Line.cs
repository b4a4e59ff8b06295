using System.Globalization;

namespace Chatterbox.Chaos.Ledgers;

/// <summary>What a line of a client process reports.</summary>
internal enum Word
{
    /// <summary>The store shows the session's state. Rest: the user.</summary>
    Opened,

    /// <summary>A change is about to be made. Rest: its number, its key, its value or "-" for a removal.</summary>
    Begun,

    /// <summary>The change is in the outbox. Rest: its number.</summary>
    Taken,
    Applied,
    Durable,

    /// <summary>The session refused the change. Rest: its number, the reason.</summary>
    Refused,

    /// <summary>The client was told nothing: the store was closed or failed. Rest: its number, the reason.</summary>
    Dropped,

    /// <summary>The store shows another value. Rest: the key, the value or "-" for none.</summary>
    Shows,

    /// <summary>All that was shown has been reported. Rest: a hash of the whole state.</summary>
    Reported,

    /// <summary>Every change of the process has an outcome.</summary>
    Settled,
    Closed,
}

/// <summary>
/// One line of a client process. <paramref name="At"/> is the machine's monotonic clock, the same for all processes.
/// </summary>
/// <param name="Store">Names the store within the run: client, run of the client, user.</param>
internal sealed record Line(TimeSpan At, Word Word, string Store, string[] Rest)
{
    public static TimeSpan Now =>
        TimeSpan.FromSeconds((double)TimeProvider.System.GetTimestamp() / TimeProvider.System.TimestampFrequency);

    /// <summary>Writes the line to standard output at once.</summary>
    public static void Say(Word word, string store, params string[] rest) => Console.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"{Now.Ticks}\t{word}\t{store}\t{string.Join('\t', rest)}")
            .ReplaceLineEndings(" "));

    public static Line? Parse(string text) =>
        text.Split('\t') is [var at, var word, var store, .. var rest]
        && long.TryParse(at, CultureInfo.InvariantCulture, out var ticks) && Enum.TryParse<Word>(word, out var parsed)
            ? new(TimeSpan.FromTicks(ticks), parsed, store, rest)
            : null;
}
