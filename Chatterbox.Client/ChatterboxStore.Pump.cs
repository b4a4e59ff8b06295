using Chatterbox.Client.Connections;
using Chatterbox.Client.Outbox;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Client;

/// <summary>The side towards the session: one call at a time, tried again until it succeeds.</summary>
public sealed partial class ChatterboxStore
{
    private static readonly TimeSpan SubscriptionTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(50);

    private Need _need = Need.Attach;
    private bool _checkDue;
    private bool _pumping;
    private bool _closed;

    private Task _pump = Task.CompletedTask;

    /// <summary>The call under way. The answer to an earlier one, given up since, comes too late.</summary>
    private long _turn;

    /// <summary>Set once the session has refused this client: it is not asked again.</summary>
    private SessionRefusedException? _refused;

    internal void Start()
    {
        _options.Configure?.Invoke(this);
        BeginHydration();
        Pump();
    }

    /// <summary>Renews the lease, and looks whether something was missed.</summary>
    internal void CheckSoon()
    {
        lock (_lock) _checkDue = true;
        Pump();
    }

    private void Ask(Need need) => _need = (Need)Math.Max((int)_need, (int)need);

    private void Pump()
    {
        lock (_lock)
        {
            if (_pumping || _refused is not null || !HasStep) return;
            _pumping = true;
            // Behind what waits for a thread already: changes that are about to be made go out together.
            var begun = new TaskCompletionSource<Task>();
            ThreadPool.UnsafeQueueUserWorkItem(static run => run.begun.SetResult(run.store.PumpAsync()), (begun, store: this), preferLocal: false);
            _pump = begun.Task.Unwrap();
        }
    }

    /// <summary>Whether <see cref="NextStep"/> has any: most events leave nothing to do.</summary>
    private bool HasStep => !_closed && (_need is not Need.Nothing || _checkDue || _replica.HasUnsent);

    private async Task PumpAsync()
    {
        var delay = FirstRetryDelay;
        while (NextStep(out var need) is { } step)
        {
            try
            {
                await step().WithinAsync(_client.Options.CallTimeout, _client.Clock);
                delay = FirstRetryDelay;
                _client.NotConnected = null;
                SetUnreachable(null);
            }
            catch (SessionRefusedException refused)
            {
                Refuse(refused);
                return;
            }
            catch (AccessDeniedException denied)
            {
                Refuse(new SessionRefusedException(denied.Rejection));
                return;
            }
            catch (SessionUnknownException unknown)
            {
                Refuse(new SessionRefusedException(unknown.Rejection));
                return;
            }
            catch (Exception failure)
            {
                LogRetry(_client.Logger, Session.Key, failure.Message);
                SetUnreachable(_client.NotConnected ?? failure);
                // Whatever became of the call, the session is asked where things stand. One that did not take it, as while
                // it moves to another silo, knows this client as before.
                var knows = IsRejected(failure);
                lock (_lock)
                {
                    Ask(knows ? need : Need.Attach);
                    _checkDue |= knows;
                }
                await DelayAsync(delay);
                delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, _client.Options.MaxRetryDelay.Ticks));
            }
        }
    }

    private Func<Task>? NextStep(out Need need)
    {
        lock (_lock)
        {
            need = _need;
            var turn = ++_turn;
            if (_closed) return Stop();
            if (_need is Need.Attach) return () => AttachAsync(turn);
            if (_need is Need.CatchUp) return () => CatchUpAsync(turn);
            if (_replica.NextBatch() is { } batch) return () => SendAsync(batch, turn);
            return _checkDue ? () => HeartbeatAsync(turn) : Stop();
        }

        Func<Task>? Stop()
        {
            _pumping = false;
            return null;
        }
    }

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
                Slices = _replica.Slices,
                Epoch = _replica.Epoch,
                SeenRevision = _replica.Revision,
                NextSequence = _replica.FirstOutstanding,
            };
        }
        await SubscribeAsync();
        var reply = await Grain.AttachAsync(request);
        if (reply.Refused is { } why) throw new SessionRefusedException(why);
        lock (_lock)
        {
            if (turn != _turn) return;
            // The user has chosen other slices meanwhile, or more has been seen.
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

    // A cluster that has just lost a silo may not find the subscription at once. Until it does, heartbeats show what was missed.
    private async Task SubscribeAsync()
    {
        try
        {
            await _client.EnsureSubscribedAsync(ChatterboxClient.SubscriptionFresh).WithinAsync(SubscriptionTimeout, _client.Clock);
        }
        catch (TimeoutException late)
        {
            LogRetry(_client.Logger, Session.Key, late.Message);
        }
    }

    private async Task CatchUpAsync(long turn)
    {
        long epoch, revision;
        ValueList<Slice>? slices;
        lock (_lock) (_need, epoch, revision, slices) = (Need.Nothing, _replica.Epoch, _replica.Revision, _replica.Slices);
        var since = await Grain.GetChangesSinceAsync(epoch, revision, slices);
        lock (_lock)
        {
            if (turn != _turn) return;
            var before = _replica.Revision;
            // A snapshot of another epoch does not say which of our changes it holds; an attach does. One of other slices is of no use.
            Ask(since.Epoch == _replica.Epoch ? _replica.CaughtUp(since) : Need.Attach);
            FollowChoice();
            Settle();
            _subscriptions.Publish(Update([.. since.Changes.Where(change => change.Revision > before)]));
        }
        Progress();
    }

    private async Task SendAsync(ChangeBatch batch, long turn)
    {
        var reply = await Grain.ApplyAsync(batch);
        IReadOnlyList<(OutboxEntry, Rejection)> rejected;
        lock (_lock)
        {
            if (turn != _turn) return;
            if (reply.Result is ApplyResult.Refused)
            {
                // As a whole, for a reason that sending again does not mend: a read-only session, or a limit.
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
        // Events that do not arrive may mean that the cluster has forgotten the subscription.
        if (missed) await _client.EnsureSubscribedAsync(TimeSpan.Zero);
        Progress();
    }

    private void Refuse(SessionRefusedException refused)
    {
        lock (_lock)
        {
            (_pumping, _refused) = (false, refused);
            // Nothing of them goes in any more, unless they are on disk: then they wait for a client that the session serves.
            foreach (var entry in _replica.Refuse())
            {
                entry.Applied.TrySetException(refused);
                entry.Durable.TrySetException(refused);
            }
            _hydrated.TrySetException(refused);
            RefuseWaiting(refused);
            if (_subscriptions.Count > 0) _subscriptions.Publish(Update([]));
        }
        SetUnreachable(refused);
        Progress();
    }

    private Task DelayAsync(TimeSpan delay) =>
        Task.Delay(delay * (0.5 + Random.Shared.NextDouble() / 2), _client.Clock, CancellationToken.None);

    [LoggerMessage(LogLevel.Debug, "A call to session {Session} failed and is tried again: {Reason}")]
    private static partial void LogRetry(ILogger logger, string session, string reason);

    [LoggerMessage(LogLevel.Warning, "Session {Session} refused a change that an earlier run of the client had left to send: {Reason}")]
    private static partial void LogRefused(ILogger logger, string session, string reason);

    [LoggerMessage(LogLevel.Warning, "What session {Session} has stored could not be taken out of the outbox on disk: {Reason}")]
    private static partial void LogNotRemoved(ILogger logger, string session, string reason);
}
