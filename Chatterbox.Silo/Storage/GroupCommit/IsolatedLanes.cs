using System.Collections.Concurrent;

namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>
/// Where rows go on that would hold up others: each is a batch of its own, on connections of their own. A row that stays locked
/// is tried
/// in turn with the others here, until the database's timeout is over; then it fails, and nothing else does.
/// </summary>
internal sealed class IsolatedLanes
{
    /// <summary>So many rows are remembered as suspects; then all are forgotten, and found again.</summary>
    private const int MostSuspects = 10_000;

    private readonly BatchLane<RowWrite>[] _lanes;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<RowKey, bool> _suspects = new();

    public IsolatedLanes(string name, int count, Func<RowStore> store, DatabaseOptions options,
        TimeProvider clock, ILogger logger)
    {
        (_timeout, _clock) = (options.Timeout, clock);
        // Writers of rows that are set aside wait already, and one at a time for each row: nothing here has to hold them back.
        var limits = new BatchLimits(Rows: 1, options.BatchBytes, int.MaxValue, options.Timeout);
        _lanes = [.. Enumerable.Range(1, count).Select(number =>
        {
            var rows = store();
            return new BatchLane<RowWrite>($"{name} aside {number}", limits, rows, batch => Write(rows, batch), logger)
            {
                Clock = clock,
                Isolate = TryAgain,
                Refused = row => Suspect(row.Key),
            }.Start();
        })];
    }

    public BatchLane<RowWrite> Of(RowKey key) => _lanes[(key.IdHash & int.MaxValue) % _lanes.Length];

    /// <summary>A row that made its last batch fail does not get the chance to do so again until it passes.</summary>
    public bool IsSuspect(RowKey key) => _suspects.ContainsKey(key);

    public void Suspect(RowKey key)
    {
        if (_suspects.Count >= MostSuspects) _suspects.Clear();
        _suspects[key] = true;
    }

    /// <summary>Takes over a row that another transaction has locked.</summary>
    public bool TryIsolate(RowWrite row)
    {
        row.LockedSince ??= _clock.GetTimestamp();
        Suspect(row.Key);
        return Of(row.Key).TryAccept(row);
    }

    public async Task<bool> DrainAsync(TimeSpan timeout) =>
        !(await Task.WhenAll(_lanes.Select(lane => lane.DrainAsync(timeout)))).Contains(false);

    private bool TryAgain(RowWrite row)
    {
        row.LockedSince ??= _clock.GetTimestamp();
        return _clock.GetElapsedTime(row.LockedSince.Value) < _timeout && Of(row.Key).TryAccept(row);
    }

    private void Write(RowStore store, List<RowWrite> batch)
    {
        store.Write(batch);
        _suspects.TryRemove(batch[0].Key, out _);
    }
}
