using System.Security.Cryptography;
using System.Text.Json;
using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Storage;

namespace Chatterbox.Grains.Audio;

/// <summary>
/// Keeps a user's <see cref="AudioLedger"/> in one row, and deletes clips. A deletion is claimed durably, confirmed by every store
/// of the user, made under the version that the clip had before the claim, and only then forgotten: whatever dies in between, the
/// next collection goes on, and whoever came to need the clip in the meantime has given it another version. A ledger that cannot
/// be read, or that a newer silo has written, keeps nobody from anything, and has nothing deleted.
/// </summary>
[GrainType("chatterbox.audio-ledger")]
internal sealed partial class AudioLedgerGrain(
    PersistConfigs configs, IOptions<ChatterboxOptions> options, TimeProvider clock,
    [FromKeyedServices(ChatterboxStorage.Name)] IGrainStorage storage, ILogger<AudioLedgerGrain> logger) : Grain, IAudioLedgerGrain
{
    private const int Version = 1;

    /// <summary>So many clips in one collection: saves that refer to new clips wait for it.</summary>
    private const int MostAtOnce = 50;

    /// <summary>After so long no further deletion is begun. Well within the time that sessions take no reference to these clips.</summary>
    private static readonly TimeSpan LongestCollection = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    /// <summary>A deletion that failed is tried again after this.</summary>
    private static readonly TimeSpan RetryWait = TimeSpan.FromHours(1);

    /// <summary>Whether copies of a state still refer to a clip is looked at this often.</summary>
    private static readonly TimeSpan KeptCheck = TimeSpan.FromDays(1);

    private StoredRow? _row;

    /// <summary>What is stored is of a newer silo's making: it is left as it is, and what is noted here goes with the activation.</summary>
    private bool _isNewer;

    /// <summary>Null when what is stored is not known: at first, and after a write that failed.</summary>
    private AudioLedger? _ledger;

    private IGrainTimer? _timer;

    private string User => this.GetPrimaryKeyString();

    private DateTimeOffset Now => clock.GetUtcNow();

    public async Task<long?> AdmitAsync(string store, string hash, long length, long allowed)
    {
        var ledger = await LoadAsync();
        var known = ledger.Find(hash);
        var counted = known is not null && (known.Stores.Contains(store) || (!known.IsHeld && known.Owner == store)) ? known.Length : 0;
        var used = ledger.UsageOf(store, Now).TotalBytes - counted;
        // What adds nothing is not refused: a clip that is sent again is mended by it.
        if (length > counted && used + length > allowed) return used;

        await WriteAsync(ledger.Admit(store, hash, length, Now + options.Value.UploadExpiry));
        if (known is { IsClaimed: true }) await Clip(hash).RenewAsync();
        return null;
    }

    public async Task<ValueList<string>> GetHeldAsync(string store) =>
        (await LoadAsync()).Entries.Where(entry => entry.Stores.Contains(store)).Select(entry => entry.Hash).ToValueList();

    public async Task HoldAsync(string store, ValueList<ClipUse> clips)
    {
        var ledger = await LoadAsync();
        var claimed = clips.Where(clip => ledger.Find(clip.Hash) is { IsClaimed: true }).ToArray();
        await WriteAsync(ledger.Hold(store, clips));
        foreach (var clip in claimed) await Clip(clip.Hash).RenewAsync();
    }

    public async Task ReleaseAsync(string store, ValueList<string> hashes) =>
        await WriteAsync((await LoadAsync()).Release(store, hashes, Now + options.Value.UnreferencedClipAge));

    public async Task AbandonAsync(string? store, ValueList<string> hashes) => await WriteAsync((await LoadAsync()).Abandon(store, hashes, Now));

    public async Task<AudioStorage> GetUsageAsync(string store) => (await LoadAsync()).UsageOf(store, Now);

    public async Task<int> CollectAsync(string? forRoomIn)
    {
        var ledger = await LoadAsync();
        var expired = _isNewer ? [] : ledger.Expired(Now, forRoomIn, MostAtOnce);
        if (expired.Count == 0) return 0;

        var versions = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var entry in expired) versions[entry.Hash] = await Clip(entry.Hash).GetVersionAsync();
        // Fails where another activation has written since: then this one's view was not the last word.
        await WriteAsync(ledger = ledger.Claim(versions.Keys));

        var started = clock.GetTimestamp();
        // A store that this silo does not know cannot be asked.
        var unknown = expired.Where(entry => configs.Find(entry.Owner) is null).Select(entry => entry.Hash).ToArray();
        ledger = ledger.Keep(unknown, Now + KeptCheck);
        var doomed = versions.Keys.Except(unknown).ToHashSet(StringComparer.Ordinal);
        foreach (var store in configs.Names)
        {
            if (doomed.Count == 0) break;
            var references = await GrainFactory.GetGrain<IClipHolder>(new SessionId(User, store).Key)
                .FindReferencesAsync(doomed.ToValueList(), forRoomIn is not null);
            ledger = ledger.KeepFor(store, references.Held).Keep(references.Kept, Now + KeptCheck);
            doomed.ExceptWith(references.Held);
            doomed.ExceptWith(references.Kept);
        }
        foreach (var hash in doomed.ToArray())
        {
            if (await TryDeleteAsync(hash, versions[hash], started)) continue;
            doomed.Remove(hash);
            ledger = ledger.Keep([hash], Now + RetryWait);
        }
        await WriteAsync(ledger.Remove(doomed));
        if (doomed.Count > 0) LogCollected(User, doomed.Count);
        return doomed.Count;
    }

    // One clip that cannot be deleted is no reason to keep the others.
    private async Task<bool> TryDeleteAsync(string hash, string? version, long started)
    {
        try
        {
            return clock.GetElapsedTime(started) < LongestCollection && await Clip(hash).DeleteAsync(version);
        }
        catch (Exception failure)
        {
            LogNotCollected(User, failure.Message);
            return false;
        }
    }

    private async Task<AudioLedger> LoadAsync()
    {
        if (_ledger is not null) return _ledger;
        _row = new StoredRow(storage, this.GetGrainId(), "audio");
        var bytes = await _row.ReadAsync();
        return _ledger = Arm(bytes is null ? AudioLedger.Empty : await DecodeAsync(bytes));
    }

    // Not known until it is certain: after a failure the next caller asks storage.
    private async Task WriteAsync(AudioLedger ledger)
    {
        if (ReferenceEquals(ledger, _ledger)) return;
        _ledger = null;
        if (!_isNewer)
        {
            var json = JsonSerializer.SerializeToUtf8Bytes([.. ledger.Entries], AudioJson.Default.ListLedgerEntry);
            await _row!.WriteAsync(SliceFrame.Encode(json, Version, 1024));
        }
        _ledger = Arm(ledger);
    }

    // A ledger that cannot be read costs room, and no clip: sessions say again what they refer to, and the rest is left alone.
    private async Task<AudioLedger> DecodeAsync(byte[] bytes)
    {
        _isNewer = false;
        try
        {
            var (version, body) = SliceFrame.Decode(bytes);
            if (_isNewer = version > Version) LogNewer(User, version, Version);
            return AudioLedger.Of(JsonSerializer.Deserialize(body.Span, AudioJson.Default.ListLedgerEntry) ?? []);
        }
        catch (Exception damage) when (SessionStore.IsDamage(damage))
        {
            if (_isNewer) return AudioLedger.Empty;
            LogUnreadable(User, damage.Message);
            var kept = new StoredRow(storage, this.GetGrainId(), $"audio-unreadable-{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}");
            if (await kept.ReadAsync() is null) await kept.WriteAsync(bytes);
            return AudioLedger.Empty;
        }
    }

    private AudioLedger Arm(AudioLedger ledger)
    {
        if (ledger.NextDue is { } due && !_isNewer)
        {
            var wait = TimeSpan.FromTicks(Math.Clamp((due - Now).Ticks, ShortestWait.Ticks, LongestWait.Ticks));
            if (_timer is not null) _timer.Change(wait, RetryWait);
            else _timer = this.RegisterGrainTimer(OnTimerAsync, new GrainTimerCreationOptions(wait, RetryWait));
            DelayDeactivation(wait + ShortestWait);
        }
        else
        {
            _timer?.Change(Timeout.InfiniteTimeSpan, RetryWait);
        }
        return ledger;
    }

    private async Task OnTimerAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CollectAsync(forRoomIn: null);
        }
        catch (Exception failure)
        {
            LogNotCollected(User, failure.Message);
            _timer?.Change(RetryWait, RetryWait);
        }
    }

    private IClipKeeping Clip(string hash) => GrainFactory.GetGrain<IClipKeeping>(AudioClipKey.For(User, hash));

    [LoggerMessage(LogLevel.Information, "{Count} audio clip(s) of {User} that nothing refers to were deleted")]
    private partial void LogCollected(string user, int count);

    [LoggerMessage(LogLevel.Warning, "Audio clips of {User} that nothing refers to could not be deleted yet: {Reason}")]
    private partial void LogNotCollected(string user, string reason);

    [LoggerMessage(LogLevel.Warning, "The audio ledger of {User} is of version {Version}, this silo knows {Known}: it is left as it is")]
    private partial void LogNewer(string user, int version, int known);

    [LoggerMessage(LogLevel.Error, "The audio ledger of {User} cannot be read and begins anew; its bytes are kept: {Reason}")]
    private partial void LogUnreadable(string user, string reason);
}
