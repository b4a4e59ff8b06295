using System.Text.Json;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace Chatterbox.Grains.Persistence;

/// <summary>Somebody else has written this session's rows: load again, and put on top what is not stored.</summary>
internal sealed class SessionConflictException(string message) : Exception(message);

/// <summary>
/// A session's rows: loads them, never fails on what is in them, and writes only the slices that differ from what is stored.
/// </summary>
internal sealed partial class SessionStore(
    IGrainStorage storage, GrainId owner, PersistConfig config, MigrationChain migrations, ChatterboxOptions options,
    TimeProvider clock, ILogger logger)
{
    private readonly KeptCopy _lastGood = new(storage, owner, "last-good", migrations, clock, logger);
    private readonly KeptCopy _before = new(storage, owner, "before", migrations, clock, logger);
    private SliceSlot[] _slots = [];

    public Quarantine Quarantine { get; } = new(storage, owner, clock);

    /// <summary>Whether clients have, or had, work in hand.</summary>
    public RecoveryMarker Marker { get; } = new(storage, owner);

    /// <summary>Set when stored data is newer than this build: nothing may be written.</summary>
    public string? ReadOnly { get; private set; }

    /// <summary>What was found wrong on loading.</summary>
    public IReadOnlyList<string> Notices { get; private set; } = [];

    public int? PersistedVersion => _slots.Max(slot => slot.StoredVersion);

    public long RowWrites { get; private set; }

    public long BytesWritten { get; private set; }

    /// <summary>There is something to write even if the state does not change: a migrated slice, or bytes to put in quarantine.</summary>
    public bool NeedsSave => ReadOnly is null && _slots.Any(slot => slot.NeedsWrite);

    public IEnumerable<StoredSlice> Describe(AppState state) =>
        _slots.Select(slot => new StoredSlice(slot.Slice.Slice, slot.Slice.Count(slot.Slice.Get(state)), slot.Row.Length));

    /// <summary>Reads every row. Throws when storage does, and then nothing is known and nothing may be written.</summary>
    public async Task<SessionMoment> LoadAsync()
    {
        var slots = SliceDefinition.All.Select(slice => new SliceSlot(slice, new StoredRow(storage, owner, slice.Name))).ToArray();
        var reads = slots.Select(slot => slot.Row.ReadAsync()).ToArray();
        await Task.WhenAll([.. reads, Marker.LoadAsync()]);
        var rows = reads.Select(read => read.Result).ToArray();

        var notices = new List<string>();
        ReadOnly = null;
        var state = AppState.Initial;
        var applied = new AppliedMap[slots.Length];
        var revision = 0L;
        for (var index = 0; index < slots.Length; index++)
        {
            var envelope = Open(slots[index], rows[index], notices);
            if (envelope.Value is not null) state = slots[index].Slice.With(state, envelope.Value);
            slots[index].WrittenSource = slots[index].Slice.Get(state);
            applied[index] = envelope.Applied;
            revision = Math.Max(revision, envelope.Revision);
        }
        if (slots.Any(slot => slot.Unpreserved is { Kind: QuarantineKind.Unreadable })) state = await FallBackAsync(slots, state, notices);
        if (IsExpired(slots, out var savedAt))
        {
            await _before.KeepAsync(state, revision, $"the state of {savedAt:u} had expired");
            notices.Add($"What was last saved at {savedAt:u} has expired and is not shown; a copy is kept.");
            state = AppState.Initial;
            foreach (var slot in slots) (slot.Written, slot.Cleared) = (null, true);
        }
        (_slots, Notices) = (slots, notices);
        return new(state, revision, applied);
    }

    /// <summary>
    /// Writes what differs from storage. Slices are written on their own: those that can be are, before the first failure is thrown.
    /// </summary>
    /// <exception cref="SessionConflictException">The rows have been written by somebody else.</exception>
    public async Task SaveAsync(SessionMoment moment)
    {
        if (ReadOnly is not null) return;
        foreach (var slot in _slots.Where(slot => slot.Unpreserved is not null)) await PreserveAsync(slot);

        var stored = config.Partialize(moment.State);
        var writes = _slots.Select(slot => SaveAsync(slot, slot.Slice.Get(stored), slot.Slice.Get(moment.State), moment)).ToArray();
        try
        {
            await Task.WhenAll(writes);
        }
        catch
        {
            var failures = writes.Where(write => write.IsFaulted).Select(write => write.Exception!.InnerException!);
            throw failures.OfType<SessionConflictException>().FirstOrDefault() ?? failures.First();
        }
    }

    /// <summary>Keeps the state as the copy to come back to should what follows be a mistake. Returns once it is durable.</summary>
    public Task KeepBeforeAsync(SessionMoment moment, string reason) =>
        ReadOnly is null ? _before.KeepAsync(moment.State, moment.Revision, reason) : Task.CompletedTask;

    public Task<Copy?> ReadBeforeAsync() => _before.ReadAsync();

    /// <summary>Renews the last good copy when it is old, from a state that is durable.</summary>
    public async Task RenewLastGoodAsync(SessionMoment durable)
    {
        if (ReadOnly is not null || durable.Revision == 0) return;
        if (_lastGood.At is null) await _lastGood.ReadAsync();
        if (_lastGood.At is { } at && clock.GetUtcNow() - at < options.LastGoodAge) return;
        await _lastGood.KeepAsync(config.Partialize(durable.State), durable.Revision, "the daily copy");
    }

    /// <summary>Reads bytes from quarantine as the slice they were set aside from.</summary>
    public object Read(SliceDefinition slice, byte[] bytes)
    {
        var (version, body) = SliceFrame.Decode(bytes);
        return SliceEnvelope.Decode(slice, version, body.Span, migrations).Value ?? slice.Get(AppState.Initial);
    }

    /// <summary>What reading bytes throws that are not what they should be.</summary>
    public static bool IsDamage(Exception exception) => exception
        is FrameException or JsonException or MigrationException or InvalidOperationException or FormatException or ArgumentException;

    /// <summary>Every slice is to be written; those with their initial value as cleared.</summary>
    public void Clear()
    {
        foreach (var slot in _slots) (slot.Written, slot.Cleared) = (null, true);
    }

    private SliceEnvelope Open(SliceSlot slot, byte[]? row, List<string> notices)
    {
        var initial = slot.Slice.Get(AppState.Initial);
        slot.Written = initial;
        if (row is null) return new(0, AppliedMap.Empty, null);
        try
        {
            var (version, body) = SliceFrame.Decode(row);
            slot.StoredVersion = version;
            if (version > migrations.CurrentVersion) return OpenNewer(slot, version, body.Span);

            var envelope = SliceEnvelope.Decode(slot.Slice, version, body.Span, migrations);
            if (envelope.Value is null) slot.StoredVersion = null;
            slot.Written = envelope.Value ?? initial;
            slot.SavedAt = envelope.SavedAt;
            if (version < migrations.CurrentVersion)
            {
                ChatterboxInstruments.Migrated.Add(1);
                slot.Written = null;
                slot.Unpreserved = new(row, QuarantineKind.Migrated, $"version {version}, before its migration to {migrations.CurrentVersion}");
            }
            return envelope;
        }
        catch (Exception damage) when (IsDamage(damage))
        {
            LogUnreadable(owner, slot.Slice.Name, row.Length, damage.Message);
            notices.Add($"The stored {slot.Slice.Name} could not be read; their {row.Length} bytes are kept in quarantine: {damage.Message}");
            slot.Unpreserved = new(row, QuarantineKind.Unreadable, damage.Message);
            return new(0, AppliedMap.Empty, null);
        }
    }

    // What cannot be read starts from the last good copy, and is then to be written: the copy is not the row.
    private async Task<AppState> FallBackAsync(SliceSlot[] slots, AppState state, List<string> notices)
    {
        var copy = await _lastGood.ReadAsync();
        foreach (var slot in slots.Where(slot => slot.Unpreserved is { Kind: QuarantineKind.Unreadable }))
        {
            if (copy is null)
            {
                notices.Add($"The {slot.Slice.Name} start from defaults: there is no earlier copy of them.");
                continue;
            }
            state = slot.Slice.With(state, slot.Slice.Get(copy.State));
            slot.Written = null;
            notices.Add($"The {slot.Slice.Name} start from their last good copy of {copy.At:u}.");
        }
        return state;
    }

    private bool IsExpired(SliceSlot[] slots, out DateTimeOffset savedAt)
    {
        savedAt = slots.Max(slot => slot.SavedAt) ?? default;
        return config.ExpiresAfter is { } limit && savedAt != default && clock.GetUtcNow() - savedAt > limit;
    }

    // Shown as far as this build understands it.
    private SliceEnvelope OpenNewer(SliceSlot slot, int version, ReadOnlySpan<byte> body)
    {
        ReadOnly = $"its {slot.Slice.Name} were stored by a newer version of the app (schema {version}; this silo knows {migrations.CurrentVersion})";
        LogNewer(owner, slot.Slice.Name, version, migrations.CurrentVersion);
        try
        {
            return SliceEnvelope.Decode(slot.Slice, migrations.CurrentVersion, body, migrations);
        }
        catch (JsonException)
        {
            return new(0, AppliedMap.Empty, null);
        }
    }

    private async Task PreserveAsync(SliceSlot slot)
    {
        var (bytes, kind, reason) = slot.Unpreserved!;
        await Quarantine.KeepAsync(slot.Slice.Name, bytes, kind, reason);
        ChatterboxInstruments.Quarantined.Add(1, ChatterboxInstruments.Kind(kind.ToString().ToLowerInvariant()));
        slot.Unpreserved = null;
    }

    private async Task SaveAsync(SliceSlot slot, object value, object source, SessionMoment moment)
    {
        if (slot.Uncertain is not null)
        {
            try
            {
                await ReconcileAsync(slot);
            }
            catch (StorageUnavailableException)
            {
                // Whether that write is in cannot be known now. This one is made all the same, under the etag from before, so that the
                // fallback has the latest; where the database is back in the meantime, the etag tells.
            }
        }
        if (slot.Holds(value, source)) return;

        var tombstone = slot.Cleared && value.Equals(slot.Slice.Get(AppState.Initial));
        var envelope = new SliceEnvelope(moment.Revision, moment.Applied[(int)slot.Slice.Slice], tombstone ? null : value,
            config.ExpiresAfter is null ? null : clock.GetUtcNow());
        var bytes = envelope.Encode(slot.Slice, migrations.CurrentVersion, config.CompressionThreshold ?? options.CompressionThreshold);
        var earlier = slot.Uncertain;
        slot.Uncertain = (bytes, value, source);
        // Before the write and not after it: a clear meanwhile is the next write's.
        if (!tombstone) slot.Cleared = false;
        try
        {
            await slot.Row.WriteAsync(bytes);
            Settle(slot);
        }
        catch (StorageUnavailableException)
        {
            // Nothing was written, so what is uncertain is still the one before.
            slot.Uncertain = earlier;
            throw;
        }
        catch (InconsistentStateException)
        {
            await ReconcileAsync(slot);
            // The row is as it was, so the value is not in it: nobody may be told that it is.
            if (!slot.Holds(value, source)) throw;
        }
    }

    /// <summary>Finds out what became of a write: committed, not committed, or overtaken by somebody else's.</summary>
    private async Task ReconcileAsync(SliceSlot slot)
    {
        var (stored, unchanged) = await slot.Row.ReadAgainAsync();
        if (stored.AsSpan().SequenceEqual(slot.Uncertain!.Value.Bytes)) Settle(slot);
        else if (unchanged) slot.Uncertain = null;
        else throw new SessionConflictException($"The {slot.Slice.Name} of {owner} have been written by another activation.");
    }

    private void Settle(SliceSlot slot)
    {
        var (bytes, value, source) = slot.Uncertain!.Value;
        var tombstone = slot.Cleared && value.Equals(slot.Slice.Get(AppState.Initial));
        slot.Uncertain = null;
        (slot.Written, slot.WrittenSource) = (value, source);
        slot.StoredVersion = tombstone ? null : migrations.CurrentVersion;
        RowWrites++;
        BytesWritten += bytes.Length;
        ChatterboxInstruments.RowWrites.Add(1);
        ChatterboxInstruments.BytesWritten.Add(bytes.Length);
        ChatterboxInstruments.BytesBeforeCompression.Add(SliceFrame.BodyLength(bytes));
    }

    [LoggerMessage(LogLevel.Error, "The {Slice} of {Session} cannot be read ({Bytes} bytes go to quarantine): {Reason}")]
    private partial void LogUnreadable(GrainId session, string slice, int bytes, string reason);

    [LoggerMessage(LogLevel.Warning, "The {Slice} of {Session} have schema version {Version}, this build knows {Known}: the session is read-only")]
    private partial void LogNewer(GrainId session, string slice, int version, int known);
}
