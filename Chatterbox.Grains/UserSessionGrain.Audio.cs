using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Grains;

/// <summary>
/// The session's audio. Clips are held in the user's ledger before a state that refers to them is written, and released after one
/// that does not is durable: whatever dies in between, the ledger knows of too many references and never of too few.
/// </summary>
internal sealed partial class UserSessionGrain : IClipHolder
{
    /// <summary>For so long the deletion of a clip may be under way: longer than any call takes.</summary>
    private static readonly TimeSpan Condemned = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, DateTimeOffset> _condemned = new(StringComparer.Ordinal);
    private readonly Turns _tellingLedger = new();
    private readonly Turns _admitting = new();

    /// <summary>What the ledger has this session hold; null when that has to be asked.</summary>
    private HashSet<string>? _held;

    private long _heldEpoch;

    /// <summary>The slices that <see cref="_held"/> is up to date with.</summary>
    private (ValueList<Chunk> Chunks, ValueList<SavedVoice> Voices) _tidied;

    private IGrainTimer? _tidyTimer;
    private DateTimeOffset? _lastSaved;
    private long _lastWrites;

    private SessionId Id => SessionId.TryParse(Key, out var id) ? id : throw new SessionUnknownException(Rejection.OfText("session", Key, "user/store"));

    private IAudioLedgerGrain Ledger => GrainFactory.GetGrain<IAudioLedgerGrain>(Id.UserId);

    private long QuotaBytes => configs.Find(Id.Store)!.QuotaBytes;

    private long SliceBytes => _store.Describe(_log.State).Sum(slice => (long)slice.Bytes);

    public async Task<ClipAdmission> AdmitClipAsync(string hash, long length)
    {
        if (ReadOnly is { } why) return new(new("session", "read-only", why));
        var used = await _admitting.RunAsync(async () =>
        {
            var over = await TryAdmitAsync(hash, length);
            return over is not null && await MakeRoomAsync(over.Value + length - QuotaBytes) ? await TryAdmitAsync(hash, length) : over;
        });
        if (used is not null)
        {
            var exceeded = new QuotaExceeded(used.Value, length, QuotaBytes);
            return new(exceeded.ToRejection(), exceeded);
        }
        _condemned.Remove(hash);
        return new();
    }

