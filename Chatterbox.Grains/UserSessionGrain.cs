using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Cluster;
using Chatterbox.Grains.FanOut;
using Chatterbox.Grains.FanOut.Streams;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Storage;

namespace Chatterbox.Grains;

/// <summary>
/// A user's session as a grain: timers, leases, fan-out and the contract, around a <see cref="Session.Session"/> with the logic.
/// Reentrant: a save in progress never blocks a change.
/// </summary>
[Reentrant, GrainType(TypeName)]
internal sealed partial class UserSessionGrain(
    PersistConfigs configs, MigrationChains migrations, IOptions<ChatterboxOptions> options, TimeProvider clock,
    [FromKeyedServices(ChatterboxStorage.Name)] IGrainStorage storage, StaleCopies staleCopies, SessionTotals totals,
    ILogger<UserSessionGrain> logger)
    : Grain, IUserSessionGrain, IClipHolder
{
    internal const string TypeName = "chatterbox.session";

    private readonly ChatterboxOptions _options = options.Value;
    private readonly Leases _leases = new(options.Value.Lease, clock);
    private SessionId _id = null!;
    private IStorageStatus? _storageStatus;
    private Session.Session _session = null!;
    private SessionClips _clips = null!;
    private SessionQuota _quota = null!;
    private SessionCounts? _counts;
    private EventQueues _queues = null!;

    private string Key => this.GetPrimaryKeyString();

    private SaveStatus Save => OfStorage(_session.Save);

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (!SessionId.TryParse(Key, out var id))
            throw new SessionUnknownException(Rejection.OfText("session", Key, "user/store"));
        _id = id;
        var config = configs.Find(id.Store) ?? throw new SessionUnknownException(
            Rejection.OfText("store", id.Store, $"a registered store ({string.Join(", ", configs.Names)})"));

        _storageStatus = ServiceProvider.GetService<IStorageStatus>();
        _queues = ServiceProvider.GetRequiredService<EventQueues>();
        var feed = new SessionFeed(Key, _queues, _leases);
        _clips = new(id, this.GetGrainId(), config, () => _session, storage, _storageStatus, GrainFactory, logger);
        _session = new(new(storage, this.GetGrainId(), config, migrations.Of(config), _options, clock, logger)
        {
            Publish = (epoch, what) => feed.Publish(epoch, what is SaveStatusChanged ? new SaveStatusChanged(Save) : what),
            Arm = ArmSaveTimer,
            IsAttached = _leases.Holds,
            WithStoredAudio = _clips.WithStoredAudioAsync,
        });
        _quota = new(id, this.GetGrainId(), config, () => _session, _clips, storage, GrainFactory,
            _session.Publish, logger);
        _session.Writer.FailingChanged += Count;

        _checked = staleCopies.Now;
        var isMoved = TryResume();
        if (!isMoved) await LoadAsync();
        _counts = new(isMoved, totals);
        staleCopies.Joined();
        Count();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_counts is not { } counts) return;
        await PublishDuePresence();
        counts.End();
        staleCopies.Left();
        await SaveLastAsync(reason, cancellationToken);
    }

    public async Task<AttachReply> AttachAsync(AttachRequest request)
    {
        if (RequestCheck.Of(request, _session.App) is { } wrong) return new() { Refused = wrong, Protocol = Protocol.Version };
        if (staleCopies.IsShared) await _session.EnsureCurrentAsync(request);
        if (_session.CheckAttach(request) is { } superseded) return new() { Refused = superseded, Protocol = Protocol.Version };
        if (CheckRoom(request.Client) is { } full) return new() { Refused = full, IsFull = true, Protocol = Protocol.Version };

        if (_leases.Start(request.Client, request.Device, request.Slices)) PublishPresence();
        SweepLeases();
        return _session.Attach(request) with { Save = Save };
    }

    public async Task<FlushReply> DetachAsync(ClientId client, bool isDone)
    {
        if (!_session.Log.IsSuperseded(client) && _leases.End(client.Client)) PublishPresence();
        return await _session.DetachAsync(client, isDone);
    }

    public Task<HeartbeatReply> HeartbeatAsync(ClientId client)
    {
        var isSuperseded = _session.Log.IsSuperseded(client);
        return Task.FromResult(new HeartbeatReply
        {
            Superseded = isSuperseded,
            Attached = !isSuperseded && _leases.Renew(client.Client) && _session.Log.Knows(client.Client),
            Epoch = _session.Log.Epoch,
            Revision = _session.Log.Revision,
            DurableRevision = _session.Log.DurableRevision,
            Save = Save,
        });
    }

    public Task<ApplyReply> ApplyAsync(ChangeBatch batch) => Task.FromResult(_session.Apply(batch));

    public Task<CatchUp> GetChangesSinceAsync(long epoch, long revision, ValueList<string>? slices) =>
        Task.FromResult(_session.Log.Since(epoch, revision, slices));

    public Task<FlushReply> FlushAsync() => _session.FlushAsync();

    public Task<FlushReply> RehydrateAsync() => _session.RehydrateAsync();

    public Task<FlushReply> ClearPersistedStateAsync(string? operation) => _session.ClearAsync(operation);

    public Task<ImportReport> ImportAsync(ImportRequest request) => _session.ImportAsync(request);

    public Task<RecoveryReport> RecoverFromCrashAsync() => _session.RecoverFromCrashAsync();

    public Task<FlushReply> ClearRecoveryStateAsync() => _session.ClearRecoveryStateAsync();

    public async Task<ValueList<HistoryItem>> ListHistoryAsync() =>
        (await _session.History.ListAsync()).Select(entry => entry.ToItem()).ToValueList();

    public Task<HistoryContent?> ReadHistoryAsync(string id) => _session.ReadHistoryAsync(id);

    public Task<RecoveryReport> RestoreHistoryAsync(string? id, string? operation) => _session.RestoreAsync(id, operation);

    public Task<bool> DropHistoryAsync(string id) => _session.DropHistoryAsync(id);

    public Task<StorageInfo> GetStorageInfoAsync() => _quota.GetStorageInfoAsync();

    public Task<ClipAdmission> AdmitClipAsync(string hash, long length) => _quota.AdmitClipAsync(hash, length);

    public Task<ValueList<string>> FindReferencesAsync(ValueList<string> hashes, bool history) =>
        _clips.FindReferencesAsync(hashes, history);

    public Task DropMissingAsync(ValueList<string> hashes) => _clips.DropMissingAsync(hashes);

    public Task<SessionStatus> GetStatusAsync() => Task.FromResult(new SessionStatus
    {
        Session = $"{_id}",
        App = _session.App.Name,
        Epoch = _session.Log.Epoch,
        Revision = _session.Log.Revision,
        DurableRevision = _session.Log.DurableRevision,
        Save = Save,
        PersistedVersion = _session.Rows.PersistedVersion,
        ReadOnly = _session.ReadOnly,
        Notices = _session.Rows.Notices.ToValueList(),
        Clients = Presence,
        RowWrites = _session.Rows.RowWrites,
        BytesWritten = _session.Rows.BytesWritten,
        Changes = _session.Log.Changes,
        Slices = _session.Rows.Describe(_session.Log.State).ToValueList(),
        Crash = _session.Crash,
    });

    private ValueList<AttachedClient> Presence =>
        _leases.All.Select(lease => new AttachedClient(lease.Client.Client, lease.Device, lease.Since)).ToValueList();

    private SaveStatus OfStorage(SaveStatus save)
    {
        var (since, pending) = (_storageStatus?.DegradedSince, _storageStatus?.PendingFramesOf(this.GetGrainId()) ?? 0);
        var foreign = _storageStatus?.ForeignFrames ?? 0;
        return (since, pending, foreign) is (null, 0, 0)
            ? save
            : save with { DegradedSince = since, PendingFrames = pending, ForeignFrames = foreign };
    }

    private Rejection? CheckRoom(ClientId client) =>
        !_leases.Holds(client.Client) && _leases.Count >= _options.Clients
            ? new("clients", $"{_leases.Count + 1}", $"at most {_options.Clients} attached to a session")
        : _queues.Processes >= _options.Processes && !_queues.Has(ChatterboxStreams.OfProcess(client.Process))
            ? new("processes", $"{_queues.Processes + 1}", $"at most {_options.Processes} attached to the sessions of a silo")
        : null;

    // When this throws, the activation fails and unreadable rows are not overwritten.
    private async Task LoadAsync()
    {
        var started = clock.GetTimestamp();
        await _session.LoadAsync();
        ChatterboxInstruments.Hydration.Record(clock.GetElapsedTime(started).TotalSeconds);
    }

    private void Count() => _counts?.Update(_leases.Count, _session.Writer.Failing is not null, _session.ReadOnly is not null);

}
