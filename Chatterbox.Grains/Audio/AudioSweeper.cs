using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Chatterbox.Grains.Audio;

/// <summary>
/// Keeps the cluster's one <see cref="AudioSweepGrain"/> walking. Every silo calls it, so that it goes on whichever silo dies
/// and whether or not a user returns; the grain answers when it wants to be called again.
/// </summary>
/// <remarks>
/// Not by Orleans reminders: they would need tables of their own on each database, a reminder and a timer in memory for every
/// user with audio, and a write to create each, and they would wake ledgers that have nothing due.
/// </remarks>
internal sealed partial class AudioSweeper(
    IGrainFactory grains, IServiceProvider services, IOptions<ChatterboxOptions> options, TimeProvider clock,
    ILogger<AudioSweeper> logger)
    : BackgroundService
{
    /// <summary>Between two calls, at most: a grain that has moved to another silo has to be woken.</summary>
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

    [LoggerMessage(LogLevel.Warning, "The walk through the audio ledgers could not go on, and is tried again: {Reason}")]
    private partial void LogStepFailed(string reason);
}
