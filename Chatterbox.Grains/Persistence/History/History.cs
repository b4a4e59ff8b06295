using System.Text.Json;
using Orleans.Storage;

namespace Chatterbox.Grains.Persistence;

/// <summary>
/// Everything that is kept of a session beside its live rows: an index, and a row of bytes for each entry. What is added is part
/// of the session's next save, which writes it before any live row; until then it is listed and can be restored all the same.
/// </summary>
/// <remarks>
/// Entries use a fixed set of rows over and over (<see cref="HistoryRetention.Slots"/>), since a cleared row leaves a trace in
/// grain storage. The index is written first: a crash before the entry's bytes leaves a line without bytes and never bytes
/// without a line. A line whose row holds another entry, or none, is skipped. The index is read anew by each call: whoever
/// replays a silo's fallback file adds entries as well.
/// </remarks>
internal sealed class History(IGrainStorage storage, GrainId owner, HistoryRetention retention, TimeProvider clock)
{
    public const string IndexName = "history";
    private const int Tries = 5;

    /// <summary>Added and not stored yet, oldest first.</summary>
    private readonly List<HistoryBundle> _pending = [];

    public bool HasPending => _pending.Count > 0;

    /// <summary>Entries that are not stored yet, oldest first.</summary>
    public IReadOnlyList<HistoryBundle> Pending => _pending;

    /// <summary>Bytes of all stored entries, as of the last time the index was read or written; null before.</summary>
    public long? Bytes { get; private set; }

    /// <summary>The bytes of them that <see cref="FreeAsync"/> can free.</summary>
    public long FreeableBytes { get; private set; }

    /// <summary>Has an entry stored by the next save. One with the same id takes the place of an older one.</summary>
    public void Add(HistoryBundle bundle)
    {
        _pending.RemoveAll(each => each.Id == bundle.Id);
        _pending.Add(bundle);
        var kept = retention.Keep(Enumerable.Reverse(_pending), each => each.Reason, each => each.At, clock.GetUtcNow())
            .ToHashSet();
        _pending.RemoveAll(each => !kept.Contains(each));
    }

    /// <summary>Stores what was added. Entries that are stored leave <see cref="Pending"/> one by one.</summary>
    /// <exception cref="IOException">The history is full of unreadable rows, or others keep writing its index.</exception>
    public async Task SaveAsync()
    {
        while (_pending is [var oldest, ..])
        {
            await KeepAsync(oldest);
            _pending.Remove(oldest);
        }
    }

    /// <summary>Stores an entry now. Keeping the same rows again renews their entry.</summary>
    /// <inheritdoc cref="SaveAsync"/>
    public async Task KeepAsync(HistoryBundle bundle)
    {
        var slot = 0;
        var freed = Array.Empty<int>();
        await ChangeIndexAsync(entries =>
        {
            var before = entries.FirstOrDefault(each => each.Id == bundle.Id);
            var others = entries.Where(each => each.Id != bundle.Id).ToArray();
            var kept = Retained([bundle.EntryIn(slot: -1), .. others]).Where(each => each.Slot >= 0).ToArray();
            if (bundle.Reason is HistoryReason.Unreadable
                && kept.Count(each => each.Reason is HistoryReason.Unreadable) >= HistoryRetention.MostUnreadable)
            {
                throw new IOException(
                    $"The history of {owner} holds {HistoryRetention.MostUnreadable} unreadable rows, the most it can: "
                    + "drop some with 'chatterbox history drop'.");
            }
            var used = kept.Select(each => each.Slot).ToHashSet();
            slot = before?.Slot ?? Enumerable.Range(0, HistoryRetention.Slots).First(each => !used.Contains(each));
            freed = [.. others.Select(each => each.Slot).Where(each => each != slot && !used.Contains(each))];
            return [bundle.EntryIn(slot), .. kept];
        });
        await Row(slot).ReadAndOverwriteAsync(bundle.Encode(owner, slot));
        ChatterboxInstruments.Kept.Add(1, ChatterboxInstruments.Reason(bundle.Reason.Name()));
        foreach (var each in freed) await Row(each).ReadAndClearAsync();
    }

    /// <summary>The entries, newest first.</summary>
    public async Task<IReadOnlyList<HistoryEntry>> ListAsync()
    {
        var (stored, _) = await ReadIndexAsync();
        var pending = Enumerable.Reverse(_pending).Select(each => each.EntryIn(slot: -1)).ToArray();
        return [.. Retained([.. pending, .. stored.Where(each => pending.All(other => other.Id != each.Id))])];
    }

