using Chatterbox.Grains.FanOut;
using Chatterbox.Grains.FanOut.Streams;
using Chatterbox.Grains.Import;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Storage;

namespace Chatterbox.Grains;

/// <summary>
/// A user's session. Reentrant: whatever has to be atomic happens between two awaits, in <see cref="SessionLog"/>, so that a
/// save under way never makes a change wait.
/// </summary>
[Reentrant, GrainType(TypeName)]
internal sealed partial class UserSessionGrain(
    PersistConfigs configs, MigrationChain migrations, IOptions<ChatterboxOptions> options, TimeProvider clock,
    [FromKeyedServices(ChatterboxStorage.Name)] IGrainStorage storage, ILogger<UserSessionGrain> logger)
    : Grain, IUserSessionGrain
{
    internal const string TypeName = "chatterbox.session";

    private readonly ChatterboxOptions _options = options.Value;
    private readonly SessionLog _log = new(options.Value.RecentChanges);
    private readonly Leases _leases = new(options.Value.Lease, clock);
    private IStorageStatus? _storageStatus;
    private SessionStore _store = null!;
    private SessionFeed _feed = null!;
    private WriteBehind _writer = null!;
    private SessionSaver _saver = null!;
    private IGrainTimer? _saveTimer;
    private IGrainTimer? _leaseTimer;

    // What the instruments were told of this session.
    private int _countedClients;
    private bool _countsAsReadOnly;
    private bool _isCountedOut;

    private string Key => this.GetPrimaryKeyString();

    private SaveStatus Save => OfStorage(_writer.Failing is { } failing ? new(SaveState.Failing, failing.Since, failing.Reason)
        : _log.DurableRevision < _log.Revision ? SaveStatus.Saving
        : SaveStatus.Saved);

    private string? ReadOnly => _store.ReadOnly is { } why ? $"The session is read-only: {why}." : null;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (!SessionId.TryParse(Key, out var id)) throw new SessionUnknownException(Rejection.OfText("session", Key, "user/store"));
        var config = configs.Find(id.Store) ?? throw new SessionUnknownException(
            Rejection.OfText("store", id.Store, $"a registered store: {string.Join(", ", configs.Names)}"));

        _storageStatus = ServiceProvider.GetService<IStorageStatus>();
        _store = new(storage, this.GetGrainId(), config, migrations, _options, clock, logger);
        _feed = new(Key, ServiceProvider.GetRequiredService<EventQueues>(), _leases);
        _writer = new(new DebouncePolicy(config.WriteDelay!.Value, config.MaxWriteDelay!.Value),
            new RetryPolicy(_options.RetryDelay, _options.MaxRetryDelay, Random.Shared.NextDouble), clock, () => _saver.SaveAsync(), ArmSaveTimer);
        _saver = new(_log, _store, clock, logger)
        {
            Marker = Marker,
            AfterWrite = _ =>
            {
                NoteSaved();
                return KeepUndoneAsync();
            },
            Publish = what => _feed.Publish(_log.Epoch, what),
            Changed = _writer.Changed,
        };
        _writer.FailingChanged += () =>
        {
            if (!_isCountedOut) ChatterboxInstruments.FailingSessions.Add(_writer.Failing is null ? -1 : 1);
            _feed.Publish(_log.Epoch, new SaveStatusChanged(Save));
        };

        var isMoved = TryResume();
        if (!isMoved) await LoadAsync();
        ChatterboxInstruments.Arrived.Add(1, ChatterboxInstruments.By(isMoved ? "image" : "storage"));
        ChatterboxInstruments.LiveSessions.Add(1);
        _countsAsReadOnly = ReadOnly is not null;
        if (_countsAsReadOnly) ChatterboxInstruments.ReadOnlySessions.Add(1);
        if (_writer.Failing is not null) ChatterboxInstruments.FailingSessions.Add(1);
        CountClients();
        if (_store.NeedsSave || (ReadOnly is null && RemoveOldWorkSessions().Any())) _writer.Changed();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_log.Epoch == 0) return;
        CountOut();
        var moving = IsMoving(reason);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(moving ? MovingFlush : _options.ShutdownFlush);
        while (await FlushAsync(deadline.Token) is { } failure)
        {
            // What is unsaved travels along.
            if (moving) break;
            if (deadline.IsCancellationRequested)
            {
                LogUnsaved(Key, _log.Revision - _log.DurableRevision, reason.ReasonCode, failure);
                CountDrained(reason, "unsaved");
                return;
            }
            await Task.Delay(_options.RetryDelay, clock, CancellationToken.None);
        }
        CountDrained(reason, moving ? "moved" : "saved");
        if (!moving && !deadline.IsCancellationRequested) await MaintainAsync();
    }

    private static void CountDrained(DeactivationReason reason, string outcome)
    {
        if (reason.ReasonCode is DeactivationReasonCode.ShuttingDown) ChatterboxInstruments.Drained.Add(1, ChatterboxInstruments.Outcome(outcome));
    }

    private void CountOut()
    {
        ChatterboxInstruments.LiveSessions.Add(-1);
        ChatterboxInstruments.AttachedClients.Add(-_countedClients);
        if (_writer.Failing is not null) ChatterboxInstruments.FailingSessions.Add(-1);
        if (_countsAsReadOnly) ChatterboxInstruments.ReadOnlySessions.Add(-1);
        _isCountedOut = true;
    }

    private void CountClients()
    {
        if (_isCountedOut) return;
        ChatterboxInstruments.AttachedClients.Add(_leases.Count - _countedClients);
        _countedClients = _leases.Count;
    }

    public Task<AttachReply> AttachAsync(AttachRequest request)
    {
        if (Check(request) is { } wrong) return Task.FromResult(new AttachReply { Refused = wrong, Protocol = Protocol.Version });

        var client = request.Client;
        if (_leases.Start(client, request.Device, request.Slices)) PublishPresence();
        if (_log.Attach(client.Client, request.NextSequence, request.SeenRevision)) _writer.Changed();
        CameBack(client.Client);
        SweepLeases();
        return Task.FromResult(new AttachReply
        {
            State = _log.Since(request.Epoch, request.SeenRevision, request.Slices),
            Applied = _log.AppliedOf(client.Client),
            Save = Save,
            Notices = _store.Notices.ToValueList(),
            ReadOnly = ReadOnly,
            Lease = _options.Lease,
            Protocol = Protocol.Version,
            Crash = Crash,
            SchemaVersion = migrations.CurrentVersion,
        });
    }

    public async Task DetachAsync(ClientId client)
    {
        if (!_leases.End(client.Client)) return;
        PublishPresence();
        if (_leases.Count == 0)
        {
            if (IsMarkerStale) _writer.Changed();
            await _writer.FlushAsync();
        }

        // What is not durable yet the client may have to send again, so it has to be told apart.
        if (!_leases.Holds(client.Client) && _log.DurableRevision == _log.Revision) _log.ForgetClient(client.Client);
    }

    public Task<HeartbeatReply> HeartbeatAsync(ClientId client) => Task.FromResult(new HeartbeatReply
    {
        Attached = _leases.Renew(client.Client) && _log.Knows(client.Client),
        Epoch = _log.Epoch,
        Revision = _log.Revision,
        DurableRevision = _log.DurableRevision,
        Save = Save,
    });

    public Task<ApplyReply> ApplyAsync(ChangeBatch batch) => _changesHeld is null ? Task.FromResult(Apply(batch)) : ApplyLaterAsync(batch);

    public Task<CatchUp> GetChangesSinceAsync(long epoch, long revision, ValueList<Slice>? slices) =>
        Task.FromResult(_log.Since(epoch, revision, slices));

    private ApplyReply Apply(ChangeBatch batch)
    {
        var reply = new ApplyReply { Epoch = _log.Epoch, DurableRevision = _log.DurableRevision };
        if (Check(batch) is { } wrong) return reply with { Result = ApplyResult.Refused, Refused = wrong };
        if (batch.Epoch != _log.Epoch || !_log.Knows(batch.Client)) return reply with { Result = ApplyResult.OtherEpoch };
        if (batch.After >= _log.NextSequence(batch.Client)) return reply with { Result = ApplyResult.Gap };

        var from = _log.Revision;
        var outcomes = new ChangeOutcome[batch.Changes.Count];
        var taken = new List<AppliedChange>(outcomes.Length);
        for (var index = 0; index < outcomes.Length; index++)
        {
            outcomes[index] = _log.Apply(batch.Client, batch.Changes[index], out var applied);
            if (applied is not null) taken.Add(applied);
        }
        if (taken.Exists(applied => applied.Change is UpsertWorkSession)) taken.AddRange(RemoveOldWorkSessions());
        if (taken.Count > 0)
        {
            _writer.Changed();
            _feed.Publish(_log.Epoch, new ChangesApplied(from, _log.Revision, taken.ToValueList()));
        }
        return reply with { Outcomes = ValueList.Create<ChangeOutcome>(outcomes) };
    }

    private async Task<ApplyReply> ApplyLaterAsync(ChangeBatch batch)
    {
        while (_changesHeld is { } held) await held.Task;
        return Apply(batch);
    }

    /// <summary>What the store does not keep leaves by changes that every client sees, before anything is stored without it.</summary>
    private IEnumerable<AppliedChange> RemoveOldWorkSessions() => [.. OldWorkSessions
        .Removals(_log.State, configs.Find(Id.Store)!.Partialize(_log.State)).Select(_log.ApplyOwn).OfType<AppliedChange>()];

    public async Task<FlushReply> FlushAsync()
    {
        var failure = ReadOnly ?? await _writer.FlushAsync();
        return new(_log.Epoch, _log.DurableRevision, failure);
    }

    public async Task<FlushReply> RehydrateAsync()
    {
        _saver.LoadAgain("the session was loaded again");
        var failure = await _writer.FlushAsync();
        return new(_log.Epoch, _log.DurableRevision, failure);
    }

    public async Task<FlushReply> ClearPersistedStateAsync()
    {
        if (ReadOnly is { } why) return new(_log.Epoch, _log.DurableRevision, why);
        using (await KeepLastGoodAsync(BeforeClear)) _saver.Replace(AppState.Initial, "the session was cleared", isCleared: true);
        return await FlushAsync();
    }

    public async Task<ImportReport> ImportAsync(ImportRequest request)
    {
        var (state, report) = ImportReader.Read(request, migrations, configs.Find(Key[(Key.LastIndexOf('/') + 1)..])?.Partialize);
        if (ReadOnly is { } why) return report with { Refused = new("session", "read-only", why) };
        if (state is null || request.DryRun) return report;

        (state, var missing) = await WithStoredAudioAsync(state);
        using (await KeepLastGoodAsync("an import")) _saver.Replace(state, "a state was imported");
        report = report with { Notes = [.. report.Notes, .. missing] };
        var flushed = await FlushAsync();
        return flushed.Failure is null
            ? report with { Revision = flushed.DurableRevision }
            : report with
            {
                Revision = _log.Revision,
                Notes = report.Notes.Add($"imported, but not saved yet; saving goes on: {flushed.Failure}"),
            };
    }

    public Task<SessionStatus> GetStatusAsync() => Task.FromResult(new SessionStatus
    {
        Session = $"{Id}",
        Epoch = _log.Epoch,
        Revision = _log.Revision,
        DurableRevision = _log.DurableRevision,
        Save = Save,
        PersistedVersion = _store.PersistedVersion,
        ReadOnly = ReadOnly,
        Notices = _store.Notices.ToValueList(),
        Clients = Presence,
        RowWrites = _store.RowWrites,
        BytesWritten = _store.BytesWritten,
        Changes = _log.Changes,
        Slices = _store.Describe(_log.State).ToValueList(),
        Crash = Crash,
    });

    private SaveStatus OfStorage(SaveStatus save)
    {
        var (since, pending) = (_storageStatus?.DegradedSince, _storageStatus?.PendingFramesOf(this.GetGrainId()) ?? 0);
        var foreign = _storageStatus?.ForeignFrames ?? 0;
        return (since, pending, foreign) is (null, 0, 0)
            ? save
            : save with { DegradedSince = since, PendingFrames = pending, ForeignFrames = foreign };
    }

    private ValueList<AttachedClient> Presence =>
        _leases.All.Select(lease => new AttachedClient(lease.Client.Client, lease.Device, lease.Since)).ToValueList();

    private static Rejection? Check(AttachRequest request) =>
        request.Protocol < Protocol.OldestSupported
            ? new("protocol", $"{request.Protocol}", $"{Protocol.OldestSupported} to {Protocol.Version}: this client is too old for the silo")
            : request.Protocol > Protocol.Version
                ? new("protocol", $"{request.Protocol}", $"{Protocol.OldestSupported} to {Protocol.Version}: this client is too new for the silo")
                : Text.CheckId("process", request.Client?.Process) ?? Text.CheckId("client", request.Client?.Client)
                    ?? Text.CheckName("device", request.Device)
                    ?? (request.Slices is null ? null : Validation.CheckSlices(request.Slices))
                    ?? (request.NextSequence >= 1 ? null : new Rejection("nextSequence", $"{request.NextSequence}", "1 or more"));

    private Rejection? Check(ChangeBatch batch) =>
        ReadOnly is { } why ? new("session", "a change", $"none. {why}")
        : batch.Changes is not { Count: > 0 and <= Limits.ChangesPerBatch }
            ? new("changes", $"{batch.Changes?.Count ?? 0} changes", $"1 to {Limits.ChangesPerBatch} in one call")
        : !IsGrowing(batch) ? new("changes", "their sequences", "changes with growing sequences, above 'after'")
        : Text.CheckId("client", batch.Client);

    private static bool IsGrowing(ChangeBatch batch)
    {
        var last = batch.After;
        return last >= 0 && batch.Changes.All(change => change.Change is not null && change.Sequence > last && (last = change.Sequence) > 0);
    }

    // When this throws, the activation does not come about and nothing is written over what could not be read.
    private async Task LoadAsync()
    {
        var started = clock.GetTimestamp();
        _log.Load(await _store.LoadAsync(), _saver.NewEpoch());
        ChatterboxInstruments.Hydration.Record(clock.GetElapsedTime(started).TotalSeconds);
        NoteCrash();
    }

    private async Task<string?> FlushAsync(CancellationToken deadline)
    {
        try
        {
            return await _writer.FlushAsync().WaitAsync(deadline);
        }
        catch (OperationCanceledException)
        {
            return "storage has not answered in time";
        }
    }

    private void PublishPresence()
    {
        CountClients();
        _feed.Publish(_log.Epoch, new PresenceChanged(Presence));
    }

    private void SweepLeases() => _leaseTimer ??=
        this.RegisterGrainTimer(SweepLeasesAsync, new GrainTimerCreationOptions(_options.Lease / 2, _options.Lease / 2) { Interleave = true });

    private async Task SweepLeasesAsync(CancellationToken cancellationToken)
    {
        if (_writer.IsIdle) await MaintainAsync();
        if (_leases.EndLapsed() is { Count: > 0 } lapsed)
        {
            LogLapsed(Key, lapsed.Count);
            WentAway();
            PublishPresence();
        }
        if (_leases.Count > 0) return;
        _leaseTimer?.Dispose();
        _leaseTimer = null;
        _log.Forget(0);
    }

    private void ArmSaveTimer(TimeSpan due)
    {
        if (_saveTimer is null)
        {
            _saveTimer = this.RegisterGrainTimer(_ => _writer.OnTimerAsync(), new GrainTimerCreationOptions(due, Timeout.InfiniteTimeSpan)
            {
                Interleave = true,
                KeepAlive = true,
            });
        }
        else
        {
            _saveTimer.Change(due, Timeout.InfiniteTimeSpan);
        }
    }

    [LoggerMessage(LogLevel.Information, "Session {Session}: {Count} client(s) went away without saying so")]
    private partial void LogLapsed(string session, int count);

    [LoggerMessage(LogLevel.Error, "Session {Session} could not save {Count} revision(s) before it was shut down ({Reason}): {Failure}")]
    private partial void LogUnsaved(string session, long count, DeactivationReasonCode reason, string failure);
}