    public async Task<ClipReferences> FindReferencesAsync(ValueList<string> hashes, bool forRoom)
    {
        var stored = await Task.WhenAll(ReadBodyAsync("chunks"), ReadBodyAsync("savedVoices"));
        var copies = await Task.WhenAll((forRoom ? [] : await ListCopiesAsync()).Select(ReadBodyAsync));

        // From here on without a pause: what is not referred to now will not be before it is deleted.
        var inMemory = QuotaCleanUp.ClipsOf(_log.State).Select(audio => audio.Hash).ToHashSet(StringComparer.Ordinal);
        var held = hashes.Where(hash => inMemory.Contains(hash) || stored.Any(row => row.Mentions(hash))).ToValueList();
        var kept = hashes.Except(held).Where(hash => stored.Concat(copies).Any(row => row.IsDamaged || row.Mentions(hash))).ToValueList();
        var now = clock.GetUtcNow();
        foreach (var over in _condemned.Where(each => each.Value <= now).Select(each => each.Key).ToArray()) _condemned.Remove(over);
        foreach (var hash in hashes.Except(held).Except(kept)) _condemned[hash] = now + Condemned;
        return new(held, kept);
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

    private void StartAudio()
    {
        _log.Guard = RefuseCondemned;
        // Whoever was here before may have died between a save and what the ledger was to be told of it.
        _tidyTimer = this.RegisterGrainTimer(TidyAsync, new GrainTimerCreationOptions(_options.WriteDelay, Timeout.InfiniteTimeSpan) { Interleave = true });
    }

    private async Task WriteAsync(SessionMoment moment)
    {
        if (ReadOnly is null && !IsTidied(moment.State)) await _tellingLedger.RunAsync(() => HoldClipsAsync(moment.State));
        await _store.SaveAsync(moment);
    }

    private async Task WrittenAsync(SessionMoment durable)
    {
        if (_store.RowWrites != _lastWrites) (_lastSaved, _lastWrites) = (clock.GetUtcNow(), _store.RowWrites);
        if (!IsTidied(durable.State)) await _tellingLedger.RunAsync(() => ReleaseClipsAsync(durable.State));
    }

    private async Task HoldClipsAsync(AppState state)
    {
        var used = QuotaCleanUp.ClipsOf(state).DistinctBy(audio => audio.Hash).ToArray();
        if (used.Length == 0) return;
        var held = await GetHeldAsync();
        var added = used.Where(audio => !held.Contains(audio.Hash)).Select(audio => new ClipUse(audio.Hash, audio.Length)).ToValueList();
        if (added.Count == 0) return;
        await Ledger.HoldAsync(Id.Store, added);
        held.UnionWith(added.Select(clip => clip.Hash));
    }

    // Its failure costs nothing but room: the next save tries again, and so does the next activation.
    private async Task ReleaseClipsAsync(AppState durable)
    {
        try
        {
            var held = await GetHeldAsync();
            // What has been applied and not saved yet refers to clips as well.
            var used = QuotaCleanUp.ClipsOf(durable).Concat(QuotaCleanUp.ClipsOf(_log.State)).Select(audio => audio.Hash).ToHashSet(StringComparer.Ordinal);
            var dropped = held.Where(hash => !used.Contains(hash)).ToValueList();
            if (dropped.Count > 0)
            {
                // First: a hold that follows must not take for held what is being released.
                held.ExceptWith(dropped);
                await Ledger.ReleaseAsync(Id.Store, dropped);
            }
            _tidied = (durable.Chunks, durable.SavedVoices);
        }
        catch (Exception failure)
        {
            _held = null;
            LogNotReleased(Key, failure.Message);
        }
    }

    private bool IsTidied(AppState state) => _held is not null && _heldEpoch == _log.Epoch
        && ReferenceEquals(state.Chunks, _tidied.Chunks) && ReferenceEquals(state.SavedVoices, _tidied.Voices);

    // Another epoch means that somebody else may have written, and told the ledger so.
    private async Task<HashSet<string>> GetHeldAsync()
    {
        if (_heldEpoch != _log.Epoch) (_held, _heldEpoch, _tidied) = (null, _log.Epoch, default);
        return _held ??= (await Ledger.GetHeldAsync(Id.Store)).ToHashSet(StringComparer.Ordinal);
    }

    private async Task TidyAsync(CancellationToken cancellationToken)
    {
        _tidyTimer?.Dispose();
        _tidyTimer = null;
        // With something to save, the save will do it.
        if (ReadOnly is null && _log.DurableRevision == _log.Revision && _writer.IsIdle) await WrittenAsync(_log.Moment);
    }

    /// <summary>Null when the clip is admitted, otherwise how many bytes the session uses.</summary>
    private async Task<long?> TryAdmitAsync(string hash, long length)
    {
        var slices = SliceBytes;
        return await Ledger.AdmitAsync(Id.Store, hash, length, QuotaBytes - slices) is { } audio ? audio + slices : null;
    }

    /// <summary>
    /// Deletes clips that nothing refers to before their time; where that is not enough, also lets go of the audio of the oldest work
    /// sessions. Where even that would not be enough, nothing is done.
    /// </summary>
    private async Task<bool> MakeRoomAsync(long bytes)
    {
        var spare = (await Ledger.GetUsageAsync(Id.Store)).UnreferencedBytes;
        if (bytes > spare)
        {
            if (QuotaCleanUp.Plan(_log.State, bytes - spare) is null) return false;
            await KeepLastGoodAsync("a quota clean-up");
            // Again, since the state may have changed meanwhile.
            if (QuotaCleanUp.Plan(_log.State, bytes - spare) is not { } plan) return false;
            ApplyOwn(plan.SelectMany(session => session.ChunkIds).Select(id => new SetChunkStatus(id, WorkStatus.Pending)));
            LogCleanedUp(Key, plan.Count, plan.Sum(session => session.Bytes));
            var failure = await _writer.FlushAsync();
            if (failure is null) await Ledger.CollectAsync(Id.Store);
            var used = SliceBytes + (await Ledger.GetUsageAsync(Id.Store)).TotalBytes;
            _feed.Publish(_log.Epoch, new QuotaCleanedUp(plan.ToValueList(), plan.Sum(session => session.Bytes), used, QuotaBytes));
            return failure is null;
        }
        return await Ledger.CollectAsync(Id.Store) > 0;
    }

    private Rejection? RefuseCondemned(AppStateChange change)
    {
        var hash = change switch
        {
            CompleteChunk complete => complete.Audio?.Hash,
            UpsertChunk upsert => upsert.Chunk?.Audio?.Hash,
            UpsertVoice upsert => upsert.Voice?.Prompt?.Hash,
            _ => null,
        };
        return hash is not null && _condemned.TryGetValue(hash, out var until) && until > clock.GetUtcNow()
            ? Rejection.OfText("audio.hash", hash, "a clip that is stored; this one is being deleted, since nothing referred to it: upload it again")
            : null;
    }

    // The rows that hold states which may be put back. Read by name, not by schema: old and newer ones count as well.
    private async Task<IEnumerable<string>> ListCopiesAsync()
    {
        var quarantined = await new Quarantine(storage, this.GetGrainId(), clock).ListAsync();
        return ["last-good", "before", .. quarantined.Where(entry => entry.Kind is not QuarantineKind.Migrated).Select(entry => $"quarantine-{entry.Id}")];
    }

    private async Task<RowBody> ReadBodyAsync(string row)
    {
        if (await new StoredRow(storage, this.GetGrainId(), row).ReadAsync() is not { } bytes) return default;
        try
        {
            return new(SliceFrame.Decode(bytes).Body, IsDamaged: false);
        }
        catch (FrameException)
        {
            return new(default, IsDamaged: true);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Session {Session} could not tell which audio it has let go of: {Reason}")]
    private partial void LogNotReleased(string session, string reason);

    [LoggerMessage(LogLevel.Information, "Session {Session} is over its quota: {Count} work session(s) lose {Bytes} bytes of audio")]
    private partial void LogCleanedUp(string session, int count, long bytes);

    /// <summary>A row's content, looked at as text: a hash is found there whatever the schema.</summary>
    private readonly record struct RowBody(ReadOnlyMemory<byte> Body, bool IsDamaged)
    {
        public bool Mentions(string hash) => Body.Span.IndexOf(System.Text.Encoding.ASCII.GetBytes(hash)) >= 0;
    }
}
