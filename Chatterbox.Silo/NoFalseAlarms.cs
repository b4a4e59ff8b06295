using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Chatterbox.Silo;

/// <summary>
/// Leaves out of the log what Orleans' watchdog cannot have seen. As a silo starts, one of its threads may look since when the
/// other has
/// been silent before that one has begun, and then warns of a deadlock for as long as the machine has been up. Nothing can have
/// been silent for longer than its process has run; every other warning is logged.
/// </summary>
internal sealed class NoFalseAlarms : LoggingSampler
{
    private const string Watchdog = "Orleans.Runtime.Watchdog";

    public override bool ShouldSample<TState>(in LogEntry<TState> logEntry) =>
        logEntry.Category != Watchdog
        || logEntry.State is not IReadOnlyList<KeyValuePair<string, object?>> values
        || !values.Any(value => value.Value is TimeSpan silent && silent > HasRun());

    private static TimeSpan HasRun()
    {
        using var process = Process.GetCurrentProcess();
        return TimeProvider.System.GetUtcNow() - process.StartTime.ToUniversalTime();
    }
}
