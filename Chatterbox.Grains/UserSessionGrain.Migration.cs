using Chatterbox.Grains.FanOut;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Grains;

/// <summary>
/// All that an activation knows, on its way to another silo, maybe of another version: members are only ever appended, and what
/// is not there has a default.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SessionImage")]
internal sealed record SessionImage
{
    [Id(0)] public LogImage Log { get; init; } = new();
    [Id(1)] public StoreImage Store { get; init; } = new();
    [Id(2)] public ValueList<LeaseImage> Leases { get; init; } = [];

    /// <summary>Something waits to be saved.</summary>
    [Id(3)] public bool IsUnsaved { get; init; }

    [Id(4)] public SaveStatus? Failing { get; init; }
    [Id(5)] public WorkInHand? Crash { get; init; }
    [Id(6)] public ValueList<string> Awaited { get; init; } = [];
    [Id(7)] public DateTimeOffset? LastSaved { get; init; }
}

/// <summary>
/// Moving to another silo while clients are attached: the session goes on there in the same epoch, so that they notice nothing.
/// It is saved before, if storage takes it; if not, what is unsaved travels along. Should the other silo not take it over, the
/// session is loaded from storage as after a crash, and clients send again what is not durable.
/// </summary>
internal sealed partial class UserSessionGrain : IGrainMigrationParticipant
{
    private const string ImageKey = "chatterbox.session";

    /// <summary>A save may keep a session from moving for so long: calls wait meanwhile.</summary>
    private static readonly TimeSpan MovingFlush = TimeSpan.FromSeconds(2);

    private SessionImage? _arrived;

    public void OnDehydrate(IDehydrationContext context)
    {
        if (_log.Epoch != 0) context.TryAddValue(ImageKey, Capture());
    }

    public void OnRehydrate(IRehydrationContext context) => context.TryGetValue(ImageKey, out _arrived);

    /// <summary>Whether the activation, about to end, goes on elsewhere. A silo that stops hands over the sessions that are in use.</summary>
    private bool IsMoving(DeactivationReason reason)
    {
        if (reason.ReasonCode is not (DeactivationReasonCode.Migrating or DeactivationReasonCode.ShuttingDown)) return false;
        var here = ServiceProvider.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        var members = ServiceProvider.GetRequiredService<IClusterMembershipService>().CurrentSnapshot.Members.Values;
        if (!members.Any(silo => silo.Status is SiloStatus.Active && silo.SiloAddress != here)) return false;
        if (reason.ReasonCode is DeactivationReasonCode.Migrating) return true;
        if (_leases.Count == 0) return false;
        MigrateOnIdle();
        return true;
    }

    private SessionImage Capture() => new()
    {
        Log = _log.Capture(),
        Store = _store.Capture(),
        Leases = _leases.All.Select(lease => new LeaseImage(lease.Client, lease.Device, lease.Slices, lease.Since)).ToValueList(),
        IsUnsaved = !_writer.IsIdle,
        Failing = _writer.Failing is { } failing ? new(SaveState.Failing, failing.Since, failing.Reason) : null,
        Crash = _crash,
        Awaited = _awaited.ToValueList(),
        LastSaved = _lastSaved,
    };

    /// <summary>Goes on where the activation before stopped. False when there was none, or this silo cannot: then storage is asked.</summary>
    private bool TryResume()
    {
        if (_arrived is not { } image) return false;
        _arrived = null;
        try
        {
            if (!_store.TryRestore(image.Store)) return false;
            _log.Restore(image.Log);
            _leases.Restore(image.Leases);
        }
        catch (Exception strange)
        {
            LogNotResumed(Key, strange.Message);
            _log.Restore(new());
            _leases.Restore([]);
            return false;
        }
        (_crash, _lastSaved, _lastWrites) = (image.Crash, image.LastSaved, _store.RowWrites);
        _awaited.UnionWith(image.Awaited);
        if (_leases.Count > 0) SweepLeases();
        if (image.IsUnsaved) _writer.Resume(image.Failing is { FailingSince: { } since } failing ? (since, failing.Failure ?? "") : null);
        return true;
    }

    [LoggerMessage(LogLevel.Warning, "Session {Session} came from another silo and cannot go on here; it is loaded from storage: {Reason}")]
    private partial void LogNotResumed(string session, string reason);
}
