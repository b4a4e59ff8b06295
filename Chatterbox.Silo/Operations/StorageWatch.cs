using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Orleans.Storage;

namespace Chatterbox.Silo.Operations;

/// <summary>
/// Exports how storage stands, and how far this machine's clock is from the database's. Silos write the time of their last sign
/// of life
/// by their own clocks: one that is far off takes healthy silos for dead. Where the database is a file, the watch notices within
/// seconds
/// that it was removed or replaced, whether or not anybody writes.
/// </summary>
internal sealed partial class StorageWatch : BackgroundService
{
    internal static readonly TimeSpan FilePeriod = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan ClockPeriod = TimeSpan.FromSeconds(30);
    private static readonly GrainId Probe = GrainId.Create("chatterbox.storage", "probe");

    private readonly DatabaseClock _database;
    private readonly TimeProvider _clock;
    private readonly ILogger<StorageWatch> _logger;
    private readonly IGrainStorage? _grains;
    private readonly Action? _checkFiles;
    private double? _offset;
    private bool _isLossLogged;

    public StorageWatch(
        SiloSettings settings, TimeProvider clock, ILogger<StorageWatch> logger, IStorageStatus? storage = null,
        [FromKeyedServices(ChatterboxStorage.Name)] IGrainStorage? grains = null)
    {
        (_database, _clock, _logger, _grains) = (new(settings.Database, clock), clock, logger, grains);
        _checkFiles = DatabaseDialect.Of(settings.Database.Provider).WatchFiles(settings.Database.ConnectionString);
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

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        _database.HasClock ? WatchClockAsync(stoppingToken) : Task.CompletedTask,
        _checkFiles is null ? Task.CompletedTask : WatchFilesAsync(_checkFiles, stoppingToken));

    private async Task WatchFilesAsync(Action check, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(FilePeriod, _clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                check();
            }
            catch (DbException lost)
            {
                await ReportAsync(lost);
            }
        }
    }

    /// <summary>The read fails as any other would, by which health and the sessions learn of it.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever it is, the failure is known already.")]
    private async Task ReportAsync(DbException lost)
    {
        if (!_isLossLogged) LogLost(lost.Message);
        _isLossLogged = true;
        try
        {
            if (_grains is not null) await _grains.ReadStateAsync("probe", Probe, new GrainState<StoredFrame>(new StoredFrame()));
        }
        catch (Exception)
        {
        }
    }

    private async Task WatchClockAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(ClockPeriod, _clock);
        do
        {
            try
            {
                var offset = await _database.MeasureAsync(stoppingToken);
                _offset = offset.TotalSeconds;
                if (offset.Duration() > DatabaseClock.Warning)
                    LogOffset(offset.TotalSeconds);
            }
            catch (DbException)
            {
                // The database is unavailable, which others report.
                _offset = null;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(LogLevel.Warning, "This machine's clock is {Seconds:0.0} s from the database's: synchronize it (NTP)")]
    private partial void LogOffset(double seconds);

    [LoggerMessage(LogLevel.Error, "The database is lost: {Reason}")]
    private partial void LogLost(string reason);
}
