using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Grains;

/// <summary>
/// The session's audio. Clips are held in the user's ledger before a state that refers to them counts as saved, and released after one
/// that does not is durable: whatever dies in between, the ledger knows of too many references, and of those that it does not know
/// the session tells it when it is loaded or asked.
/// </summary>
internal sealed partial class UserSessionGrain : IClipHolder
{
    /// <summary>For so long the deletion of a clip may be under way: longer than any call takes.</summary>
    private static readonly TimeSpan Condemned = TimeSpan.FromMinutes(1);

    private const int LookedAtAtOnce = 16;

    private readonly Dictionary<string, DateTimeOffset> _condemned = new(StringComparer.Ordinal);
    private readonly Turns _tellingLedger = new();

    /// <summary>Clips of a state that was loaded or put back: those that the ledger does not hold may have been let go of meanwhile.</summary>
    private readonly HashSet<string> _putBack = new(StringComparer.Ordinal);

    /// <summary>Those of them that it did not hold, until they have been looked at.</summary>
    private readonly HashSet<string> _unsure = new(StringComparer.Ordinal);

    /// <summary>What the ledger has this session hold; null when that has to be asked.</summary>
    private HashSet<string>? _held;

    private long _heldEpoch;

    /// <summary>The slices that <see cref="_held"/> is up to date with.</summary>
    private (ValueList<Chunk> Chunks, ValueList<SavedVoice> Voices) _tidied;

    private IGrainTimer? _tidyTimer;

    private SessionId Id => SessionId.TryParse(Key, out var id) ? id : throw new SessionUnknownException(Rejection.OfText("session", Key, "user/store"));

    private IAudioLedgerGrain Ledger => GrainFactory.GetGrain<IAudioLedgerGrain>(Id.UserId);

    public async Task<ClipReferences> FindReferencesAsync(ValueList<string> hashes, bool forRoom)
    {
        var stored = await Task.WhenAll(SliceDefinition.All.Select(slice => ReadBodyAsync(slice.Name)));
        var copies = await Task.WhenAll((forRoom ? [] : await ListCopiesAsync()).Select(ReadBodyAsync));

        // From here on without a pause: what is not referred to now will not be before it is deleted.
        var inMemory = QuotaCleanUp.ClipsOf(_log.State).Concat(QuotaCleanUp.ClipsOf(_saver.Saving ?? AppState.Initial))
            .Select(audio => audio.Hash).ToHashSet(StringComparer.Ordinal);
        var held = hashes.Where(hash => inMemory.Contains(hash) || stored.Any(row => row.Mentions(hash))).ToValueList();
        var kept = hashes.Except(held).Where(hash => stored.Concat(copies).Any(row => row.IsDamaged || row.Mentions(hash))).ToValueList();
        var now = clock.GetUtcNow();
        foreach (var over in _condemned.Where(each => each.Value <= now).Select(each => each.Key).ToArray()) _condemned.Remove(over);
        foreach (var hash in hashes.Except(held).Except(kept)) _condemned[hash] = now + Condemned;
        // The ledger knows better from now on: it is asked before the next save.
        if (held.Count > 0) _held = null;
        return new(held, kept);
    }

    private void StartAudio()
    {
        _log.Guard = RefuseCondemned;
        _putBack.UnionWith(QuotaCleanUp.ClipsOf(_log.State).Select(audio => audio.Hash));
        // Whoever was here before may have died between a save and what the ledger was to be told of it.
        ArmTidy(_options.WriteDelay);
    }

    private void ArmTidy(TimeSpan wait)
    {
        if (_tidyTimer is not null) _tidyTimer.Change(wait, Timeout.InfiniteTimeSpan);
        else _tidyTimer = this.RegisterGrainTimer(TidyAsync, new GrainTimerCreationOptions(wait, Timeout.InfiniteTimeSpan) { Interleave = true });
    }

