using System.Diagnostics.Metrics;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains;

/// <summary>The sessions' instruments, on the meter <c>Chatterbox</c>.</summary>
internal static class ChatterboxInstruments
{
    public const string MeterName = "Chatterbox";

    private static readonly Meter Meter = new(MeterName);

    public static readonly Counter<long> RowWrites =
        Meter.CreateCounter<long>("chatterbox.rows.written", "{row}", "Slice rows written.");

    public static readonly Counter<long> BytesBeforeCompression =
        Meter.CreateCounter<long>("chatterbox.slices.bytes", "By", "Bytes of the slices written, before compression.");

    public static readonly Counter<long> BytesWritten =
        Meter.CreateCounter<long>("chatterbox.rows.bytes", "By", "Bytes of the rows written, after compression.");

    public static readonly Histogram<long> ChangesPerSave =
        Meter.CreateHistogram("chatterbox.save.changes", "{change}", "Changes that became durable with one save.", [],
            new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000] });

    public static readonly Histogram<double> TimeToDurable =
        Meter.CreateHistogram("chatterbox.save.latency", "s",
            "From the first unsaved change to the save that made it durable.", [],
            new InstrumentAdvice<double>
                { HistogramBucketBoundaries = [.01, .025, .05, .1, .25, .35, .5, .75, 1, 1.5, 2, 2.5, 3, 5, 10, 30, 60, 300] });

    public static readonly Histogram<double> Hydration =
        Meter.CreateHistogram("chatterbox.session.hydration", "s", "Time to load a session from storage.", [],
            new InstrumentAdvice<double>
                { HistogramBucketBoundaries = [.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10] });

    public static readonly Counter<long> Retries =
        Meter.CreateCounter<long>("chatterbox.save.retries", "{save}", "Saves that failed and are retried.");

    public static readonly Counter<long> Conflicts =
        Meter.CreateCounter<long>("chatterbox.save.conflicts", "{conflict}",
            "Sessions reloaded because another writer had changed their rows.");

    public static readonly Counter<long> Kept =
        Meter.CreateCounter<long>("chatterbox.history.kept", "{entry}", "Entries added to histories, by reason.");

    public static readonly Counter<long> Migrated =
        Meter.CreateCounter<long>("chatterbox.migrated", "{row}", "Rows migrated on loading.");

    public static readonly Counter<long> QuotaCleanUps =
        Meter.CreateCounter<long>("chatterbox.quota.cleanups", "{cleanup}",
            "Times that old work sessions lost their audio to make room.");

    public static readonly Counter<long> QuotaBytesFreed =
        Meter.CreateCounter<long>("chatterbox.quota.freed", "By", "Bytes of audio that old work sessions lost to make room.");

    public static readonly UpDownCounter<long> LiveSessions =
        Meter.CreateUpDownCounter<long>("chatterbox.sessions.live", "{session}", "Sessions in memory.");

    public static readonly UpDownCounter<long> FailingSessions =
        Meter.CreateUpDownCounter<long>("chatterbox.sessions.failing", "{session}", "Sessions that cannot save at present.");

    public static readonly UpDownCounter<long> ReadOnlySessions = Meter.CreateUpDownCounter<long>(
        "chatterbox.sessions.readonly", "{session}", "Sessions that were stored by a newer version than their silo.");

    public static readonly UpDownCounter<long> AttachedClients =
        Meter.CreateUpDownCounter<long>("chatterbox.clients.attached", "{client}", "Clients with a lease.");

    public static readonly Counter<long> Arrived = Meter.CreateCounter<long>("chatterbox.sessions.arrived", "{session}",
        "Sessions that were activated, by source: moved from another silo with their memory image, or loaded from storage.");

    public static readonly Counter<long> Drained = Meter.CreateCounter<long>("chatterbox.drain.sessions", "{session}",
        "Sessions of a silo that stopped, by outcome: moved, saved or unsaved.");

    /// <summary>
    /// Exports every instrument from the start: otherwise an unused one looks like a missing one.
    /// </summary>
    public static void Export()
    {
        Counter<long>[] plain =
            [RowWrites, BytesBeforeCompression, BytesWritten, Retries, Conflicts, Migrated, QuotaCleanUps, QuotaBytesFreed];
        foreach (var counter in plain) counter.Add(0);
        UpDownCounter<long>[] levels = [LiveSessions, FailingSessions, ReadOnlySessions, AttachedClients];
        foreach (var level in levels) level.Add(0);
        foreach (var reason in Enum.GetValues<HistoryReason>()) Kept.Add(0, Reason(reason.Name()));
        foreach (var by in (string[])["image", "storage"]) Arrived.Add(0, By(by));
        foreach (var outcome in (string[])["moved", "saved", "unsaved"]) Drained.Add(0, Outcome(outcome));
    }

    public static KeyValuePair<string, object?> By(string by) => new("by", by);

    public static KeyValuePair<string, object?> Outcome(string outcome) => new("outcome", outcome);

    /// <summary>Why an entry of the history was added, as a tag.</summary>
    public static KeyValuePair<string, object?> Reason(string reason) => new("reason", reason);
}
