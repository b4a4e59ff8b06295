using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Chatterbox.Grains.Audio;

/// <summary>
/// The walk through the ledgers of all users. It reads their rows a page at a time and calls only the ledgers with clips due,
/// so that a user costs no memory and no timer. It keeps its place in memory alone: each walk begins at a random place, so that
/// walks that are cut short reach every user in the end.
/// </summary>
/// <remarks>Reentrant: while a step is running, other callers are answered at once. Two walks at a time do no harm.</remarks>
[Reentrant, GrainType("chatterbox.audio-sweep")]
internal sealed partial class AudioSweepGrain(
    IOptions<ChatterboxOptions> options, TimeProvider clock, IServiceProvider services, ILogger<AudioSweepGrain> logger)
    : Grain, IAudioSweepGrain
{
    private const int LedgersPerPage = 50;
    private const int SweptAtOnce = 4;

    /// <summary>
    /// Between two pages, at least. The pause is as long as the page took: a walk takes half of one reader at most.
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

    // A damaged ledger is its grain's to deal with; one that a newer silo has written is swept by a newer silo.
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

    // One user whose clips cannot be swept does not hold up the others: the next walk tries again.
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
