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

    public async Task<ClipAdmission> AdmitClipAsync(string hash, long length)
    {
        if (ReadOnly is { } why) return new(new("session", "read-only", why));
        if (await _admitting.RunAsync(() => AdmitAsync(hash, length)) is { } used)
        {
            var exceeded = new QuotaExceeded(used, length, QuotaBytes);
            return new(exceeded.ToRejection(), exceeded);
        }
        _condemned.Remove(hash);
        return new();
    }

    public async Task<StorageInfo> GetStorageInfoAsync()
    {
        var bodies = (await Task.WhenAll(SliceDefinition.All.Select(slice => ReadBodyAsync(slice.Name)))).Select(row => (long)row.Body.Length).ToArray();
        var audio = await Ledger.GetUsageAsync(Id.Store);
        var slices = _store.Describe(_log.State).Zip(bodies, (slice, bytes) => new SliceStorage(slice.Slice, slice.Items, slice.Bytes, bytes)).ToValueList();
        var (stored, before) = (slices.Sum(slice => slice.StoredBytes), slices.Sum(slice => slice.Bytes));
        return new()
        {
            Session = Key,
            Slices = slices,
            Audio = audio,
            UsedBytes = stored + audio.TotalBytes,
            QuotaBytes = QuotaBytes,
            CompressionRatio = stored == 0 ? 1 : (double)before / stored,
            Changes = _log.Changes,
            Writes = _store.RowWrites,
            ChangesPerWrite = _store.RowWrites == 0 ? 0 : (double)_log.Changes / _store.RowWrites,
            LastSaved = _lastSaved,
        };
    }

    /// <summary>
    /// Null when the clip is admitted, otherwise how many bytes the session uses. For room, clips that nothing refers to go before
    /// their time; then the oldest work sessions lose their audio. Where even that would not be enough, nothing is done.
    /// </summary>
    private async Task<long?> AdmitAsync(string hash, long length)
    {
        if (await TryAdmitAsync(hash, length) is not { } used) return null;
        // What was let go of and not noted yet, after a failure, counts as room: or more would be let go of for it.
        if (!IsTidied(_log.State)) await TellLedgerAsync();
        var spare = (await Ledger.GetUsageAsync(Id.Store)).UnreferencedBytes;
        if (Plan(used - spare) is null) return used;

        while (spare > 0 && await Ledger.CollectAsync(Id.Store) > 0)
        {
            if (await TryAdmitAsync(hash, length) is not { } left) return null;
            used = left;
        }
        if (Plan(used) is not { Count: > 0 }) return used;
        await KeepLastGoodAsync("a quota clean-up");
        // Again, since the state may have changed meanwhile.
        if (Plan(used) is not { Count: > 0 } plan) return used;
        await CleanUpAsync(plan);
        return await TryAdmitAsync(hash, length);

        IReadOnlyList<CleanedWorkSession>? Plan(long inUse) => QuotaCleanUp.Plan(_log.State, inUse + length - QuotaBytes);
    }

    /// <summary>Null when the clip is admitted, otherwise how many bytes the session uses.</summary>
    private async Task<long?> TryAdmitAsync(string hash, long length)
    {
        var slices = SliceBytes;
        return await Ledger.AdmitAsync(Id.Store, hash, length, QuotaBytes - slices) is { } audio ? audio + slices : null;
    }

    private async Task CleanUpAsync(IReadOnlyList<CleanedWorkSession> plan)
    {
        var freed = plan.Sum(session => session.Bytes);
        ApplyOwn(plan.SelectMany(session => session.ChunkIds).Select(id => new SetChunkStatus(id, WorkStatus.Pending)));
        LogCleanedUp(Key, plan.Count, freed);
        ChatterboxInstruments.QuotaCleanUps.Add(1);
        ChatterboxInstruments.QuotaBytesFreed.Add(freed);
        await TellLedgerAsync();

        var audio = await Ledger.GetUsageAsync(Id.Store);
        _feed.Publish(_log.Epoch, new QuotaCleanedUp(plan.ToValueList(), freed, SliceBytes + audio.TotalBytes - audio.UnreferencedBytes, QuotaBytes));
        while (await Ledger.CollectAsync(Id.Store) > 0) { }
    }

    /// <summary>Returns once the ledger knows what the session refers to, and what no more.</summary>
    /// <exception cref="IOException">It cannot be told: storage is failing.</exception>
    private async Task TellLedgerAsync()
    {
        if (await _writer.FlushAsync() is { } failure) throw new IOException($"Audio is let go of to make room, but that could not be saved yet: {failure}");
        if (_log.DurableRevision == _log.Revision) await WrittenAsync(_log.Moment);
        if (_held is null) throw new IOException("Audio is let go of to make room, but that could not be noted in the user's ledger yet.");
    }

    [LoggerMessage(LogLevel.Information, "Session {Session} is over its quota: {Count} work session(s) lose {Bytes} bytes of audio")]
    private partial void LogCleanedUp(string session, int count, long bytes);
}
