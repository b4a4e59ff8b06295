using System.Runtime.ExceptionServices;
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
    private SliceSlot[] _slots = [];

    private AppDefinition App => config.App.Definition;

    private DateTimeOffset? _lastGoodAt;

    /// <summary>The highest revision that was ever seen in the rows.</summary>
    private long _knownRevision;

    /// <summary>What is kept beside the live rows.</summary>
    public History History { get; } = new(storage, owner, HistoryRetention.Of(options), clock);

    /// <summary>The unfinished work of the session's clients.</summary>
    public RecoveryRow Recovery { get; } = new(storage, owner);

    /// <summary>Set when stored data is newer than this build: nothing may be written.</summary>
    public string? ReadOnly { get; private set; }

    /// <summary>What was found wrong on loading.</summary>
    public IReadOnlyList<string> Notices { get; private set; } = [];

    public int? PersistedVersion => _slots.Max(slot => slot.StoredVersion);

    /// <summary>
    /// Storage holds less than this session has loaded from it or written to it: it is no other writer's doing, the database has
    /// been set back, as by restoring a backup under a running silo.
    /// </summary>
    public bool WentBack { get; private set; }

    public long RowWrites { get; private set; }

    public long BytesWritten { get; private set; }

    /// <summary>
    /// There is something to write even if the state does not change: a migrated slice, or an entry of the history.
    /// </summary>
    public bool NeedsSave => ReadOnly is null && (History.HasPending || _slots.Any(slot => slot.Written is null));

    /// <summary>A row remembers clients as sending that have left, or that need not be remembered any more.</summary>
    public bool HasStaleApplied(SessionMoment moment) => ReadOnly is null
        && _slots.Any(slot => slot.Row.Length > 0 && !slot.WrittenApplied.Equals(moment.Applied[slot.Slice.Index]));

    public IEnumerable<StoredSlice> Describe(SessionState state) =>
        _slots.Select(slot => new StoredSlice(slot.Slice.Name, slot.Slice.Count(slot.Slice.Get(state)), slot.Row.Length));

    /// <summary>Reads every row. Throws when storage does, and then nothing is known and nothing may be written.</summary>
    public async Task<SessionMoment> LoadAsync()
    {
        var slots = App.Stored.Select(slice => new SliceSlot(slice, new StoredRow(storage, owner, slice.Name)))
            .ToArray();
        var reads = slots.Select(slot => slot.Row.ReadAsync(acceptsPending: true)).ToArray();
        await Task.WhenAll([.. reads, Recovery.LoadAsync()]);
        var rows = reads.Select(read => read.Result).ToArray();

        var (notices, kept) = (new List<string>(), new List<HistoryBundle>());
        var state = App.Initial;
        var applied = new AppliedMap[slots.Length];
        var revision = 0L;
        string? readOnly = null;
        for (var index = 0; index < slots.Length; index++)
        {
            var envelope = Open(slots[index], rows[index], notices, kept, ref readOnly);
            if (envelope.Value is not null) state = slots[index].Slice.With(state, envelope.Value);
            slots[index].WrittenSource = slots[index].Slice.Get(state);
            applied[index] = slots[index].WrittenApplied = envelope.Applied;
            revision = Math.Max(revision, envelope.Revision);
        }
        var unreadable = kept.Where(each => each.Reason is HistoryReason.Unreadable)
            .Select(each => each.Rows[0].Name).ToHashSet();
        if (unreadable.Count > 0)
        {
            state = await StartFromLastGoodAsync(slots.Where(slot => unreadable.Contains(slot.Slice.Name)), state, notices);
        }
        if (slots.Min(slot => slot.StoredVersion) is { } oldest && oldest < migrations.CurrentVersion)
            state = MigrateWhole(slots, rows, state, oldest, notices, kept);
        kept.AddRange(FindMigrated(slots, rows, revision));
        var expired = readOnly is null && FindExpired(slots, rows, revision, notices) is { } bundle ? bundle : null;
        if (expired is not null) kept.Add(expired);
        // Only now, since reading may fail: what is known of the rows stays together.
        (_slots, Notices, ReadOnly) = (slots, notices, readOnly);
        kept.ForEach(History.Add);
        (WentBack, _knownRevision) = (revision < _knownRevision, revision);
        return new(expired is null ? state : App.Initial, revision, applied, IsCleared: expired is not null)
        {
            IsPending = slots.Any(slot => slot.Row.IsPending),
        };
    }

    /// <summary>
    /// Writes what differs from storage. Slices are written on their own: those that can be are, before
    /// the first failure is thrown.
    /// </summary>
    /// <exception cref="SessionConflictException">The rows have been written by somebody else.</exception>
    /// <param name="withApplied">Rows are written as well whose clients alone have changed.</param>
    public async Task SaveAsync(SessionMoment moment, bool withApplied = false)
    {
        if (ReadOnly is not null) return;
        await History.SaveAsync();
        var stored = config.Partialize(moment.State);
        var writes = _slots.Select(slot =>
            SaveAsync(slot, slot.Slice.Get(stored), slot.Slice.Get(moment.State), moment, withApplied)).ToArray();
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

    /// <summary>A state as an entry of the history, with all of its slices: the same one for equal states.</summary>
    public HistoryBundle Bundle(HistoryReason reason, string detail, SessionState state, long revision) => new(
        reason, detail, clock.GetUtcNow(), migrations.CurrentVersion, revision,
        App.Stored.Select(slice =>
            new KeptRow(slice.Name, new SliceEnvelope(Revision: 0, AppliedMap.Empty, slice.Get(state))
                .Encode(owner, slice, migrations.CurrentVersion, compressionThreshold: 0))).ToValueList());

    /// <summary>Whether somebody else has written a row since it was last seen here.</summary>
    public async Task<bool> IsOvertakenAsync()
    {
        if (ReadOnly is not null || _slots.Any(slot => slot.Uncertain is not null || slot.Row.IsPending)) return false;
        var current = await Task.WhenAll(_slots.Select(slot => slot.Row.IsCurrentAsync()));
        return current.Contains(false);
    }

    /// <summary>Tells clients of something that was found beside what loading found.</summary>
    public void Notice(string notice) => Notices = [.. Notices, notice];

    /// <summary>
    /// Renews the last good copy when it is old, from a state that is durable, if this activation has written anything.
    /// </summary>
    public async Task RenewLastGoodAsync(SessionMoment durable)
    {
        if (ReadOnly is not null || RowWrites == 0) return;
        _lastGoodAt ??= (await History.ListAsync()).FirstOrDefault(each => each.Reason is HistoryReason.LastGood)?.At
            ?? DateTimeOffset.MinValue;
        if (clock.GetUtcNow() - _lastGoodAt < options.LastGoodAge) return;
        var copy = Bundle(HistoryReason.LastGood, "the daily copy", config.Partialize(durable.State), durable.Revision);
        await History.KeepAsync(copy);
        _lastGoodAt = copy.At;
    }

    /// <summary>Reads a row of the history as the slice that it is.</summary>
    public SliceReading Read(SliceDefinition slice, byte[] bytes) => SliceReading.Of(owner, slice, bytes, migrations);

    /// <summary>
    /// Whatever reading bytes throws is damage to them: nobody may be locked out by what is stored. Not for code that awaits.
    /// </summary>
    public static bool IsDamage(Exception exception) => exception is not OutOfMemoryException;

    private SliceEnvelope Open(SliceSlot slot, byte[]? row, List<string> notices, List<HistoryBundle> kept, ref string? readOnly)
    {
        var initial = slot.Slice.Get(App.Initial);
        slot.Written = initial;
        if (row is null) return new(0, AppliedMap.Empty, null);
        var reading = SliceReading.Of(owner, slot.Slice, row, migrations);
        (slot.StoredVersion, slot.SavedAt, slot.Written) =
            (reading.Version, reading.Envelope.SavedAt, reading.Envelope.Value ?? initial);
        if (slot.Row.IsPending) slot.Written = null;
        switch (reading.Outcome)
        {
            case CheckOutcome.Migrate:
                ChatterboxInstruments.Migrated.Add(1);
                slot.Written = null;
                break;
            case CheckOutcome.Unreadable:
                LogUnreadable(owner, slot.Slice.Name, row.Length, reading.Problem);
                notices.Add(
                    $"The stored {slot.Slice.Name} could not be read; their {row.Length} bytes are kept in "
                    + $"the history: {reading.Problem}");
                kept.Add(Bundle(HistoryReason.Unreadable, reading.Problem, reading.Version ?? 0, revision: 0,
                    [new(slot.Slice.Name, row)]));
                (slot.Written, slot.StoredVersion) = (null, null);
                break;
            case CheckOutcome.Newer:
                readOnly =
                    $"its {slot.Slice.Name} were stored by a newer version of the app (schema {reading.Version}; this silo "
                    + $"knows {migrations.CurrentVersion})";
                LogNewer(owner, slot.Slice.Name, reading.Version!.Value, migrations.CurrentVersion);
                break;
        }
        return reading.Envelope;
    }

    // What cannot be migrated as a whole is kept as a whole, and the state starts anew.
    private SessionState MigrateWhole(
        SliceSlot[] slots, byte[]?[] rows, SessionState state, int version, List<string> notices, List<HistoryBundle> kept)
    {
        try
        {
            var migrated = config.App.MigrateWhole(state, migrations, version);
            if (ReferenceEquals(migrated, state)) return state;
            // A row that was current may have changed with the others.
            foreach (var slot in slots.Where(slot => slot.Slice.Get(migrated) is var value
                && !value.Equals(slot.Written ?? slot.Slice.Get(App.Initial)))) slot.Written = null;
            return migrated;
        }
        catch (Exception failure) when (IsDamage(failure))
        {
            notices.Add($"The stored state could not be migrated; its rows are kept in the history: {failure.Message}");
            kept.Add(Bundle(HistoryReason.Unreadable, failure.Message, version, revision: 0,
                slots.Zip(rows).Where(each => each.Second is not null)
                    .Select(each => new KeptRow(each.First.Slice.Name, each.Second!))));
            foreach (var slot in slots.Where(slot => slot.Row.Length > 0)) (slot.Written, slot.StoredVersion) = (null, null);
            return App.Initial;
        }
    }

    private async Task<SessionState> StartFromLastGoodAsync(IEnumerable<SliceSlot> slots, SessionState state,
        List<string> notices)
    {
        var copy = await ReadLastGoodAsync();
        foreach (var slice in slots.Select(slot => slot.Slice))
        {
            var row = copy?.Rows.FirstOrDefault(each => each.Name == slice.Name).Bytes;
            if (row is null || Read(slice, row) is not { Outcome: null or CheckOutcome.Migrate } reading)
            {
                notices.Add($"The {slice.Name} start from defaults: there is no earlier copy of them.");
                continue;
            }
            state = slice.With(state, reading.Envelope.Value ?? slice.Get(App.Initial));
            notices.Add($"The {slice.Name} start from their last good copy of {copy!.At:u}.");
        }
        return state;
    }

    private async Task<HistoryBundle?> ReadLastGoodAsync()
    {
        if ((await History.ListAsync()).FirstOrDefault(each => each.Reason is HistoryReason.LastGood) is not { } entry)
        {
            return null;
        }
        try
        {
            return await History.ReadAsync(entry.Id);
        }
        catch (Exception damage) when (damage is FrameException or JsonException)
        {
            LogCopyUnreadable(owner, damage.Message);
            return null;
        }
    }

    private IEnumerable<HistoryBundle> FindMigrated(SliceSlot[] slots, byte[]?[] rows, long revision)
    {
        var migrated = slots.Zip(rows)
            .Where(each => each.First is { Written: null, StoredVersion: { } version } && version < migrations.CurrentVersion)
            .ToArray();
        return migrated.Length == 0 ? [] :
        [
            Bundle(HistoryReason.BeforeMigration,
                $"version {migrated.Min(each => each.First.StoredVersion)}, before its migration to {migrations.CurrentVersion}",
                migrated.Min(each => each.First.StoredVersion)!.Value, revision,
                migrated.Select(each => new KeptRow(each.First.Slice.Name, each.Second!))),
        ];
    }

    private HistoryBundle? FindExpired(SliceSlot[] slots, byte[]?[] rows, long revision, List<string> notices)
    {
        if (config.ExpiresAfter is not { } limit || slots.Max(slot => slot.SavedAt) is not { } savedAt
            || clock.GetUtcNow() - savedAt <= limit)
        {
            return null;
        }
        notices.Add($"What was last saved at {savedAt:u} has expired and is not shown; it is kept in the history.");
        return Bundle(HistoryReason.Expired, $"the state of {savedAt:u} had expired", migrations.CurrentVersion, revision,
            slots.Zip(rows).Where(each => each.Second is not null)
                .Select(each => new KeptRow(each.First.Slice.Name, each.Second!)));
    }

    private HistoryBundle Bundle(HistoryReason reason, string detail, int version, long revision, IEnumerable<KeptRow> rows) =>
        new(reason, detail, clock.GetUtcNow(), version, revision, rows.ToValueList());

    private async Task SaveAsync(SliceSlot slot, object value, object source, SessionMoment moment, bool withApplied)
    {
        if (slot.Uncertain is not null) await TryReconcileAsync(slot);
        var applied = moment.Applied[slot.Slice.Index];
        var isTombstone = moment.IsCleared && value.Equals(slot.Slice.Get(App.Initial));
        // Whoever sends again what was replaced before it was ever stored must find that it has been seen.
        var isUntold = (isTombstone && slot.StoredVersion is not null)
            || ((isTombstone || moment.IsReplaced) && applied.Entries.Length > 0);
        var isStale = withApplied && slot.Row.Length > 0 && !slot.WrittenApplied.Equals(applied);
        var isHeld = slot.Holds(value, source) && !isUntold;
        if (isHeld && !isStale) return;

        // That clients have left does not put off when the state expires.
        var savedAt = config.ExpiresAfter is null ? (DateTimeOffset?)null : isHeld ? slot.SavedAt : clock.GetUtcNow();
        var envelope = new SliceEnvelope(moment.Revision, applied, isTombstone ? null : value,
            savedAt);
        var bytes = envelope.Encode(owner, slot.Slice, migrations.CurrentVersion,
            config.CompressionThreshold ?? options.CompressionThreshold);
        var earlier = slot.Uncertain;
        slot.Uncertain = new(bytes, value, source, isTombstone ? null : migrations.CurrentVersion, applied, savedAt);
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
            // Whether that write is in cannot be known now. The next is made all the same, under the etag from before, so that
            // the fallback has the latest; where the database is back in the meantime, the etag tells.
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
        var (bytes, value, source, version, applied, savedAt) = slot.Uncertain!;
        slot.Uncertain = null;
        (slot.Written, slot.WrittenSource, slot.StoredVersion, slot.WrittenApplied, slot.SavedAt) =
            (value, source, version, applied, savedAt);
        RowWrites++;
        BytesWritten += bytes.Length;
        ChatterboxInstruments.RowWrites.Add(1);
        ChatterboxInstruments.BytesWritten.Add(bytes.Length);
        ChatterboxInstruments.BytesBeforeCompression.Add(SliceFrame.BodyLength(bytes));
    }

    [LoggerMessage(LogLevel.Error, "The {Slice} of {Session} cannot be read ({Bytes} bytes are kept in the history): {Reason}")]
    private partial void LogUnreadable(GrainId session, string slice, int bytes, string reason);

    [LoggerMessage(LogLevel.Warning, "The last good copy of {Session} cannot be read: {Reason}")]
    private partial void LogCopyUnreadable(GrainId session, string reason);

    [LoggerMessage(LogLevel.Warning,
        "The {Slice} of {Session} have schema version {Version}, this build knows {Known}: the session is read-only")]
    private partial void LogNewer(GrainId session, string slice, int version, int known);
}
