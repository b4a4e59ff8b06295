using System.Runtime.ExceptionServices;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace Chatterbox.Grains.Persistence;

/// <summary>Somebody else has written this session's rows: load again, and put on top what is not stored.</summary>
internal sealed class SessionConflictException(string message) : Exception(message);

/// <summary>A state that is to be kept as the copy from before, before any of its rows is written over.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.Unkept")]
internal sealed record Unkept([property: Id(0)] AppState State, [property: Id(1)] long Revision, [property: Id(2)] string Reason);

/// <summary>
/// A session's rows: loads them, never fails on what is in them, and writes only the slices that differ from what is stored.
/// </summary>
internal sealed partial class SessionStore(
    IGrainStorage storage, GrainId owner, PersistConfig config, MigrationChain migrations, ChatterboxOptions options,
    TimeProvider clock, ILogger logger)
{
    private readonly Quarantine _quarantine = new(storage, owner, clock);
    private KeptCopy? _lastGood;
    private KeptCopy? _before;
    private SliceSlot[] _slots = [];

    /// <summary>What had expired when it was loaded.</summary>
    private Unkept? _expired;

    /// <summary>The highest revision that was ever seen in the rows.</summary>
    private long _knownRevision;

    public Quarantine Quarantine => _quarantine;

    /// <summary>Whether clients have, or had, work in hand.</summary>
    public RecoveryMarker Marker { get; } = new(storage, owner);

    /// <summary>Set when stored data is newer than this build: nothing may be written.</summary>
    public string? ReadOnly { get; private set; }

    /// <summary>What was found wrong on loading.</summary>
    public IReadOnlyList<string> Notices { get; private set; } = [];

    public int? PersistedVersion => _slots.Max(slot => slot.StoredVersion);

    /// <summary>
    /// Storage holds less than this session has loaded from it or written to it: it is no other writer's doing, the database has been set
    /// back, as by restoring a backup under a running silo.
    /// </summary>
    public bool WentBack { get; private set; }

    public long RowWrites { get; private set; }

    public long BytesWritten { get; private set; }

    /// <summary>There is something to write even if the state does not change: a migrated slice, or bytes to put in quarantine.</summary>
    public bool NeedsSave => ReadOnly is null && (_expired is not null || _slots.Any(slot => slot.NeedsWrite));

    private KeptCopy LastGood => _lastGood ??= new(storage, owner, "last-good", migrations, _quarantine, clock, logger);

    private KeptCopy Before => _before ??= new(storage, owner, "before", migrations, _quarantine, clock, logger);

    public IEnumerable<StoredSlice> Describe(AppState state) =>
        _slots.Select(slot => new StoredSlice(slot.Slice.Slice, slot.Slice.Count(slot.Slice.Get(state)), slot.Row.Length));

    /// <summary>Reads every row. Throws when storage does, and then nothing is known and nothing may be written.</summary>
    public async Task<SessionMoment> LoadAsync()
    {
        var slots = SliceDefinition.All.Select(slice => new SliceSlot(slice, new StoredRow(storage, owner, slice.Name))).ToArray();
        var reads = slots.Select(slot => slot.Row.ReadAsync(acceptsPending: true)).ToArray();
        await Task.WhenAll([.. reads, Marker.LoadAsync()]);
        var rows = reads.Select(read => read.Result).ToArray();

        var notices = new List<string>();
        var state = AppState.Initial;
        var applied = new AppliedMap[slots.Length];
        var revision = 0L;
        string? readOnly = null;
        for (var index = 0; index < slots.Length; index++)
        {
            var envelope = Open(slots[index], rows[index], notices, ref readOnly);
            if (envelope.Value is not null) state = slots[index].Slice.With(state, envelope.Value);
            slots[index].WrittenSource = slots[index].Slice.Get(state);
            applied[index] = envelope.Applied;
            revision = Math.Max(revision, envelope.Revision);
        }
        if (slots.Any(slot => slot.Unpreserved is { Kind: QuarantineKind.Unreadable })) state = await FallBackAsync(slots, state, notices);
        var expired = readOnly is null ? FindExpired(slots, state, revision, notices) : null;
        // Only now, since reading may fail: what is known of the rows stays together.
        (_slots, _expired, Notices, ReadOnly) = (slots, expired, notices, readOnly);
        (WentBack, _knownRevision) = (revision < _knownRevision, revision);
        return new(expired is null ? state : AppState.Initial, revision, applied, IsCleared: expired is not null)
        {
            IsPending = slots.Any(slot => slot.Row.IsPending),
        };
    }

    /// <summary>
    /// Writes what differs from storage. Slices are written on their own: those that can be are, before the first failure is thrown.
    /// </summary>
    /// <exception cref="SessionConflictException">The rows have been written by somebody else.</exception>
    public async Task SaveAsync(SessionMoment moment)
    {
        if (ReadOnly is not null) return;
        if (_expired is not null) await Before.KeepAsync(_expired.State, _expired.Revision, _expired.Reason);
        _expired = null;
        foreach (var slot in _slots.Where(slot => slot.Unpreserved is not null)) await PreserveAsync(slot);

        var stored = config.Partialize(moment.State);
        var writes = _slots.Select(slot => SaveAsync(slot, slot.Slice.Get(stored), slot.Slice.Get(moment.State), moment)).ToArray();
        var failures = new List<Exception>();
        foreach (var write in writes)
        {
            try
            {
                await write;
            }
            catch (Exception failure)
            {
                failures.Add(failure);
            }
        }
        if (failures.Count == 0) return;
        ExceptionDispatchInfo.Throw(failures.OfType<SessionConflictException>().FirstOrDefault() ?? failures[0]);
    }

    /// <summary>Keeps the state as the copy to come back to should what follows be a mistake. Returns once it is durable.</summary>
    public Task KeepBeforeAsync(SessionMoment moment, string reason) =>
        ReadOnly is null ? Before.KeepAsync(moment.State, moment.Revision, reason) : Task.CompletedTask;

    /// <summary>The copy to come back to; what has expired is one before it is stored as one.</summary>
    public async Task<Copy?> ReadBeforeAsync() =>
        _expired is { } expired ? new(expired.Reason, clock.GetUtcNow(), expired.Revision, expired.State) : await Before.ReadAsync();

    /// <summary>Tells clients of something that was found beside what loading found.</summary>
    public void Notice(string notice) => Notices = [.. Notices, notice];

    /// <summary>Renews the last good copy when it is old, from a state that is durable.</summary>
    public async Task RenewLastGoodAsync(SessionMoment durable)
    {
        if (ReadOnly is not null || durable.Revision == 0) return;
        if (LastGood.At is null) await LastGood.ReadAsync();
        if (LastGood.At is { } at && clock.GetUtcNow() - at < options.LastGoodAge) return;
        await LastGood.KeepAsync(config.Partialize(durable.State), durable.Revision, "the daily copy");
    }

    /// <summary>Reads bytes from quarantine as the slice they were set aside from.</summary>
    public object Read(SliceDefinition slice, byte[] bytes)
    {
        var (version, body) = SliceFrame.Decode(bytes);
        return SliceEnvelope.Decode(owner, slice, version, body.Span, migrations).Value ?? slice.Get(AppState.Initial);
    }

    /// <summary>Whatever reading bytes throws is damage to them: nobody may be locked out by what is stored. Not for code that awaits.</summary>
    public static bool IsDamage(Exception exception) => exception is not OutOfMemoryException;

    private SliceEnvelope Open(SliceSlot slot, byte[]? row, List<string> notices, ref string? readOnly)
    {
        var initial = slot.Slice.Get(AppState.Initial);
        slot.Written = initial;
        if (row is null) return new(0, AppliedMap.Empty, null);
        var reading = SliceReading.Of(owner, slot.Slice, row, migrations);
        (slot.StoredVersion, slot.SavedAt, slot.Written) = (reading.Version, reading.Envelope.SavedAt, reading.Envelope.Value ?? initial);
        if (slot.Row.IsPending) slot.Written = null;
        switch (reading.Outcome)
        {
            case CheckOutcome.Migrate:
                ChatterboxInstruments.Migrated.Add(1);
                slot.Written = null;
                slot.Unpreserved = new(row, QuarantineKind.Migrated, $"version {reading.Version}, before its migration to {migrations.CurrentVersion}");
                break;
            case CheckOutcome.Quarantine:
                LogUnreadable(owner, slot.Slice.Name, row.Length, reading.Problem);
                notices.Add($"The stored {slot.Slice.Name} could not be read; their {row.Length} bytes are kept in quarantine: {reading.Problem}");
                slot.Unpreserved = new(row, QuarantineKind.Unreadable, reading.Problem);
                (slot.Written, slot.StoredVersion) = (null, null);
                break;
            case CheckOutcome.Newer:
                readOnly = $"its {slot.Slice.Name} were stored by a newer version of the app (schema {reading.Version}; this silo knows {migrations.CurrentVersion})";
                LogNewer(owner, slot.Slice.Name, reading.Version!.Value, migrations.CurrentVersion);
                break;
        }
        return reading.Envelope;
    }

    // What cannot be read starts from the last good copy.
    private async Task<AppState> FallBackAsync(SliceSlot[] slots, AppState state, List<string> notices)
    {
        var copy = await LastGood.ReadAsync();
        foreach (var slot in slots.Where(slot => slot.Unpreserved is { Kind: QuarantineKind.Unreadable }))
        {
            if (copy is null)
            {
                notices.Add($"The {slot.Slice.Name} start from defaults: there is no earlier copy of them.");
                continue;
            }
            state = slot.Slice.With(state, slot.Slice.Get(copy.State));
            notices.Add($"The {slot.Slice.Name} start from their last good copy of {copy.At:u}.");
        }
        return state;
    }

    private Unkept? FindExpired(SliceSlot[] slots, AppState state, long revision, List<string> notices)
    {
        if (config.ExpiresAfter is not { } limit || slots.Max(slot => slot.SavedAt) is not { } savedAt || clock.GetUtcNow() - savedAt <= limit) return null;
        notices.Add($"What was last saved at {savedAt:u} has expired and is not shown; a copy is kept.");
        return new(state, revision, $"the state of {savedAt:u} had expired");
    }

    private async Task PreserveAsync(SliceSlot slot)
    {
        var (bytes, kind, reason) = slot.Unpreserved!;
        await _quarantine.KeepAsync(slot.Slice.Name, bytes, kind, reason);
        ChatterboxInstruments.Quarantined.Add(1, ChatterboxInstruments.Kind(kind.ToString().ToLowerInvariant()));
        slot.Unpreserved = null;
    }

    private async Task SaveAsync(SliceSlot slot, object value, object source, SessionMoment moment)
    {
        if (slot.Uncertain is not null) await TryReconcileAsync(slot);
        var applied = moment.Applied[(int)slot.Slice.Slice];
        var isTombstone = moment.IsCleared && value.Equals(slot.Slice.Get(AppState.Initial));
        // Whoever sends again what was replaced before it was ever stored must find that it has been seen.
        var isUntold = (isTombstone && slot.StoredVersion is not null) || ((isTombstone || moment.IsReplaced) && applied.Entries.Length > 0);
        if (slot.Holds(value, source) && !isUntold) return;

        var envelope = new SliceEnvelope(moment.Revision, applied, isTombstone ? null : value,
            config.ExpiresAfter is null ? null : clock.GetUtcNow());
        var bytes = envelope.Encode(owner, slot.Slice, migrations.CurrentVersion, config.CompressionThreshold ?? options.CompressionThreshold);
        var earlier = slot.Uncertain;
        slot.Uncertain = new(bytes, value, source, isTombstone ? null : migrations.CurrentVersion);
        try
        {
            await slot.Row.WriteAsync(bytes);
            Settle(slot);
            _knownRevision = Math.Max(_knownRevision, moment.Revision);
        }
        catch (StorageUnavailableException)
        {
            // Nothing was written, so what is uncertain is still the one before.
            slot.Uncertain = earlier;
            throw;
        }
        catch (InconsistentStateException)
        {
            // The row is as it was: nobody may be told that the value is in it.
            if (!await ReconcileAsync(slot)) throw;
        }
    }

    private async Task TryReconcileAsync(SliceSlot slot)
    {
        try
        {
            await ReconcileAsync(slot);
        }
        catch (StorageUnavailableException)
        {
            // Whether that write is in cannot be known now. The next is made all the same, under the etag from before, so that the
            // fallback has the latest; where the database is back in the meantime, the etag tells.
        }
    }

    /// <summary>Finds out what became of a write. False when it was not committed.</summary>
    /// <exception cref="SessionConflictException">It was overtaken by somebody else's.</exception>
    private async Task<bool> ReconcileAsync(SliceSlot slot)
    {
        var isCommitted = await slot.Row.HoldsAsync(slot.Uncertain!.Bytes);
        if (isCommitted) Settle(slot);
        else slot.Uncertain = null;
        return isCommitted;
    }

    private void Settle(SliceSlot slot)
    {
        var (bytes, value, source, version) = slot.Uncertain!;
        slot.Uncertain = null;
        (slot.Written, slot.WrittenSource, slot.StoredVersion) = (value, source, version);
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
