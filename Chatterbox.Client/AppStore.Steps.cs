using Chatterbox.Client.Connections;
using Chatterbox.Client.Outbox;

namespace Chatterbox.Client;

/// <summary>
/// The steps of the loop, one call to the session each. An answer that arrives after the next step has started is ignored.
/// </summary>
public partial class AppStore
{
    private static readonly TimeSpan SubscriptionTimeout = TimeSpan.FromSeconds(1);

    /// <summary>The session has answered an attach: from now on it is renewed.</summary>
    private bool _wasAttached;

    private async Task AttachAsync(long turn)
    {
        AttachRequest request;
        lock (_lock)
        {
            _need = Need.Nothing;
            request = new()
            {
                Client = _id,
                Device = _client.Options.Device,
                Protocol = _client.Options.ProtocolVersion,
                App = App.Name,
                Slices = _replica.Slices,
                Epoch = _replica.Epoch,
                SeenRevision = _replica.Revision,
                NextSequence = _replica.FirstOutstanding,
                Renews = _wasAttached,
            };
        }
        await SubscribeAsync();
        var reply = await Grain.AttachAsync(request);
        if (reply.Refused is { } why)
        {
            // A store that has been served before waits for room: its changes may depend on it.
            if (reply.IsFull && request.Renews) throw new IOException(why.Message);
            throw new SessionRefusedException(why);
        }
        lock (_lock)
        {
            if (turn != _turn) return;
            _wasAttached = true;
            // Meanwhile the user has chosen other slices, or newer events have arrived.
            if (!Equals(request.Slices, _replica.Slices) || !_replica.Attached(reply, request.SeenRevision))
            {
                Ask(Need.Attach);
                return;
            }
            (_save, ReadOnly, _crash, SchemaVersion) = (reply.Save, reply.ReadOnly, reply.Crash, reply.SchemaVersion);
            _client.HeartbeatWithin(reply.Lease);
            Notices = [.. _file?.Notices ?? [], .. reply.Notices];
            Settle();
            if (FollowChoice()) return;
            _subscriptions.Publish(Update([.. reply.State.Changes]));
            SetHydrated();
        }
        Progress();
    }

    // A cluster that has just lost a silo may not find the subscription at once. Until then, heartbeats detect missed events.
    private async Task SubscribeAsync()
    {
        try
        {
            await _client.EnsureSubscribedAsync(ChatterboxClient.SubscriptionFresh)
                .WithinAsync(SubscriptionTimeout, _client.Clock);
        }
        catch (TimeoutException late)
        {
            LogRetry(_client.Logger, Session.Key, late.Message);
        }
    }

    private async Task CatchUpAsync(long turn)
    {
        long epoch, revision;
        ValueList<string>? slices;
        lock (_lock) (_need, epoch, revision, slices) = (Need.Nothing, _replica.Epoch, _replica.Revision, _replica.Slices);
        var since = await Grain.GetChangesSinceAsync(epoch, revision, slices);
        lock (_lock)
        {
            if (turn != _turn) return;
            var before = _replica.Revision;
            // A snapshot of another epoch does not say which of our changes it holds; an attach does. A snapshot of other slices
            // is useless.
            Ask(since.Epoch == _replica.Epoch ? _replica.CaughtUp(since) : Need.Attach);
            FollowChoice();
            Settle();
            _subscriptions.Publish(Update([.. since.Changes.Where(change => change.Revision > before)]));
        }
        Progress();
    }

    private async Task SendAsync(ChangeBatch batch, long turn)
    {
        var reply = await Grain.ApplyAsync(batch with { Process = _id.Process });
        if (reply.Result is ApplyResult.Superseded) throw new SessionRefusedException(reply.Refused!);
        IReadOnlyList<(OutboxEntry, Rejection)> rejected;
        lock (_lock)
        {
            if (turn != _turn) return;
            if (reply.Result is ApplyResult.Refused)
            {
                // The whole batch was refused, and sending it again would not help: a read-only session, or a limit.
                rejected = _replica.Withdraw(batch, reply.Refused!);
            }
            else
            {
                (var need, rejected) = _replica.Replied(batch, reply);
                Ask(need);
            }
            Settle();
            if (rejected.Count > 0) _subscriptions.Publish(Update([]));
        }
        Reject(rejected);
        Progress();
    }

    private async Task HeartbeatAsync(long turn)
    {
        lock (_lock) _checkDue = false;
        var reply = await Grain.HeartbeatAsync(_id);
        var missed = false;
        lock (_lock)
        {
            if (turn != _turn) return;
            if (!reply.Attached || reply.Epoch != _replica.Epoch) Ask(Need.Attach);
            else
            {
                missed = reply.Revision > _replica.Revision || reply.DurableRevision > _replica.DurableRevision;
                if (reply.Revision > _replica.Revision) Ask(Need.CatchUp);
                _replica.BecameDurable(reply.DurableRevision);
                _save = reply.Save;
                Settle();
            }
        }
        // Missing events may mean that the cluster has lost the subscription.
        if (missed) await _client.EnsureSubscribedAsync(TimeSpan.Zero);
        Progress();
    }
}