    private Task HoldAsync(SessionMoment moment) =>
        IsTidied(moment.State) ? Task.CompletedTask : _tellingLedger.RunAsync(() => HoldClipsAsync(moment.State));

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
        await HoldAsync(used.Where(audio => !held.Contains(audio.Hash)), held);
    }

    private async Task HoldAsync(IEnumerable<AudioRef> clips, HashSet<string> held)
    {
        var added = clips.Select(audio => new ClipUse(audio.Hash, audio.Length)).ToValueList();
        if (added.Count == 0) return;
        await Ledger.HoldAsync(Id.Store, added);
        held.UnionWith(added.Select(clip => clip.Hash));
    }

    // Its failure costs nothing but room, for a while.
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
            ArmTidy(_options.MaxRetryDelay);
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
        if (ReadOnly is not null) return;
        await LookAsync();
        // With something to save, the save will do it.
        if (_log.DurableRevision == _log.Revision && _writer.IsIdle) await WrittenAsync(_log.Moment);
    }

    /// <summary>
    /// A state that was put back may refer to clips that were let go of meanwhile: chunks without them are interrupted, ready to run
    /// again, and voices lose their recording. Does not throw: what could not be looked at is looked at again.
    /// </summary>
    /// <returns>What was found missing, in words.</returns>
    private Task<IEnumerable<string>> MendAsync()
    {
        _putBack.UnionWith(QuotaCleanUp.ClipsOf(_log.State).Select(audio => audio.Hash));
        return LookAsync();
    }

    private async Task<IEnumerable<string>> LookAsync()
    {
        try
        {
            var gone = await _tellingLedger.RunAsync(FindGoneAsync);
            if (gone.Count == 0) return [];
            bool IsGone(AudioRef? audio) => audio is not null && gone.Contains(audio.Hash);
            var chunks = _log.State.Chunks.Where(chunk => IsGone(chunk.Audio)).ToArray();
            var voices = _log.State.SavedVoices.Where(voice => IsGone(voice.Prompt)).ToArray();
            ApplyOwn([
                .. chunks.Select(chunk => new SetChunkStatus(chunk.Id, WorkStatus.Interrupted)),
                .. voices.Select(voice => new UpsertVoice(voice with { Prompt = null })),
            ]);
            return [
                .. chunks.Select(chunk => $"chunk {chunk.Id}: its audio is not stored any more, it is interrupted, ready to run again"),
                .. voices.Select(voice => $"voice {voice.Id}: its recording is not stored any more, it comes without"),
            ];
        }
        catch (Exception failure)
        {
            LogNotMended(Key, failure.Message);
            ArmTidy(_options.MaxRetryDelay);
            return [];
        }
    }

    // What the ledger has held all along is there. The rest is held first, so that what is found then cannot go.
    private async Task<HashSet<string>> FindGoneAsync()
    {
        var held = await GetHeldAsync();
        _unsure.UnionWith(_putBack.Except(held));
        _putBack.Clear();
        var clips = QuotaCleanUp.ClipsOf(_log.State).Where(audio => _unsure.Contains(audio.Hash)).DistinctBy(audio => audio.Hash).ToArray();
        await HoldAsync(clips, held);

        var gone = new HashSet<string>(StringComparer.Ordinal);
        foreach (var some in clips.Chunk(LookedAtAtOnce))
        {
            var found = await Task.WhenAll(some.Select(audio => GrainFactory.GetGrain<IAudioClipGrain>(AudioClipKey.For(Id.UserId, audio.Hash)).DescribeAsync()));
            gone.UnionWith(some.Where((_, at) => found[at] is null).Select(audio => audio.Hash));
        }
        if (gone.Count > 0) await Ledger.AbandonAsync(Id.Store, gone.ToValueList());
        held.ExceptWith(gone);
        _unsure.Clear();
        return gone;
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
        // The list itself counts, too: damaged, it does not say what else there is.
        return ["last-good", "before", "quarantine", .. quarantined.Where(entry => entry.Kind is not QuarantineKind.Migrated).Select(entry => $"quarantine-{entry.Id}")];
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

    [LoggerMessage(LogLevel.Warning, "Session {Session} could not look whether the audio of the state that was put back is there: {Reason}")]
    private partial void LogNotMended(string session, string reason);

    /// <summary>A row's content, looked at as text: a hash is found there whatever the schema.</summary>
    private readonly record struct RowBody(ReadOnlyMemory<byte> Body, bool IsDamaged)
    {
        public bool Mentions(string hash) => Body.Span.IndexOf(System.Text.Encoding.ASCII.GetBytes(hash)) >= 0;
    }
}
