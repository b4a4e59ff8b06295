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
/// next collection goes on, and whoever came to need the clip in the meantime has given it another version.
/// </summary>
[GrainType("chatterbox.audio-ledger")]
internal sealed partial class AudioLedgerGrain(
    PersistConfigs configs, IOptions<ChatterboxOptions> options, TimeProvider clock,
    [FromKeyedServices(ChatterboxStorage.Name)] IGrainStorage storage, ILogger<AudioLedgerGrain> logger) : Grain, IAudioLedgerGrain
{
    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    // Also how long is waited until a deletion that failed is tried again.
    private static readonly TimeSpan KeptCheck = TimeSpan.FromHours(1);

    private StoredRow? _row;

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
        if (used + length > allowed) return used;

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

    public async Task<AudioStorage> GetUsageAsync(string store) => (await LoadAsync()).UsageOf(store, Now);

    public async Task<int> CollectAsync(string? forRoomIn)
    {
        var ledger = await LoadAsync();
        var expired = ledger.Expired(Now, forRoomIn).Select(entry => entry.Hash).ToArray();
        if (expired.Length == 0) return 0;

        var versions = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var hash in expired) versions[hash] = await Clip(hash).GetVersionAsync();
        // Fails where another activation has written since: then this one's view was not the last word.
        await WriteAsync(ledger = ledger.Claim(expired));

        var doomed = expired.ToHashSet(StringComparer.Ordinal);
        foreach (var store in configs.Names)
        {
            var references = await GrainFactory.GetGrain<IClipHolder>(new SessionId(User, store).Key)
                .FindReferencesAsync(doomed.ToValueList(), forRoomIn is not null);
            ledger = ledger.Hold(store, references.Held.Select(hash => new ClipUse(hash, ledger.Find(hash)!.Length)))
                .Keep(references.Kept, Now + KeptCheck);
            doomed.ExceptWith(references.Held);
            doomed.ExceptWith(references.Kept);
        }
        foreach (var hash in doomed.ToArray())
        {
            if (await Clip(hash).DeleteAsync(versions[hash])) continue;
            doomed.Remove(hash);
            ledger = ledger.Keep([hash], Now + KeptCheck);
        }
        await WriteAsync(ledger.Remove(doomed));
        if (doomed.Count > 0) LogCollected(User, doomed.Count);
        return doomed.Count;
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
        await _row!.WriteAsync(SliceFrame.Encode(JsonSerializer.SerializeToUtf8Bytes([.. ledger.Entries], AudioJson.Default.ListLedgerEntry), 1, 1024));
        _ledger = Arm(ledger);
    }

    // A ledger that cannot be read costs room, and no clip: sessions say again what they refer to, and the rest is left alone.
    private async Task<AudioLedger> DecodeAsync(byte[] bytes)
    {
        try
        {
            return AudioLedger.Of(JsonSerializer.Deserialize(SliceFrame.Decode(bytes).Body.Span, AudioJson.Default.ListLedgerEntry) ?? []);
        }
        catch (Exception damage) when (damage is FrameException or JsonException)
        {
            LogUnreadable(User, damage.Message);
            var kept = new StoredRow(storage, this.GetGrainId(), "audio-unreadable");
            await kept.ReadAsync();
            await kept.WriteAsync(bytes);
            return AudioLedger.Empty;
        }
    }

    private AudioLedger Arm(AudioLedger ledger)
    {
        var wait = ledger.NextDue is { } due ? TimeSpan.FromTicks(Math.Clamp((due - Now).Ticks, ShortestWait.Ticks, LongestWait.Ticks)) : Timeout.InfiniteTimeSpan;
        if (_timer is not null) _timer.Change(wait, KeptCheck);
        else if (wait != Timeout.InfiniteTimeSpan) _timer = this.RegisterGrainTimer(OnTimerAsync, new GrainTimerCreationOptions(wait, KeptCheck));
        if (wait != Timeout.InfiniteTimeSpan) DelayDeactivation(wait + ShortestWait);
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
        }
    }

    private IClipKeeping Clip(string hash) => GrainFactory.GetGrain<IClipKeeping>(AudioClipKey.For(User, hash));

    [LoggerMessage(LogLevel.Information, "{Count} audio clip(s) of {User} that nothing refers to were deleted")]
    private partial void LogCollected(string user, int count);

    [LoggerMessage(LogLevel.Warning, "Audio clips of {User} that nothing refers to could not be deleted yet: {Reason}")]
    private partial void LogNotCollected(string user, string reason);

    [LoggerMessage(LogLevel.Error, "The audio ledger of {User} cannot be read and begins anew; its bytes are kept: {Reason}")]
    private partial void LogUnreadable(string user, string reason);
}
