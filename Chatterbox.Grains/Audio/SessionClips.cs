using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace Chatterbox.Grains.Audio;

/// <summary>
/// A session's references to the user's audio. Independent of saves and loads: the sweep queries it.
/// </summary>
internal sealed partial class SessionClips(
    SessionId id, GrainId owner, PersistConfig config, Func<Session.Session> session, IGrainStorage storage,
    IStorageStatus? status, IGrainFactory grains, ILogger logger)
{
    private const int AskedAtOnce = 16;

    /// <summary>The clips that the state refers to, each once.</summary>
    public ValueList<ClipUse> References => ClipsOf(session().Log.State).DistinctBy(audio => audio.Hash)
        .Select(audio => new ClipUse(audio.Hash, audio.Length)).ToValueList();

    /// <inheritdoc cref="IClipHolder.FindReferencesAsync"/>
    public async Task<ValueList<string>> FindReferencesAsync(ValueList<string> hashes, bool history)
    {
        var (looked, found) = (hashes.ToHashSet(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        var rows = await Task.WhenAll(
            session().App.Stored.Select(slice => new StoredRow(storage, owner, slice.Name).ReadAsync()));
        foreach (var row in rows.OfType<byte[]>())
        {
            if (SliceFrame.TryReadBody(row) is not { } body) return hashes;
            ClipMentions.Find(body, looked, found);
        }
        if (history && !await TryFindInHistoryAsync(looked, found)) return hashes;
        if (status?.PendingFramesOf(owner) > 0) throw new IOException($"Rows of {owner.Key} are not in the database yet.");

        // After the rows, so that a save finishing meanwhile is seen in one of them.
        var inMemory = ClipsOf(session().Log.State)
            .Concat(ClipsOf(session().Saving ?? session().App.Initial));
        found.UnionWith(inMemory.Select(audio => audio.Hash));
        return hashes.Where(found.Contains).ToValueList();
    }

    /// <inheritdoc cref="IClipHolder.DropMissingAsync"/>
    public async Task DropMissingAsync(ValueList<string> hashes)
    {
        if (session().ReadOnly is not null) return;
        var deleted = hashes.ToHashSet(StringComparer.Ordinal);
        var missing =
            await FindMissingAsync(ClipsOf(session().Log.State).Where(audio => deleted.Contains(audio.Hash)));
        if (missing.Count > 0) session().ApplyOwn(config.App.DropClips(session().Log.State, missing).Select(each => each.Change));
    }

    /// <summary>
    /// Removes audio that is no longer stored from a state before it is restored or imported, so that no crash leaves references
    /// to missing clips.
    /// </summary>
    /// <returns>The changed state, and notes of the changes.</returns>
    public async Task<(SessionState State, ValueList<string> Notes)> WithStoredAudioAsync(SessionState state)
    {
        try
        {
            var dropped = config.App.DropClips(state, await FindMissingAsync(ClipsOf(state))).ToArray();
            return (dropped.Aggregate(state, (sum, each) => session().App.Apply(sum, each.Change).State),
                dropped.Select(each => each.Note).ToValueList());
        }
        catch (Exception failure)
        {
            LogNotLookedUp(owner, failure.Message);
            return (state, ["whether its audio is stored could not be checked: storage is failing"]);
        }
    }

    private IEnumerable<AudioRef> ClipsOf(SessionState state) => config.App.Definition.ClipsOf(state);

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

    private IAudioClipGrain Clip(string hash) => grains.GetGrain<IAudioClipGrain>(AudioClipKey.For(id.UserId, hash));

    // Read as bytes, not by schema: older and newer states count as well. False when an entry cannot be read, since it may refer
    // to any clip.
    private async Task<bool> TryFindInHistoryAsync(HashSet<string> looked, HashSet<string> found)
    {
        foreach (var entry in await session().History.ListAsync())
        {
            HistoryBundle? bundle;
            try
            {
                bundle = await session().History.ReadAsync(entry.Id);
            }
            catch (Exception damage) when (damage is FrameException or System.Text.Json.JsonException)
            {
                return false;
            }
            foreach (var (_, bytes) in bundle?.Rows ?? [])
            {
                if (SliceFrame.TryReadBody(bytes) is not { } body) return false;
                ClipMentions.Find(body, looked, found);
            }
        }
        return true;
    }

    [LoggerMessage(LogLevel.Warning,
        "Session {Session} could not check whether the audio of a restored state is stored: {Reason}")]
    private partial void LogNotLookedUp(GrainId session, string reason);
}
