using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace Chatterbox.Grains.Audio;

/// <summary>A session's stored size, and the clean-up when it exceeds the quota.</summary>
internal sealed partial class SessionQuota(
    SessionId id, GrainId owner, PersistConfig config, Func<Session.Session> session, SessionClips clips, IGrainStorage storage,
    IGrainFactory grains, Action<SessionEvent> publish, ILogger logger)
{
    private readonly Turns _admitting = new();

    private IAudioLedgerGrain Ledger => grains.GetGrain<IAudioLedgerGrain>(AudioLedgerKey.For(id.UserId));

    private SessionState State => session().Log.State;

    private long SliceBytes => session().Rows.Describe(State).Sum(slice => (long)slice.Bytes);

    public async Task<ClipAdmission> AdmitClipAsync(string hash, long length)
    {
        if (session().ReadOnly is { } why) return new(new("session", why, "writable"));
        var admission = await _admitting.RunAsync(() => AdmitAsync(new(hash, length)));
        if (admission.Clips is { } count)
        {
            return new(new("audio", $"{count + 1}", $"at most {AudioLedgerGrain.MostClips} clips"));
        }
        if (admission.Used is not { } used) return new();
        var exceeded = new QuotaExceeded(used, length, config.QuotaBytes);
        return new(exceeded.ToRejection(), exceeded);
    }

    public async Task<StorageInfo> GetStorageInfoAsync()
    {
        var bodies = await Task.WhenAll(session().App.Stored.Select(async slice =>
            await new StoredRow(storage, owner, slice.Name).ReadAsync() is { } row
                ? SliceFrame.TryReadBody(row)?.Length ?? 0L : 0L));
        var audio = await Ledger.GetUsageAsync(id.Store, clips.References);
        var history = await session().History.ListAsync();
        var slices = session().Rows.Describe(State)
            .Zip(bodies, (slice, bytes) => new SliceStorage(slice.Slice, slice.Items, slice.Bytes, bytes)).ToValueList();
        var (stored, before) = (slices.Sum(slice => slice.StoredBytes), slices.Sum(slice => slice.Bytes));
        var (changes, writes, historyBytes) =
            (session().Log.Changes, session().Rows.RowWrites, history.Sum(each => (long)each.Length));
        return new()
        {
            Session = $"{id}",
            Slices = slices,
            Audio = audio,
            HistoryEntries = history.Count,
            HistoryBytes = historyBytes,
            UsedBytes = stored + historyBytes + audio.TotalBytes,
            QuotaBytes = config.QuotaBytes,
            CompressionRatio = stored == 0 ? 1 : (double)before / stored,
            Changes = changes,
            Writes = writes,
            ChangesPerWrite = writes == 0 ? 0 : (double)changes / writes,
            LastSaved = session().LastSaved,
        };
    }

    /// <summary>
    /// Admits the clip, after making room for it if needed and possible. It frees, in this order: clips without references;
    /// history, oldest first; clips that only the rest of the history refers to; the audio of the oldest work sessions and of
    /// chunks in none. Each step can be repeated after a failure.
    /// </summary>
    private async Task<LedgerAdmission> AdmitAsync(ClipUse clip)
    {
        if (session().History.Bytes is null) await session().History.ListAsync();
        var admission = await TryAdmitAsync(clip);
        if (admission.Used is null || !await IsEnoughAsync()) return admission;
        if (await FreeClipsAsync(history: true) > 0 && (admission = await TryAdmitAsync(clip)).Used is null) return admission;
        if (!await IsEnoughAsync()) return admission;
        while (await session().History.FreeAsync() > 0)
        {
            await FreeClipsAsync(history: true);
            if ((admission = await TryAdmitAsync(clip)).Used is null) return admission;
        }
        if (await FreeClipsAsync(history: false) > 0 && (admission = await TryAdmitAsync(clip)).Used is null) return admission;

        if (Plan(admission) is not { Bytes: > 0 } plan) return admission;
        await CleanUpAsync(plan);
        return await TryAdmitAsync(clip);

        async Task<bool> IsEnoughAsync() =>
            Plan(admission, session().History.FreeableBytes
                + (await Ledger.GetUsageAsync(id.Store, clips.References)).UnreferencedBytes) is not null;

        CleanUpPlan? Plan(LedgerAdmission over, long freed = 0) =>
            config.App.PlanCleanUp(State, over.Used!.Value + clip.Length - config.QuotaBytes - freed);
    }

    private long HistoryBytes => session().History.Bytes ?? 0;

    private async Task<LedgerAdmission> TryAdmitAsync(ClipUse clip)
    {
        var others = SliceBytes + HistoryBytes;
        var admission = await Ledger.AdmitAsync(id.Store, clip, clips.References, config.QuotaBytes - others);
        return admission with { Used = admission.Used + others };
    }

    private Task<int> FreeClipsAsync(bool history) => Ledger.FreeAsync(id.Store, clips.References, history);

    private async Task CleanUpAsync(CleanUpPlan plan)
    {
        session().Keep(HistoryReason.BeforeCleanUp, "before a quota clean-up", State, session().Log.Revision);
        session().ApplyOwn(plan.Changes);
        LogCleanedUp(owner, plan.Cleaned.Count, plan.LooseItems.Count, plan.Bytes);
        ChatterboxInstruments.QuotaCleanUps.Add(1);
        ChatterboxInstruments.QuotaBytesFreed.Add(plan.Bytes);
        // Until that is durable, the stored rows still refer to the clips.
        var failure = (await session().FlushAsync()).Failure;
        var audio = await Ledger.GetUsageAsync(id.Store, clips.References);
        var left = SliceBytes + HistoryBytes + audio.TotalBytes - audio.UnreferencedBytes;
        publish(new QuotaCleanedUp(plan.Cleaned, plan.Bytes, left, config.QuotaBytes) { LooseChunkIds = plan.LooseItems });
        if (failure is not null) throw new IOException($"Audio was dropped to make room, which is not saved yet: {failure}");
        await FreeClipsAsync(history: false);
    }

    [LoggerMessage(LogLevel.Information,
        "Session {Session} is over its quota: {Count} work session(s) and {Loose} chunk(s) in none lose {Bytes} bytes of audio")]
    private partial void LogCleanedUp(GrainId session, int count, int loose, long bytes);
}
