using System.Diagnostics.Metrics;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Settings;

namespace Chatterbox.Silo.Operations;

/// <summary>
/// Exports how storage stands, and how far this machine's clock is from the database's. Silos write the time of their last sign of life
/// by their own clocks: one that is far off takes healthy silos for dead.
/// </summary>
internal sealed partial class StorageWatch : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    private readonly DatabaseClock _database;
    private readonly TimeProvider _clock;
    private readonly ILogger<StorageWatch> _logger;
    private double? _offset;

    public StorageWatch(SiloSettings settings, TimeProvider clock, ILogger<StorageWatch> logger, IStorageStatus? storage = null)
    {
        (_database, _clock, _logger) = (new(settings.Database, clock), clock, logger);
        SiloInstruments.Meter.CreateObservableGauge("chatterbox.cluster.clock.offset",
            () => _offset is { } seconds ? [new Measurement<double>(seconds)] : Array.Empty<Measurement<double>>(), "s",
            "This machine's clock less the database's.");
        if (storage is null)
            return;
        SiloInstruments.Meter.CreateObservableGauge("chatterbox.storage.degraded", () => storage.DegradedSince is null ? 0 : 1,
            description: "1 while the database is unavailable.");
        SiloInstruments.Meter.CreateObservableGauge("chatterbox.fallback.frames", () => storage.PendingFrames, "{frame}",
            "Rows in the local fallback file that the database does not have yet.");
        SiloInstruments.Meter.CreateObservableGauge("chatterbox.fallback.failing", () => storage.FallbackFailure is null ? 0 : 1,
            description: "1 while the local fallback file takes nothing.");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!_database.HasClock)
            return;
        using var timer = new PeriodicTimer(Period, _clock);
        do
        {
            try
            {
                var offset = await _database.MeasureAsync(stoppingToken);
                _offset = offset.TotalSeconds;
                if (offset.Duration() > DatabaseClock.Warning)
                    LogOffset(offset.TotalSeconds);
            }
            catch (System.Data.Common.DbException)
            {
                // The database is unavailable, which others report.
                _offset = null;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(LogLevel.Warning, "This machine's clock is {Seconds:0.0} s from the database's: synchronize it (NTP)")]
    private partial void LogOffset(double seconds);
}
