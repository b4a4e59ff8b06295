using Microsoft.Extensions.Logging;
using Orleans.Runtime.Messaging;

namespace Chatterbox.Client;

/// <summary>The side towards the session: one call at a time, tried again until it succeeds.</summary>
public sealed partial class ChatterboxStore
{
    private static readonly TimeSpan SubscriptionPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(50);

    private Need _need = Need.Attach;
    private bool _checkDue;
    private bool _pumping;
    private bool _closed;
    private Task _pump = Task.CompletedTask;
    private SaveStatus _save = SaveStatus.Saved;
    private Exception? _unreachable;
    private ValueList<AttachedClient> _presence = [];

    private TaskCompletionSource _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Raised with each change of <see cref="StorePersistence.Status"/>.</summary>
    internal event Action? SyncChanged;

    /// <summary>How saving goes, own unsent changes included.</summary>
    internal SaveStatus SaveStatus
    {
        get
        {
            lock (_lock)
            {
                if (_save.State is SaveState.Failing) return _save;
                return _save with { State = _replica.Outbox.Count > 0 || _replica.DurableRevision < _replica.Revision ? SaveState.Saving : SaveState.Saved };
            }
        }
    }

    /// <summary>Why the session cannot be reached at present; null when it can.</summary>
    internal Exception? Unreachable { get { lock (_lock) return _unreachable; } }

    /// <summary>Who is attached to the session, this store included. Known once the session has told.</summary>
    public IReadOnlyList<AttachedClient> Clients { get { lock (_lock) return _presence; } }

    /// <summary>The schema version of the state that the session gives.</summary>
    internal int SchemaVersion { get; private set; }

    /// <summary>For tests: events are lost, as a network may lose them.</summary>
    internal bool DropEvents { get; set; }

    internal void Start() => Pump();

    /// <summary>Renews the lease, and looks whether something was missed.</summary>
    internal void CheckSoon()
    {
        lock (_lock) _checkDue = true;
        Pump();
    }

    internal void OnEvents(SessionEvents events)
    {
        lock (_lock)
        {
            if (_closed || DropEvents || events.Epoch < _replica.Epoch) return;
            if (_replica.Epoch == 0) Ask(Need.CatchUp);
            else if (events.Epoch > _replica.Epoch) Ask(Need.Attach);
            else foreach (var each in events.Events) OnEvent(each);
        }
        Progress();
        Pump();
    }

    /// <summary>Returns once every change made so far is durable.</summary>
    /// <exception cref="IOException">Storage is failing.</exception>
    internal async Task FlushAsync(CancellationToken cancellationToken)
    {
        long target;
        lock (_lock) target = _replica.LastSequence;
        while (true)
        {
            Task progress;
            bool applied;
            lock (_lock)
            {
                progress = _progress.Task;
                applied = _replica.Epoch != 0 && _replica.Outbox.All(entry => entry.Sequence > target || entry.IsConfirmed);
            }
            if (_hydrated.Task.IsFaulted) await _hydrated.Task;
            if (!applied)
            {
                await progress.WaitAsync(cancellationToken);
                continue;
            }
            try
            {
                var reply = await Grain.FlushAsync().WaitAsync(_client.Options.CallTimeout, _client.Clock, cancellationToken);
                if (reply.Failure is { } failure) throw new IOException(failure);
                if (IsCurrent(reply)) return;
            }
            catch (Exception unreachable) when (unreachable is not (IOException or OperationCanceledException))
            {
                LogRetry(_client.Logger, Session.Key, unreachable.Message);
                lock (_lock) Ask(Need.Attach);
                await DelayAsync(FirstRetryDelay);
            }
            Pump();
            await progress.WaitAsync(cancellationToken);
        }
    }

    /// <summary>A call of the user's own, tried again for a while when no silo took it.</summary>
    internal async Task<T> CallAsync<T>(Func<IUserSessionGrain, Task<T>> call, CancellationToken cancellationToken)
    {
        var started = _client.Clock.GetTimestamp();
        while (true)
        {
            try
            {
                return await call(Grain).WaitAsync(cancellationToken);
            }
            catch (Exception failure) when (NobodyTook(failure) && _client.Clock.GetElapsedTime(started) < _client.Options.CallTimeout)
            {
                LogRetry(_client.Logger, Session.Key, failure.Message);
                CheckSoon();
                await DelayAsync(FirstRetryDelay);
            }
        }
    }

    // A silo that was lost on the way may have done what it was asked.
    private static bool NobodyTook(Exception failure) =>
        failure is ConnectionFailedException or (OrleansMessageRejectionException and not SiloUnavailableException);