    /// <summary>An entry with its bytes; null when there is none, or its bytes were never stored.</summary>
    /// <exception cref="FrameException">Its bytes are damaged.</exception>
    /// <exception cref="JsonException">Its row holds something else.</exception>
    public async Task<HistoryBundle?> ReadAsync(string id)
    {
        if (_pending.Find(each => each.Id == id) is { } pending) return pending;
        if ((await ListAsync()).FirstOrDefault(each => each.Id == id) is not { } entry) return null;
        if (await Row(entry.Slot).ReadAsync() is not { } bytes) return null;
        var (found, bundle) = HistoryBundle.Decode(owner, bytes);
        return found.Id == id ? bundle : null;
    }

    /// <summary>Deletes an entry. False when there is none. Fails as a whole or can be tried again: the line goes last.</summary>
    public async Task<bool> DropAsync(string id)
    {
        var isPending = _pending.RemoveAll(each => each.Id == id) > 0;
        var (entries, _) = await ReadIndexAsync();
        if (entries.FirstOrDefault(each => each.Id == id) is not { } entry) return isPending;
        await Row(entry.Slot).ReadAndClearAsync();
        await ChangeIndexAsync(each => each.Any(other => other.Id == id) ? [.. each.Where(other => other.Id != id)] : null);
        return true;
    }

    /// <summary>Drops the oldest entry that may leave before its time. Unreadable rows may not.</summary>
    /// <returns>The bytes freed; 0 when there is none.</returns>
    public async Task<long> FreeAsync()
    {
        var oldest = (await ListAsync()).LastOrDefault(each => each.Slot >= 0 && each.Reason is not HistoryReason.Unreadable);
        return oldest is not null && await DropAsync(oldest.Id) ? Math.Max(1, oldest.Length) : 0;
    }

    /// <summary>Takes over what another activation had not stored yet.</summary>
    public void Restore(IEnumerable<HistoryBundle> pending)
    {
        _pending.Clear();
        _pending.AddRange(pending);
    }

    private IEnumerable<HistoryEntry> Retained(IEnumerable<HistoryEntry> newestFirst) =>
        retention.Keep(newestFirst, each => each.Reason, each => each.At, clock.GetUtcNow());

    // One for each call: its etag has to be that of what the call has read.
    private StoredRow Row(int slot) => new(storage, owner, $"{IndexName}-{slot}");

    private StoredRow Index() => new(storage, owner, IndexName);

    private async Task<(List<HistoryEntry> Entries, StoredRow Row)> ReadIndexAsync()
    {
        var index = Index();
        var entries = await index.ReadAsync() is not { } bytes ? [] : Decode(bytes) ?? await RebuildAsync();
        Count(entries);
        return (entries, index);
    }

    /// <summary>Writes nothing where <paramref name="change"/> returns null.</summary>
    private async Task ChangeIndexAsync(Func<List<HistoryEntry>, List<HistoryEntry>?> change)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (entries, index) = await ReadIndexAsync();
            if (change(entries) is not { } changed) return;
            try
            {
                await index.WriteAsync(SliceFrame.Encode(
                    JsonSerializer.SerializeToUtf8Bytes(changed, HistoryJson.Default.ListHistoryEntry),
                    schemaVersion: 1, compressionThreshold: 1024));
                Count(changed);
                return;
            }
            catch (InconsistentStateException overtaken)
            {
                // Somebody else's entry came between. In the end not with the storage's own exception,
                // which would cost the activation.
                if (attempt == Tries) throw new IOException($"The history of {owner} is being written by others.", overtaken);
            }
        }
    }

    private void Count(List<HistoryEntry> entries)
    {
        Bytes = entries.Sum(each => (long)each.Length);
        FreeableBytes = entries.Where(each => each.Reason is not HistoryReason.Unreadable).Sum(each => (long)each.Length);
    }

    private static List<HistoryEntry>? Decode(byte[] bytes)
    {
        try
        {
            var entries = JsonSerializer.Deserialize(SliceFrame.Decode(bytes).Body.Span, HistoryJson.Default.ListHistoryEntry);
            return entries is null || entries.Contains(null!)
                || entries.Any(each => each.Slot is < 0 or >= HistoryRetention.Slots) ? null : entries;
        }
        catch (Exception damage) when (SessionStore.IsDamage(damage))
        {
            return null;
        }
    }

    // The index is damaged: each row says which entry it is. A row that is damaged as well loses its
    // line, and its place to the next.
    private async Task<List<HistoryEntry>> RebuildAsync()
    {
        var entries = new List<HistoryEntry>();
        for (var slot = 0; slot < HistoryRetention.Slots; slot++)
        {
            if (await Row(slot).ReadAsync() is not { } bytes) continue;
            try
            {
                entries.Add(HistoryBundle.Decode(owner, bytes).Entry with { Slot = slot });
            }
            catch (Exception damage) when (SessionStore.IsDamage(damage))
            {
            }
        }
        return [.. entries.OrderByDescending(each => each.At).ThenByDescending(each => each.Slot)];
    }
}
