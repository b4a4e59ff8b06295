using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Chatterbox.Grains.Audio;

/// <summary>
/// The walk through the ledgers of all users. It reads their rows a page at a time and calls only the ledgers with clips due, so
/// that a user costs no memory and no timer. Its position is only in memory: each walk starts at a random position, so that
/// interrupted walks reach every user in the end.
/// </summary>
/// <remarks>Reentrant: while a step is running, other callers are answered at once. Two concurrent walks are harmless.</remarks>
[Reentrant, GrainType("chatterbox.audio-sweep")]
internal sealed partial class AudioSweepGrain(
    IOptions<ChatterboxOptions> options, TimeProvider clock, IServiceProvider services, ILogger<AudioSweepGrain> logger)
    : Grain, IAudioSweepGrain
{
    private const int LedgersPerPage = 50;
    private const int SweptAtOnce = 4;

    /// <summary>
    /// The shortest pause between two pages. The pause is as long as the page took: a walk uses at most half of one reader.
    /// </summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);

    private readonly SweepWalk _walk = new();
    private long? _begun;
    private bool _isStepping;

    public async Task<TimeSpan> StepAsync()
    {
        if (_isStepping) return ShortestPause;
        if (!_walk.IsWalking)
        {
            var left = _begun is { } begun ? options.Value.AudioSweepPeriod - clock.GetElapsedTime(begun) : TimeSpan.Zero;
            if (left > TimeSpan.Zero) return left;
            _begun = clock.GetTimestamp();
            _walk.Begin(Random.Shared.Next(int.MinValue, int.MaxValue));
        }
        _isStepping = true;
        try
        {
            var started = clock.GetTimestamp();
            var rows = services.GetRequiredService<IStoredRows>();
            var page = await rows.ReadAsync([AudioLedger.RowName], _walk.After, LedgersPerPage, CancellationToken.None);
            foreach (var some in page.Rows.Where(IsDue).Chunk(SweptAtOnce))
            {
                await Task.WhenAll(some.Select(row => SweepAsync(row.Key)));
            }
            _walk.Reached(page.Next);
            var took = clock.GetElapsedTime(started);
            return took > ShortestPause ? took : ShortestPause;
        }
        finally
        {
            _isStepping = false;
        }
    }

    // A damaged ledger is handled by its grain; one written by a newer silo is swept by a newer silo.
    private bool IsDue(NamedRow row)
    {
        if (AudioLedgerKey.UserOf(row.Key) is null) return false;
        var ages = new ClipAges(options.Value.UploadExpiry, options.Value.UnreferencedClipAge);
        try
        {
            return AudioLedger.Decode(row.Bytes)?.NextDue(ages) <= clock.GetUtcNow();
        }
        catch (Exception damage) when (SessionStore.IsDamage(damage))
        {
            return true;
        }
    }

    // A failed sweep of one user does not block the others: the next walk retries it.
    private async Task SweepAsync(string ledger)
    {
        try
        {
            await GrainFactory.GetGrain<IAudioLedgerGrain>(ledger).SweepAsync();
        }
        catch (Exception failure)
        {
            LogNotSwept(ledger, failure.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The audio clips of {Ledger} could not be swept; the next walk tries again: {Reason}")]
    private partial void LogNotSwept(string ledger, string reason);
}
