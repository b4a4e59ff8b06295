using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Grains;

/// <summary>Coming back: from a crash, from a clear or an import, from quarantine.</summary>
internal sealed partial class UserSessionGrain
{
    private const string BeforeClear = "a clear";

    /// <summary>What was in hand when somebody died; null once it has been come back to, or let go.</summary>
    private WorkInHand? _crash;

    /// <summary>Clients that were attached when the silo died. Were they all to come back, nothing would have been interrupted.</summary>
    private readonly HashSet<string> _awaited = new(StringComparer.Ordinal);

    private readonly Turns _undoing = new();

    /// <summary>Completed once changes are taken again; null while they are.</summary>
    private TaskCompletionSource? _changesHeld;

    /// <summary>The state from before an undo, which is kept once the undo is durable: until then its copy is the only one.</summary>
    private SessionMoment? _undone;

    private CrashInfo? Crash => _crash?.StillIn(_log.State) is { IsNone: false } crash
        ? new(crash.Chunks, crash.BatchItems, crash.IsGenerating)
        : null;

    // Clients that only look on leave the marker as it is: a reader's good-bye writes nothing.
    private bool IsMarkerStale => _store.Marker.Written is not { IsNone: true } && _crash is null;

    public async Task<RecoveryReport> RecoverFromCrashAsync()
    {
        if (ReadOnly is { } why) return new() { Refused = new("session", "read-only", why) };
        if (_crash is null) return await UndoClearAsync();

        var crash = _crash.StillIn(_log.State);
        EndCrash(crash, id => new SetChunkStatus(id, WorkStatus.Interrupted), id => new SetBatchItemStatus(id, WorkStatus.Interrupted));
        var failure = (await FlushAsync()).Failure;
        return new() { Chunks = crash.Chunks, BatchItems = crash.BatchItems, Unsaved = failure };
    }

    public async Task<FlushReply> ClearRecoveryStateAsync()
    {
        if (ReadOnly is { } why) return new(_log.Epoch, _log.DurableRevision, why);
        if (_crash is null) return await FlushAsync();

        using (await KeepLastGoodAsync("dropping interrupted work")) EndCrash(_crash.StillIn(_log.State), id => new RemoveChunk(id), id => new RemoveBatchItem(id));
        return await FlushAsync();
    }

    public Task<RecoveryReport> UndoAsync() => _undoing.RunAsync(UndoOnceAsync);

    private async Task<RecoveryReport> UndoOnceAsync()
    {
        // Until the undo before this one is durable, memory alone holds what that has undone.
        if (_undone is not null) await FlushAsync();
        if (_undone is not null)
        {
            return new() { Refused = new("undo", "a second one", "one at a time: the one before is not saved yet") };
        }
        if (ReadOnly is { } why) return new() { Refused = new("session", "read-only", why) };
        if (await _store.ReadBeforeAsync() is not { } copy)
        {
            return new() { Refused = Rejection.OfText("copy", null, "a copy from before a clear, import or clean-up; there is none") };
        }
        var (state, missing) = await WithStoredAudioAsync(copy.State);
        _undone = _log.Moment;
        _saver.Replace(state, $"the state from before {copy.Reason} was put back");
        var failure = (await FlushAsync()).Failure;
        return new() { Restored = [$"the state from before {copy.Reason}, of {copy.At:u}", .. missing], Unsaved = failure };
    }

    public async Task<ValueList<QuarantineItem>> ListQuarantineAsync() => (await _store.Quarantine.ListAsync())
        .Select(entry => new QuarantineItem(entry.Id, entry.Slice, Name(entry.Kind), entry.Reason, entry.At, entry.Length)).ToValueList();

    public async Task<byte[]?> ReadQuarantineAsync(string id) => await FindQuarantineAsync(id) is null ? null : await _store.Quarantine.ReadAsync(id);

    public async Task<RecoveryReport> RestoreQuarantineAsync(string id)
    {
        if (ReadOnly is { } why) return new() { Refused = new("session", "read-only", why) };
        if (await FindQuarantineAsync(id) is not { } entry || await _store.Quarantine.ReadAsync(id) is not { } bytes)
        {
            return new() { Refused = Rejection.OfText("quarantine id", id, "one that 'quarantine list' shows") };
        }
        if (SliceDefinition.All.FirstOrDefault(each => each.Name == entry.Slice) is not { } slice)
        {
            return new() { Refused = Rejection.OfText("slice", entry.Slice, "a slice that this silo knows") };
        }
        object value;
        try
        {
            value = _store.Read(slice, bytes);
        }
        catch (Exception damage) when (SessionStore.IsDamage(damage))
        {
            return new() { Refused = new("quarantine", $"{id}", $"bytes that this silo can read: {damage.Message}") };
        }
        var (restored, missing) = await WithStoredAudioAsync(slice.With(AppState.Initial, value));
        value = slice.Get(restored);
        using (await KeepLastGoodAsync($"restoring {entry.Slice} from quarantine"))
            _saver.Replace(slice.With(_log.State, value), $"{entry.Slice} were restored from quarantine");
        return new() { Restored = [$"{entry.Slice}, set aside at {entry.At:u}", .. missing],
            Unsaved = (await FlushAsync()).Failure };
    }

