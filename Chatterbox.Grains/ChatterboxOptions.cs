using System.ComponentModel.DataAnnotations;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains;

/// <summary>Options of saving sessions and serving their clients. Section <c>Chatterbox:Session</c>.</summary>
public sealed class ChatterboxOptions
{
    internal static readonly TimeSpan ShortestDelay = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// The debounce: a change waits this long for the next one before it is saved. 10 ms to 1 min; default 300 ms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan WriteDelay { get; set; } = TimeSpan.FromMilliseconds(300);

    /// <summary>
    /// No change waits longer than this to be saved. 10 ms to 10 min, not below <see cref="WriteDelay"/>; default 2 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan MaxWriteDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Slices of more bytes than this are compressed when that makes them smaller. 0 to 16 MiB; default 1,024.</summary>
    [Range(0, 16 * 1024 * 1024)]
    public int CompressionThreshold { get; set; } = 1024;

    /// <summary>
    /// The first wait after a failed write; it doubles with each further failure. 1 ms to 1 min; default 100 ms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// The longest wait between two attempts to write. 1 ms to 10 min, not below <see cref="RetryDelay"/>; default 5 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:10:00")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a session tries to save before it shuts down. 0 to 5 min; default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan ShutdownFlush { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>A client without a heartbeat for this long is detached. 1 s to 10 min; default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an audio clip is kept that was uploaded and never referred to. 1 min to 7 days; default 1 h.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")]
    public TimeSpan UploadExpiry { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long an audio clip is kept after the last reference to it, unless room is needed. References are searched at the same
    /// interval, so a clip is deleted at most twice this time plus one sweep after its last reference. 0 to 30 days; default 25
    /// h.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan UnreferencedClipAge { get; set; } = TimeSpan.FromHours(25);

    /// <summary>
    /// Time between the starts of two walks through all users' audio ledgers, which find clips due for deletion; a longer walk is
    /// followed by the next one directly. 1 s to 7 days; default 1 h.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")]
    public TimeSpan AudioSweepPeriod { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Changes kept in memory for clients that missed some; a client that misses older ones gets a snapshot. 0 to 65,536; default
    /// 256.
    /// </summary>
    [Range(0, 65_536)]
    public int RecentChanges { get; set; } = 256;

    /// <summary>
    /// Clients attached to a session at once: an attach beyond is refused until one leaves. 1 to 10,000; default 256.
    /// </summary>
    [Range(1, 10_000)]
    public int Clients { get; set; } = 256;

    /// <summary>
    /// Client processes to which the sessions of a silo send events; all browsers of a silo are one. An attach of one more is
    /// refused. 1 to 1,000,000; default 10,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int Processes { get; set; } = 10_000;

    /// <summary>How old the last good copy of a session may become. 1 min to 30 days; default 1 day.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00")]
    public TimeSpan LastGoodAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Entries that a session's history keeps of states from before they were replaced, and as many of rows from before a
    /// migration and of overtaken ones. 1 to 10; default 10.
    /// </summary>
    [Range(1, HistoryRetention.MostEntries)]
    public int HistoryEntries { get; set; } = HistoryRetention.MostEntries;

    /// <summary>
    /// How long an entry of a session's history is kept; the last good copy always is. 1 h to 3,650 days; default 90 days.
    /// </summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00")]
    public TimeSpan HistoryAge { get; set; } = TimeSpan.FromDays(90);

    /// <summary>Settings per store, by name. Every name must be that of a registered store.</summary>
    public Dictionary<string, StoreOptions> Stores { get; } = new(StringComparer.Ordinal);

    /// <summary>The invalid or contradictory settings, in words.</summary>
    public IReadOnlyList<string> Problems
    {
        get
        {
            var outOfRange = new List<ValidationResult>();
            Validator.TryValidateObject(this, new ValidationContext(this), outOfRange, validateAllProperties: true);
            var problems = outOfRange.Select(each => each.ErrorMessage!).ToList();
            if (MaxWriteDelay < WriteDelay)
                problems.Add($"MaxWriteDelay: must be at least WriteDelay ({WriteDelay}), was {MaxWriteDelay}");
            if (MaxRetryDelay < RetryDelay)
                problems.Add($"MaxRetryDelay: must be at least RetryDelay ({RetryDelay}), was {MaxRetryDelay}");
            return problems;
        }
    }
}
