using Chatterbox.Grains.FanOut;
using Chatterbox.Grains.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Grains;

/// <summary>
/// The end of an activation. A session with attached clients moves to another silo in the same epoch, unnoticed by its clients.
/// It is saved before if storage is available; otherwise unsaved changes move with it. If the other silo cannot resume it, the
/// session is loaded from storage as after a crash, and clients resend changes that are not durable.
/// </summary>
internal sealed partial class UserSessionGrain : IGrainMigrationParticipant
{
    private const string ImageKey = "chatterbox.session";

    /// <summary>The longest save before a move: calls wait meanwhile.</summary>
    private static readonly TimeSpan MovingFlush = TimeSpan.FromSeconds(2);

    private SessionImage? _arrived;

    public void OnDehydrate(IDehydrationContext context)
    {
        if (_counts is null) return;
        context.TryAddValue(ImageKey, _session.Capture() with
        {
            Leases = _leases.All.Select(lease => new LeaseImage(lease.Client, lease.Device, lease.Slices, lease.Since))
                .ToValueList(),
        });
    }

    public void OnRehydrate(IRehydrationContext context) => context.TryGetValue(ImageKey, out _arrived);

    /// <summary>
    /// Resumes the previous activation. False when there is none or this silo cannot resume it: then the session is loaded from
    /// storage.
    /// </summary>
    private bool TryResume()
    {
        if (_arrived is not { } image) return false;
        _arrived = null;
        try
        {
            _leases.Restore(image.Leases);
            if (_session.TryResume(image))
            {
                if (_leases.Count > 0) SweepLeases();
                return true;
            }
        }
        catch (Exception failure)
        {
            LogNotResumed(Key, failure.Message);
            _session.Log.Restore(new());
        }
        _leases.Restore([]);
        return false;
    }

    private async Task SaveLastAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        var moving = IsMoving(reason);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(moving ? MovingFlush : _options.ShutdownFlush);
        while (await SaveWithinAsync(moving, deadline.Token) is { } failure)
        {
            // Unsaved changes move along.
            if (moving) break;
            if (deadline.IsCancellationRequested)
            {
                LogUnsaved(Key, _session.Log.Revision - _session.Log.DurableRevision, reason.ReasonCode, failure);
                CountDrained(reason, DrainOutcome.Unsaved);
                return;
            }
            await Task.Delay(_options.RetryDelay, clock, CancellationToken.None);
        }
        CountDrained(reason, moving ? DrainOutcome.Moved : DrainOutcome.Saved);
        if (!moving && !deadline.IsCancellationRequested) await _session.MaintainAsync();
    }

    private async Task<string?> SaveWithinAsync(bool moving, CancellationToken deadline)
    {
        try
        {
            return await (moving ? _session.Writer.FlushAsync() : _session.SaveLastAsync()).WaitAsync(deadline);
        }
        catch (OperationCanceledException)
        {
            return "storage has not answered in time";
        }
    }

    /// <summary>
    /// Whether the ending activation moves to another silo. A stopping silo hands over the sessions in use.
    /// </summary>
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

    private void CountDrained(DeactivationReason reason, DrainOutcome outcome)
    {
        if (reason.ReasonCode is DeactivationReasonCode.ShuttingDown)
        {
            ServiceProvider.GetRequiredService<DrainReport>().Add(outcome);
        }
    }

    [LoggerMessage(LogLevel.Warning,
        "Session {Session} moved from another silo but cannot be resumed here; it is loaded from storage: {Reason}")]
    private partial void LogNotResumed(string session, string reason);

    [LoggerMessage(LogLevel.Error,
        "Session {Session} could not save {Count} revision(s) before it was shut down ({Reason}): {Failure}")]
    private partial void LogUnsaved(string session, long count, DeactivationReasonCode reason, string failure);
}
