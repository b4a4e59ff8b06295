using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Grains;

/// <summary>How much the session has stored, and what is done when it becomes too much.</summary>
internal sealed partial class UserSessionGrain
{
    private readonly Turns _admitting = new();
    private DateTimeOffset? _lastSaved;
    private long _lastWrites;

    private long QuotaBytes => configs.Find(Id.Store)!.QuotaBytes;

    private long SliceBytes => _store.Describe(_log.State).Sum(slice => (long)slice.Bytes);

    /// <summary>Bytes of the history's rows. None are counted yet: the history's owner returns them here.</summary>
    private static long HistoryBytes => 0;

    public async Task<ClipAdmission> AdmitClipAsync(string hash, long length)
    {
        if (ReadOnly is { } why) return new(new("session", "read-only", why));
        var admission = await _admitting.RunAsync(() => AdmitAsync(new(hash, length)));
        if (admission.Clips is { } clips)
        {
            return new(new("audio", $"one more beside {clips} clips", $"at most {AudioLedgerGrain.MostClips} clips"));
        }
        if (admission.Used is not { } used) return new();
        var exceeded = new QuotaExceeded(used, length, QuotaBytes);
        return new(exceeded.ToRejection(), exceeded);
    }

    public async Task<StorageInfo> GetStorageInfoAsync()
    {
        var bodies = (await Task.WhenAll(SliceDefinition.All.Select(slice => ReadBodyAsync(slice.Name)))).Select(row => (long)row.Body.Length).ToArray();
        var audio = await Ledger.GetUsageAsync(Id.Store, References);
        var slices = _store.Describe(_log.State).Zip(bodies, (slice, bytes) => new SliceStorage(slice.Slice, slice.Items, slice.Bytes, bytes)).ToValueList();
        var (stored, before) = (slices.Sum(slice => slice.StoredBytes), slices.Sum(slice => slice.Bytes));
        return new()
        {
            Session = $"{Id}",
            Slices = slices,
            Audio = audio,
            UsedBytes = stored + HistoryBytes + audio.TotalBytes,
            QuotaBytes = QuotaBytes,
            CompressionRatio = stored == 0 ? 1 : (double)before / stored,
            Changes = _log.Changes,
            Writes = _store.RowWrites,
            ChangesPerWrite = _store.RowWrites == 0 ? 0 : (double)_log.Changes / _store.RowWrites,
            LastSaved = _lastSaved,
        };
    }

    private void NoteSaved()
    {
        if (_store.RowWrites != _lastWrites) (_lastSaved, _lastWrites) = (clock.GetUtcNow(), _store.RowWrites);
    }

    /// <summary>
    /// Admits the clip, and makes room for it first if that is needed and enough: by clips that nothing refers to; by history,
    /// oldest first; by clips that only the rest of the history refers to; by the audio of the oldest work sessions and of
    /// chunks in none. Each step can be repeated after a failure.
    /// </summary>
    private async Task<LedgerAdmission> AdmitAsync(ClipUse clip)
    {
        var admission = await TryAdmitAsync(clip);
        if (admission.Used is null || !await IsEnoughAsync()) return admission;
        if (await FreeClipsAsync(history: true) > 0 && (admission = await TryAdmitAsync(clip)).Used is null) return admission;
        if (!await IsEnoughAsync()) return admission;
        while (await FreeHistoryAsync(bytes: 1) > 0)
        {
            await FreeClipsAsync(history: true);
            if ((admission = await TryAdmitAsync(clip)).Used is null) return admission;
        }
        if (await FreeClipsAsync(history: false) > 0 && (admission = await TryAdmitAsync(clip)).Used is null) return admission;

        if (Plan(admission) is not { Bytes: > 0 }) return admission;
        (await KeepLastGoodAsync("a quota clean-up")).Dispose();
        // Again, since the state may have changed meanwhile.
        if (Plan(admission) is not { Bytes: > 0 } plan) return admission;
        await CleanUpAsync(plan);
        return await TryAdmitAsync(clip);

        async Task<bool> IsEnoughAsync() =>
            Plan(admission, HistoryBytes + (await Ledger.GetUsageAsync(Id.Store, References)).UnreferencedBytes) is not null;

        QuotaPlan? Plan(LedgerAdmission over, long freed = 0) =>
            QuotaCleanUp.Plan(_log.State, over.Used!.Value + clip.Length - QuotaBytes - freed);
    }

    private async Task<LedgerAdmission> TryAdmitAsync(ClipUse clip)
    {
        var others = SliceBytes + HistoryBytes;
        var admission = await Ledger.AdmitAsync(Id.Store, clip, References, QuotaBytes - others);
        return admission with { Used = admission.Used + others };
    }

    private Task<int> FreeClipsAsync(bool history) => Ledger.FreeAsync(Id.Store, References, history);

    /// <summary>
    /// Drops entries of the history, oldest first, until their rows have freed so many bytes, at least one. The clips that only
    /// they referred to are freed afterwards.
    /// </summary>
    /// <returns>The bytes freed; 0 when there is no entry left.</returns>
    private static Task<long> FreeHistoryAsync(long bytes) => Task.FromResult(0L);

    private async Task CleanUpAsync(QuotaPlan plan)
    {
        ApplyOwn(plan.ChunkIds.Select(id => new SetChunkStatus(id, WorkStatus.Pending)));
        LogCleanedUp(Key, plan.WorkSessions.Count, plan.LooseChunks.Count, plan.Bytes);
        ChatterboxInstruments.QuotaCleanUps.Add(1);
        ChatterboxInstruments.QuotaBytesFreed.Add(plan.Bytes);
        // Until that is durable, the stored rows still refer to the clips.
        var failure = await _writer.FlushAsync();
        var audio = await Ledger.GetUsageAsync(Id.Store, References);
        var left = SliceBytes + HistoryBytes + audio.TotalBytes - audio.UnreferencedBytes;
        var cleaned = new QuotaCleanedUp(plan.WorkSessions, plan.Bytes, left, QuotaBytes) { LooseChunkIds = plan.LooseChunks };
        _feed.Publish(_log.Epoch, cleaned);
        if (failure is not null) throw new IOException($"Audio was dropped to make room, which is not saved yet: {failure}");
        await FreeClipsAsync(history: false);
    }

    [LoggerMessage(LogLevel.Information,
        "Session {Session} is over its quota: {Count} work session(s) and {Loose} chunk(s) in none lose {Bytes} bytes of audio")]
    private partial void LogCleanedUp(string session, int count, int loose, long bytes);
}