    public Task<bool> DropQuarantineAsync(string id) => _store.Quarantine.DropAsync(id);

    private async Task<QuarantineEntry?> FindQuarantineAsync(string id) =>
        (await _store.Quarantine.ListAsync()).FirstOrDefault(entry => entry.Id == id);

    private async Task<RecoveryReport> UndoClearAsync()
    {
        // Once anything has followed the clear, putting the old state back would cost that.
        var isCleared = _log.State with { Runtime = RuntimeState.Default } == AppState.Initial;
        return isCleared && await _store.ReadBeforeAsync() is { Reason: BeforeClear } ? await UndoAsync() : new RecoveryReport();
    }

    /// <summary>
    /// Keeps the state as it is, durably, before something replaces it. Changes that arrive during a first attempt make its copy old;
    /// during the second they wait, so that a busy writer cannot put the replacement off.
    /// </summary>
    /// <returns>Disposed once the state has been replaced: changes that wait go on then.</returns>
    private async Task<IDisposable> KeepLastGoodAsync(string reason)
    {
        var kept = await KeepBeforeAsync(reason);
        if (kept == _log.Revision) return new Hold(this, null);
        while (_changesHeld is { } other) await other.Task;
        var hold = new Hold(this, _changesHeld = new(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            // The session's own changes are not held.
            while (await KeepBeforeAsync(reason) != _log.Revision)
            {
            }
            return hold;
        }
        catch
        {
            hold.Dispose();
            throw;
        }
    }

    private async Task<long> KeepBeforeAsync(string reason)
    {
        var moment = _log.Moment;
        if (moment.State with { Runtime = RuntimeState.Default } != AppState.Initial) await _store.KeepBeforeAsync(moment, reason);
        return moment.Revision;
    }

    private sealed class Hold(UserSessionGrain session, TaskCompletionSource? held) : IDisposable
    {
        public void Dispose()
        {
            if (held is null || session._changesHeld != held) return;
            session._changesHeld = null;
            held.SetResult();
        }
    }

    /// <summary>What the recovery row should say now.</summary>
    private WorkInHand Marker(AppState state) =>
        _crash is { } crash && crash.StillIn(state) is { IsNone: false } left ? left with { Crashed = true }
        : _leases.Count > 0 ? WorkInHand.Of(state, _leases.All.Select(lease => lease.Client.Client), crashed: false)
        : WorkInHand.None;

    private void NoteCrash()
    {
        if (_store.Marker.Written is not { IsNone: false } open || open is { Crashed: false, Clients.Count: 0 }) return;
        _crash = open;
        if (!open.Crashed) _awaited.UnionWith(open.Clients);
    }

    private void CameBack(string client)
    {
        if (_awaited.Remove(client) && _awaited.Count == 0) _crash = null;
    }

    private void WentAway()
    {
        var left = WorkInHand.Of(_log.State, [], crashed: true);
        if (left.IsNone) return;
        _crash = left;
        _awaited.Clear();
        _writer.Changed();
    }

    private void EndCrash(WorkInHand crash, Func<string, AppStateChange> chunk, Func<string, AppStateChange> batchItem)
    {
        ApplyOwn([
            .. crash.Chunks.Select(chunk), .. crash.BatchItems.Select(batchItem),
            new SetGenerating(IsGenerating: false, CurrentGeneratingId: null),
        ]);
        _crash = null;
        _awaited.Clear();
        // The marker has to be written even if the state does not change.
        _writer.Changed();
    }

    private async Task KeepUndoneAsync()
    {
        if (_undone is not { } replaced || _log.IsReplaced) return;
        await _store.KeepBeforeAsync(replaced, "an undo");
        if (_undone == replaced) _undone = null;
    }

    /// <summary>Changes of the session's own making, told to every client.</summary>
    private void ApplyOwn(IEnumerable<AppStateChange> changes)
    {
        var from = _log.Revision;
        var taken = changes.Select(_log.ApplyOwn).OfType<AppliedChange>().ToValueList();
        if (taken.Count == 0) return;
        _writer.Changed();
        _feed.Publish(_log.Epoch, new ChangesApplied(from, _log.Revision, taken));
    }

    /// <summary>What is done when there is nothing better to do. Its failure costs nothing but a copy.</summary>
    private async Task MaintainAsync()
    {
        try
        {
            if (_log.DurableRevision == _log.Revision) await _store.RenewLastGoodAsync(_log.Moment);
        }
        catch (Exception failure)
        {
            LogNotMaintained(Key, failure.Message);
        }
    }

    private static string Name(QuarantineKind kind) => kind.ToString().ToLowerInvariant();

    [LoggerMessage(LogLevel.Warning, "The last good copy of session {Session} could not be renewed: {Reason}")]
    private partial void LogNotMaintained(string session, string reason);
}
