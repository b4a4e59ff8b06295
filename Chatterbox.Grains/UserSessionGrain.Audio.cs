using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Grains;

/// <summary>
/// The session as one of those that refer to the user's audio. Saves and loads know nothing of it: the sweep asks.
/// </summary>
internal sealed partial class UserSessionGrain : IClipHolder
{
    private const int AskedAtOnce = 16;

    private SessionId Id => SessionId.TryParse(Key, out var id) ? id
        : throw new SessionUnknownException(Rejection.OfText("session", Key, "user/store"));

    private IAudioLedgerGrain Ledger => GrainFactory.GetGrain<IAudioLedgerGrain>(AudioLedgerKey.For(Id.UserId));

    /// <summary>What the state refers to, each clip once.</summary>
    private ValueList<ClipUse> References => QuotaCleanUp.ClipsOf(_log.State).DistinctBy(audio => audio.Hash)
        .Select(audio => new ClipUse(audio.Hash, audio.Length)).ToValueList();

    public async Task<ValueList<string>> FindReferencesAsync(ValueList<string> hashes, bool history)
    {
        var (looked, found) = (hashes.ToHashSet(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        var rows = SliceDefinition.All.Select(slice => slice.Name).Concat(history ? await ListHistoryRowsAsync() : []);
        foreach (var body in await Task.WhenAll(rows.Select(ReadBodyAsync)))
        {
            if (body.IsDamaged) return hashes;
            ClipMentions.Find(body.Body.Span, looked, found);
        }
        if (_storageStatus?.PendingFramesOf(this.GetGrainId()) > 0)
        {
            throw new IOException($"Rows of {Key} are not in the database yet.");
        }

        // After the rows, so that a save that ends meanwhile is seen in one or the other.
        var inMemory = QuotaCleanUp.ClipsOf(_log.State).Concat(QuotaCleanUp.ClipsOf(_saver.Saving ?? AppState.Initial));
        found.UnionWith(inMemory.Select(audio => audio.Hash));
        return hashes.Where(found.Contains).ToValueList();
    }

    public async Task DropMissingAsync(ValueList<string> hashes)
    {
        if (ReadOnly is not null) return;
        var deleted = hashes.ToHashSet(StringComparer.Ordinal);
        var missing = await FindMissingAsync(QuotaCleanUp.ClipsOf(_log.State).Where(audio => deleted.Contains(audio.Hash)));
        if (missing.Count > 0) ApplyOwn(MissingAudio.Changes(_log.State, missing));
    }

    /// <summary>
    /// A state that is about to be restored or imported, without the audio that is no longer stored. Asked before the state is
    /// put in place, so that no crash leaves it with references to missing clips.
    /// </summary>
    /// <returns>Notes: what was changed, in words.</returns>
    private async Task<(AppState State, ValueList<string> Notes)> WithStoredAudioAsync(AppState state)
    {
        try
        {
            return MissingAudio.Drop(state, await FindMissingAsync(QuotaCleanUp.ClipsOf(state)));
        }
        catch (Exception failure)
        {
            LogNotLookedUp(Key, failure.Message);
            return (state, ["whether its audio is stored could not be checked: storage is failing"]);
        }
    }

    private async Task<IReadOnlySet<string>> FindMissingAsync(IEnumerable<AudioRef> clips)
    {
        var missing = new HashSet<string>(StringComparer.Ordinal);
        foreach (var some in clips.Select(audio => audio.Hash).Distinct().ToArray().Chunk(AskedAtOnce))
        {
            var found = await Task.WhenAll(some.Select(hash => Clip(hash).DescribeAsync()));
            missing.UnionWith(some.Where((_, at) => found[at] is null));
        }
        return missing;
    }

    private IAudioClipGrain Clip(string hash) => GrainFactory.GetGrain<IAudioClipGrain>(AudioClipKey.For(Id.UserId, hash));

    // The rows that hold states which can be restored. Read by name, not by schema: old and newer ones count as well.
    private async Task<IEnumerable<string>> ListHistoryRowsAsync()
    {
        var quarantined = await new Quarantine(storage, this.GetGrainId(), clock).ListAsync();
        // The list itself counts, too: damaged, it does not say what else there is.
        var kept = quarantined.Where(entry => entry.Kind is not QuarantineKind.Migrated)
            .Select(entry => $"quarantine-{entry.Id}");
        return ["last-good", "before", "quarantine", .. kept];
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

    [LoggerMessage(LogLevel.Warning,
        "Session {Session} could not check whether the audio of a restored state is stored: {Reason}")]
    private partial void LogNotLookedUp(string session, string reason);

    private readonly record struct RowBody(ReadOnlyMemory<byte> Body, bool IsDamaged);
}
