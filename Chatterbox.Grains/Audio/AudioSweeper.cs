using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Chatterbox.Grains.Audio;

/// <summary>
/// Keeps the cluster's one <see cref="AudioSweepGrain"/> walking. Every silo calls it, so that it survives the loss of any silo
/// and needs no active user; the grain returns the time of the next call.
/// </summary>
/// <remarks>
/// Orleans reminders are not used: they would need their own tables in each database, a write, a reminder and a timer in memory
/// for every user with audio, and would activate ledgers with nothing due.
/// </remarks>
internal sealed partial class AudioSweeper(
    IGrainFactory grains, IServiceProvider services, IOptions<ChatterboxOptions> options, TimeProvider clock,
    ILogger<AudioSweeper> logger)
    : BackgroundService
{
    /// <summary>The longest time between two calls: a grain that moved to another silo must be activated.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (services.GetService<IStoredRows>() is null)
        {
            LogNoWalk();
            return;
        }
        var wait = Shorter(options.Value.AudioSweepPeriod, LongestWait) * (0.5 + (Random.Shared.NextDouble() / 2));
        while (true)
        {
            try
            {
                await Task.Delay(wait, clock, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            wait = await StepAsync();
        }
    }

    private async Task<TimeSpan> StepAsync()
    {
        try
        {
            return Shorter(await grains.GetGrain<IAudioSweepGrain>(0).StepAsync(), LongestWait);
        }
        catch (Exception failure)
        {
            LogStepFailed(failure.Message);
            return RetryDelay;
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    [LoggerMessage(LogLevel.Warning,
        "The host provides no IStoredRows: audio clips that nothing refers to are only deleted when room is needed")]
    private partial void LogNoWalk();

    [LoggerMessage(LogLevel.Warning, "The walk through the audio ledgers failed and will be retried: {Reason}")]
    private partial void LogStepFailed(string reason);
}
