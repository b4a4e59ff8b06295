using System.Security.Cryptography;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Storage;

namespace Chatterbox.Grains.Audio;

/// <summary>
/// Keeps a user's <see cref="AudioLedger"/> in one row, and deletes clips by mark and sweep. A sweep notes the version of each
/// clip, asks every store, claims durably what nothing refers to, deletes it under the noted version, tells the stores, and
/// then removes the entries. A crash at any point leaves a claim, which the next sweep repeats from the start; an upload in
/// between gives the clip another version, so that the deletion fails.
/// </summary>
/// <remarks>
/// Reentrant so that uploads do not wait for a sweep, which waits for sessions to load. A ledger that cannot be read or was
/// written by a newer silo refuses no upload and deletes no unlisted clip.
/// </remarks>
[Reentrant, GrainType("chatterbox.audio-ledger")]
internal sealed partial class AudioLedgerGrain(
    PersistConfigs configs, IOptions<ChatterboxOptions> options, TimeProvider clock,
    [FromKeyedServices(ChatterboxStorage.Name)] IGrainStorage storage, ILogger<AudioLedgerGrain> logger)
    : Grain, IAudioLedgerGrain
{
    /// <summary>The most clips searched for in one pass over a state.</summary>
    private const int MostAtOnce = 200;

    private const int AskedAtOnce = 16;
    private const int DeletedAtOnce = 8;

    /// <summary>Clips of one user. The ledger's row is read and written whole.</summary>
    internal const int MostClips = 20_000;

    /// <summary>Reads and writes of the row.</summary>
    private readonly Turns _row = new();

    private readonly Turns _sweeps = new();

    private StoredRow? _stored;

    /// <summary>The stored row was written by a newer silo: it is not overwritten.</summary>
    private bool _isNewer;

    /// <summary>Null when the stored ledger is unknown: at first, and after a failed write.</summary>
    private AudioLedger? _ledger;

    private string User => AudioLedgerKey.UserOf(this.GetPrimaryKeyString())
        ?? throw new InvalidOperationException($"'{this.GetPrimaryKeyString()}' is not the key of an audio ledger.");

    private DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Rows that the database does not have yet: they may refer to clips, of sessions that are not loaded.</summary>
    private bool HasPendingFrames => ServiceProvider.GetService<IStorageStatus>() is { PendingFrames: > 0 };

    private ClipAges Ages => new(options.Value.UploadExpiry, options.Value.UnreferencedClipAge);

    public Task<LedgerAdmission> AdmitAsync(string store, ClipUse clip, ValueList<ClipUse> references, long allowed) =>
        _row.RunAsync(async () =>
    {
        var ledger = await LoadAsync();
        var known = ledger.Find(clip.Hash);
        var used = ledger.UsageOf(store, references, Now, Ages).TotalBytes;
        var isCounted = known?.Stores.Contains(store) is true || references.Any(each => each.Hash == clip.Hash);
        var counted = isCounted ? known?.Length ?? clip.Length : 0;
        // A clip that adds nothing is never refused: uploading it again repairs a damaged one.
        if (clip.Length > counted && used - counted + clip.Length > allowed) return new LedgerAdmission(Used: used - counted);
        if (known is null && ledger.Count >= MostClips) return new LedgerAdmission(Clips: ledger.Count);

        // Before the claims are lifted: a running deletion must fail. An unlisted clip may also have one.
        foreach (var hash in ledger.Deleting([.. references, clip])) await Clip(hash).RenewAsync();
        if (known is null) await Clip(clip.Hash).RenewAsync();
        await WriteAsync(ledger.Refer(store, references, Now).Admit(store, clip, Now));
        return default;
    });

    public Task<AudioStorage> GetUsageAsync(string store, ValueList<ClipUse> references) =>
        _row.RunAsync(async () => (await LoadAsync()).UsageOf(store, references, Now, Ages));

    public Task<int> SweepAsync() => _sweeps.RunAsync(async () =>
    {
        if (HasPendingFrames) return 0;
        var deleted = 0;
        foreach (var some in (await _row.RunAsync(LoadAsync)).Due(Now, Ages).Chunk(MostAtOnce))
        {
            deleted += (await CollectAsync(some, history: true, isSweep: true)).Deleted;
        }
        return deleted;
    });

    public Task<int> FreeAsync(string store, ValueList<ClipUse> references, bool history) => _sweeps.RunAsync(async () =>
    {
        if (HasPendingFrames) throw new IOException("No clip can be deleted while rows wait in the fallback file.");
        var referenced = references.Select(clip => clip.Hash).ToHashSet(StringComparer.Ordinal);
        var spare = (await _row.RunAsync(LoadAsync)).Spare(store, referenced, Now, Ages);
        foreach (var some in spare.Chunk(MostAtOnce))
        {
            if ((await CollectAsync(some, history, isSweep: false)).Failed > 0)
            {
                throw new IOException("Clips that nothing refers to could not be deleted yet.");
            }
        }
        var left = await _row.RunAsync(LoadAsync);
        return spare.Count(entry => left.Find(entry.Hash) is not { } known || !known.Stores.Contains(store));
    });

    /// <param name="isSweep">Whether clips that were in use at the last check start their grace period.</param>
    /// <returns>The clips deleted, and those whose deletion failed.</returns>
    private async Task<(int Deleted, int Failed)> CollectAsync(IReadOnlyList<LedgerEntry> looked, bool history, bool isSweep)
    {
        if (_isNewer) return default;

        // First: a clip that is stored again after this has another version.
        var versions = await GetVersionsAsync(looked);
        var stores = await FindReferencesAsync(looked, history);

        var referenced = looked.Where(entry => stores[entry.Hash].Any()).ToArray();
        var missing = referenced.Where(entry => versions[entry.Hash] is null).ToArray();
        var unreferenced = looked.Except(referenced).ToArray();
        var dropped = isSweep ? unreferenced.Where(entry => entry.HasGrace).ToArray() : [];
        // When freeing room, only a changed set of stores is recorded. Claims are left to the sweep: if they were lifted and
        // renewed alternately, failing storage might never delete a clip.
        var used = referenced.Except(missing).Where(entry => isSweep || !entry.Stores.SetEquals(stores[entry.Hash])).ToArray();
        LedgerEntry[] claimed = [.. unreferenced.Except(dropped), .. missing];
        foreach (var entry in used.Where(entry => entry.Mark is ClipMark.Deleting)) await Clip(entry.Hash).RenewAsync();
        await ChangeAsync(ledger => ledger.Found(used, hash => stores[hash], Now).Drop(dropped, Now).Claim(claimed));

        // Only clips that are still claimed: an upload may have happened in between.
        var ledger = await _row.RunAsync(LoadAsync);
        var doomed = claimed.Select(entry => entry.Hash).Where(hash => ledger.Find(hash)?.Mark is ClipMark.Deleting).ToArray();
        var outcomes = new List<(string Hash, bool? IsDeleted)>();
        foreach (var some in doomed.Chunk(DeletedAtOnce))
        {
            outcomes.AddRange(await Task.WhenAll(some.Select(hash => TryDeleteAsync(hash, versions[hash]))));
        }

        var deleted = outcomes.Where(each => each.IsDeleted is true).Select(each => each.Hash).ToValueList();
        if (deleted.Count > 0) await TellAsync(deleted);
        var kept = outcomes.Where(each => each.IsDeleted is false).Select(each => each.Hash).ToArray();
        if (deleted.Count + kept.Length > 0) await ChangeAsync(ledger => ledger.Keep(kept, Now).Remove(deleted));
        if (deleted.Count > 0) LogCollected(User, deleted.Count);
        return (deleted.Count, outcomes.Count(each => each.IsDeleted is null));
    }

    private async Task<Dictionary<string, string?>> GetVersionsAsync(IReadOnlyList<LedgerEntry> looked)
    {
        var versions = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var some in looked.Chunk(AskedAtOnce))
        {
            var found = await Task.WhenAll(some.Select(entry => Clip(entry.Hash).GetVersionAsync()));
            foreach (var (entry, version) in some.Zip(found)) versions[entry.Hash] = version;
        }
        return versions;
    }

    /// <summary>The stores that refer to each clip. Throws when one cannot be asked: then nothing may be deleted.</summary>
    private async Task<ILookup<string, string>> FindReferencesAsync(IReadOnlyList<LedgerEntry> looked, bool history)
    {
        var hashes = looked.Select(entry => entry.Hash).ToValueList();
        var asked = configs.Names.ToArray();
        var found = await Task.WhenAll(asked.Select(store => Holder(store).FindReferencesAsync(hashes, history)));
        // A store that this silo does not serve cannot be asked: it counts as referring to what it has uploaded.
        var unknown = looked.SelectMany(entry => entry.Stores.Select(store => (entry.Hash, Store: store)))
            .Where(each => configs.Find(each.Store) is null).ToArray();
        foreach (var store in unknown.Select(each => each.Store).Distinct()) LogNotServed(User, store);
        return asked.Zip(found).SelectMany(each => each.Second.Select(hash => (Hash: hash, Store: each.First))).Concat(unknown)
            .ToLookup(each => each.Hash, each => each.Store, StringComparer.Ordinal);
    }

    // A reference may have been made after its store was asked. Before the entries are removed: a crash only repeats it.
    private Task TellAsync(ValueList<string> deleted) =>
        Task.WhenAll(configs.Names.Select(store => Holder(store).DropMissingAsync(deleted)));

    // One undeletable clip does not block the others; it stays claimed and is retried. Null: the outcome is not known.
    private async Task<(string Hash, bool? IsDeleted)> TryDeleteAsync(string hash, string? version)
    {
        try
        {
            return (hash, await Clip(hash).DeleteAsync(version));
        }
        catch (Exception failure)
        {
            LogNotDeleted(User, failure.Message);
            return (hash, null);
        }
    }

    private Task ChangeAsync(Func<AudioLedger, AudioLedger> change) =>
        _row.RunAsync(async () => await WriteAsync(change(await LoadAsync())));

    private async Task<AudioLedger> LoadAsync()
    {
        if (_ledger is not null) return _ledger;
        _stored = new StoredRow(storage, this.GetGrainId(), AudioLedger.RowName);
        var bytes = await _stored.ReadAsync();
        return _ledger = bytes is null ? AudioLedger.Empty : await DecodeAsync(bytes);
    }

    // Not known until the write is certain: after a failure the next caller asks storage.
    private async Task WriteAsync(AudioLedger ledger)
    {
        if (ReferenceEquals(ledger, _ledger)) return;
        _ledger = null;
        if (!_isNewer) await _stored!.WriteAsync(ledger.Encode());
        _ledger = ledger;
    }

    // A damaged ledger is recreated empty: sessions list their references with their next upload. Clips that only it listed stay.
    private async Task<AudioLedger> DecodeAsync(byte[] bytes)
    {
        try
        {
            var ledger = AudioLedger.Decode(bytes);
            if (_isNewer = ledger is null) LogNewer(User, AudioLedger.Version);
            return ledger ?? AudioLedger.Empty;
        }
        catch (Exception damage) when (SessionStore.IsDamage(damage))
        {
            var name = $"{AudioLedger.RowName}-damaged-{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}";
            LogUnreadable(User, name, damage.Message);
            var kept = new StoredRow(storage, this.GetGrainId(), name);
            if (await kept.ReadAsync() is null) await kept.WriteAsync(bytes);
            await _stored!.WriteAsync(AudioLedger.Empty.Encode());
            return AudioLedger.Empty;
        }
    }

    private IClipKeeping Clip(string hash) => GrainFactory.GetGrain<IClipKeeping>(AudioClipKey.For(User, hash));

    private IClipHolder Holder(string store) => GrainFactory.GetGrain<IClipHolder>(new SessionId(User, store).Key);

    [LoggerMessage(LogLevel.Information, "{Count} audio clip(s) of {User} that nothing refers to were deleted")]
    private partial void LogCollected(string user, int count);

    [LoggerMessage(LogLevel.Warning, "An audio clip of {User} that nothing refers to could not be deleted yet: {Reason}")]
    private partial void LogNotDeleted(string user, string reason);

    [LoggerMessage(LogLevel.Warning,
        "The store {Store} of {User} is not registered in this silo: the audio clips that it uploaded are kept")]
    private partial void LogNotServed(string user, string store);

    [LoggerMessage(LogLevel.Warning,
        "The audio ledger of {User} has a newer version than this silo's {Known}: it is not changed")]
    private partial void LogNewer(string user, int known);

    [LoggerMessage(LogLevel.Error,
        "The audio ledger of {User} is damaged and was recreated empty; its bytes are kept in the row {Row}: {Reason}")]
    private partial void LogUnreadable(string user, string row, string reason);
}