    /// <summary>Returns once this store shows what the session holds at the call.</summary>
    internal async Task CaughtUpAsync(CancellationToken cancellationToken)
    {
        var now = await CallAsync(grain => grain.HeartbeatAsync(_id), cancellationToken);
        while (true)
        {
            Task progress;
            lock (_lock)
            {
                progress = _progress.Task;
                if (_replica.Epoch > now.Epoch || (_replica.Epoch == now.Epoch && _replica.Revision >= now.Revision)) return;
                Ask(_replica.Epoch == now.Epoch ? Need.CatchUp : Need.Attach);
            }
            Pump();
            await progress.WaitAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (await CloseAsync()) _client.Remove(this);
    }

    private void OnEvent(SessionEvent happened)
    {
        switch (happened)
        {
            case ChangesApplied changes:
                var before = _replica.Revision;
                Ask(_replica.ChangesApplied(changes));
                if (_replica.Revision > before) _subscriptions.Publish(Update([.. changes.Changes.Where(change => change.Revision > before)]));
                break;
            case BecameDurable durable:
                _replica.BecameDurable(durable.Revision);
                _save = SaveStatus.Saved;
                break;
            case SaveStatusChanged save:
                _save = save.Status;
                break;
            case PresenceChanged presence:
                _presence = presence.Clients;
                break;
            case QuotaCleanedUp cleaned:
                Raise(() => Audio.CleanedUp(cleaned));
                break;
            case SessionReset:
                Ask(Need.Attach);
                break;
        }
    }

    // A session loaded again in between may not hold what had been applied: it is sent again, and flushed again.
    private bool IsCurrent(FlushReply reply)
    {
        lock (_lock)
        {
            if (reply.Epoch != _replica.Epoch)
            {
                Ask(Need.Attach);
                return false;
            }
            _replica.BecameDurable(reply.DurableRevision);
            return true;
        }
    }

    private void Ask(Need need) => _need = (Need)Math.Max((int)_need, (int)need);

    private void Pump()
    {
        lock (_lock)
        {
            if (_pumping || _hydrated.Task.IsFaulted) return;
            _pumping = true;
            _pump = Task.Run(PumpAsync);
        }
    }

    private async Task PumpAsync()
    {
        var delay = FirstRetryDelay;
        while (NextStep() is { } step)
        {
            try
            {
                await step().WaitAsync(_client.Options.CallTimeout, _client.Clock);
                delay = FirstRetryDelay;
                SetUnreachable(null);
            }
            catch (SessionRefusedException refused)
            {
                Refuse(refused);
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
                SetUnreachable(failure);
                // Whatever became of the call, the session is asked where things stand.
                lock (_lock) Ask(Need.Attach);
                await DelayAsync(delay);
                delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, _client.Options.MaxRetryDelay.Ticks));
            }
        }
    }

    private Func<Task>? NextStep()
    {
        lock (_lock)
        {
            if (_closed) return Stop();
            if (_need is Need.Attach) return AttachAsync;
            if (_need is Need.CatchUp) return CatchUpAsync;
            if (_replica.NextBatch() is { } batch) return () => SendAsync(batch);
            return _checkDue ? HeartbeatAsync : Stop();
        }

        Func<Task>? Stop()
        {
            _pumping = false;
            return null;
        }
    }

    private async Task AttachAsync()
    {
        AttachRequest request;
        lock (_lock)
        {
            _need = Need.Nothing;
            request = new()
            {
                Client = _id,
                Device = _client.Options.Device,
                Protocol = Protocol.Version,
                Epoch = _replica.Epoch,
                SeenRevision = _replica.Revision,
                NextSequence = _replica.FirstOutstanding,
            };
        }
        await SubscribeAsync();
        var reply = await Served(Grain.AttachAsync(request));
        if (reply.Refused is { } why) throw new SessionRefusedException(why);
        lock (_lock)
        {
            _replica.Attached(reply);
            (_save, Notices, ReadOnly, Recovery.Crash, SchemaVersion) = (reply.Save, reply.Notices, reply.ReadOnly, reply.Crash, reply.SchemaVersion);
            _subscriptions.Publish(Update([.. reply.State.Changes]));
        }
        _hydrated.TrySetResult();
        Progress();
    }

    // Thrown where a session cannot be activated: trying again would not help.
    private async Task<AttachReply> Served(Task<AttachReply> attaching)
    {
        try
        {
            return await attaching;
        }
        catch (ArgumentException notServed)
        {
            throw new SessionRefusedException(Session, notServed);
        }
    }

    // A cluster that has just lost a silo may not find the subscription at once. Until it does, heartbeats show what was missed.
    private async Task SubscribeAsync()
    {
        try
        {
            await _client.EnsureSubscribedAsync(ChatterboxClient.SubscriptionFresh).WaitAsync(SubscriptionPatience, _client.Clock);
        }
        catch (TimeoutException late)
        {
            LogRetry(_client.Logger, Session.Key, late.Message);
        }
    }

    private async Task CatchUpAsync()
    {
        long epoch, revision;
        lock (_lock) (_need, epoch, revision) = (Need.Nothing, _replica.Epoch, _replica.Revision);
        var since = await Grain.GetChangesSinceAsync(epoch, revision, null);
        lock (_lock)
        {
            var before = _replica.Revision;
            // A snapshot of another epoch does not say which of our changes it holds; an attach does.
            Ask(since.Epoch == _replica.Epoch ? _replica.CaughtUp(since) : Need.Attach);
            _subscriptions.Publish(Update([.. since.Changes.Where(change => change.Revision > before)]));
        }
        Progress();
    }

    private async Task SendAsync(ChangeBatch batch)
    {
        var reply = await Grain.ApplyAsync(batch);
        IReadOnlyList<(OutboxEntry, Rejection)> rejected;
        lock (_lock)
        {
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
            if (rejected.Count > 0) _subscriptions.Publish(Update([]));
        }
        Reject(rejected);
        Progress();
    }

    private async Task HeartbeatAsync()
    {
        lock (_lock) _checkDue = false;
        var reply = await Grain.HeartbeatAsync(_id);
        var missed = false;
        lock (_lock)
        {
            if (!reply.Attached || reply.Epoch != _replica.Epoch) Ask(Need.Attach);
            else
            {
                missed = reply.Revision > _replica.Revision || reply.DurableRevision > _replica.DurableRevision;
                if (reply.Revision > _replica.Revision) Ask(Need.CatchUp);
                _replica.BecameDurable(reply.DurableRevision);
                _save = reply.Save;
            }
        }
        // Events that do not arrive may mean that the cluster has forgotten the subscription.
        if (missed) await _client.EnsureSubscribedAsync(TimeSpan.Zero);
        Progress();
    }

    private async Task<bool> CloseAsync()
    {
        lock (_lock) if (_closed) return false;
        using var deadline = new CancellationTokenSource(_client.Options.CloseTimeout, _client.Clock);
        try
        {
            if (OutboxCount > 0) await FlushAsync(deadline.Token);
            await StopPumping().WaitAsync(deadline.Token);
            // Last: a step of the pump after it would attach again.
            if (HasHydrated) await Grain.DetachAsync(_id).WaitAsync(deadline.Token);
        }
        catch (Exception unreachable)
        {
            LogClosedUnsaved(_client.Logger, Session.Key, OutboxCount, unreachable.Message);
        }
        _ = StopPumping();
        lock (_lock)
        {
            foreach (var entry in _replica.Outbox)
            {
                entry.Applied.TrySetCanceled();
                entry.Durable.TrySetCanceled();
            }
        }
        _hydrated.TrySetCanceled();
        _subscriptions.Close();
        return true;
    }

    private Task StopPumping()
    {
        lock (_lock)
        {
            _closed = true;
            return _pump;
        }
    }

    private void Refuse(SessionRefusedException refused)
    {
        lock (_lock)
        {
            _pumping = false;
            foreach (var entry in _replica.Outbox) entry.Applied.TrySetException(refused);
        }
        _hydrated.TrySetException(refused);
        SetUnreachable(refused);
        Progress();
    }

    private void SetUnreachable(Exception? why)
    {
        bool changed;
        lock (_lock)
        {
            changed = _unreachable is null != why is null;
            _unreachable = why;
        }
        if (changed) Progress();
    }

    private void Progress()
    {
        lock (_lock)
        {
            _progress.TrySetResult();
            _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        if (SyncChanged is { } handlers) Raise(handlers);
    }

    // Away from the pump: a handler that throws or blocks stops nothing.
    private void Raise(Action handler) => Task.Run(() =>
    {
        try
        {
            handler();
        }
        catch (Exception thrown)
        {
            LogHandlerThrew(_client.Logger, thrown);
        }
    });

    private Task DelayAsync(TimeSpan delay) =>
        Task.Delay(delay * (0.5 + Random.Shared.NextDouble() / 2), _client.Clock, CancellationToken.None);

    [LoggerMessage(LogLevel.Debug, "A call to session {Session} failed and is tried again: {Reason}")]
    private static partial void LogRetry(ILogger logger, string session, string reason);

    [LoggerMessage(LogLevel.Error, "An event handler of a store threw")]
    private static partial void LogHandlerThrew(ILogger logger, Exception thrown);

    [LoggerMessage(LogLevel.Warning, "The store of {Session} was closed with {Count} change(s) that may not be saved: {Reason}")]
    private static partial void LogClosedUnsaved(ILogger logger, string session, int count, string reason);
}
