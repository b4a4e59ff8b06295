using System.Globalization;

namespace Chatterbox.Chaos.Clients;

/// <summary>
/// What a writer does with a store: bursts of changes, then quiet, so that a slice may stay unwritten for a while. Nothing it
/// does commutes: each value is given once, so that a change done twice brings back what was replaced or removed.
/// </summary>
/// <param name="name">Starts the ids of what it adds.</param>
/// <param name="first">The first number it counts from; higher in each run of the same client.</param>
internal sealed class Workload(ChatterboxStore store, Maker maker, string name, TtsEngine? counter, int first, Random random)
{
    private const int MostOwn = 30;
    private const string GiftPrefix = "gift-";

    /// <summary>A gift is taken once it has been there for so long: by then it is usually durable.</summary>
    private static readonly TimeSpan GiftAge = TimeSpan.FromSeconds(3);

    private readonly List<string> _own = [];
    private readonly List<string> _removed = [];
    private readonly Dictionary<string, long> _gifts = [];
    private int _number = first;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                for (var left = random.Next(1, 8); left > 0; left--)
                {
                    await OneAsync();
                    await PauseAsync(random.Next(20, 250), cancellationToken);
                }
                await PauseAsync(random.Next(10) < 7 ? random.Next(500, 4_000) : random.Next(8_000, 25_000), cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    /// <summary>One change.</summary>
    public Task OneAsync() => random.Next(100) switch
    {
        < 30 => AddAsync(_removed.Count > 0 && random.Next(3) == 0 ? Take(_removed) : $"chunk:{name}-{++_number}"),
        < 38 => AddAsync($"item:{name}-{++_number}"),
        < 50 => maker.MakeAsync($"chunk:{GiftPrefix}{name}-{++_number}", Next()),
        < 62 => TakeGiftAsync(),
        < 72 when counter is { } engine => maker.MakeAsync(StateKeys.Seed(engine), Next()),
        < 82 when _own.Count > 0 => maker.MakeAsync(_own[random.Next(_own.Count)], Next()),
        _ => RemoveAsync(),
    };

    private Task AddAsync(string key)
    {
        if (_own.Count >= MostOwn) return RemoveAsync();
        _own.Add(key);
        return maker.MakeAsync(key, Next());
    }

    private Task RemoveAsync()
    {
        if (_own.Count == 0) return AddAsync($"chunk:{name}-{++_number}");
        var key = Take(_own);
        _removed.Add(key);
        return maker.MakeAsync(key, null);
    }

    /// <summary>Removes what another client added for it.</summary>
    private async Task TakeGiftAsync()
    {
        var gifts = store.State.Chunks.Select(chunk => chunk.Id)
            .Where(id =>
                id.StartsWith(GiftPrefix, StringComparison.Ordinal)
                && !id.StartsWith($"{GiftPrefix}{name}-", StringComparison.Ordinal));
        foreach (var id in gifts) _gifts.TryAdd(id, TimeProvider.System.GetTimestamp());
        var old = _gifts.Where(gift => TimeProvider.System.GetElapsedTime(gift.Value) > GiftAge)
            .Select(gift => gift.Key).ToList();
        if (old.Count == 0) return;
        var taken = Take(old);
        _gifts.Remove(taken);
        if (store.State.Chunks.Any(chunk => chunk.Id == taken)) await maker.MakeAsync(StateKeys.Chunk(taken), null);
    }

    private static Task PauseAsync(int milliseconds, CancellationToken cancellationToken) =>
        Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System, cancellationToken);

    private string Next() => (++_number).ToString(CultureInfo.InvariantCulture);

    private string Take(List<string> keys)
    {
        var index = random.Next(keys.Count);
        var key = keys[index];
        keys.RemoveAt(index);
        return key;
    }
}
