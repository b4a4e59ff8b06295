using Chatterbox.Client.Listeners;
using Chatterbox.Client.Outbox;
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
    private bool _closing;
    private bool _closed;

    /// <summary>The call under way. The answer to an earlier one, given up since, comes too late.</summary>
    private long _turn;

    private Task _pump = Task.CompletedTask;
    private SaveStatus _save = SaveStatus.Saved;
    private Exception? _unreachable;
    private ValueList<AttachedClient> _presence = [];
    private CrashInfo? _crash;

    /// <summary>Completes with the next step. Made when somebody waits for it.</summary>
    private TaskCompletionSource? _progress;

    private Subscriptions<bool>? _syncChanged;

    /// <summary>Raised with each change of <see cref="StorePersistence.Status"/>. Who is slow hears of the last one only.</summary>
    internal event Action? SyncChanged
    {
        add { if (value is not null) Lazily(ref _syncChanged, () => new(_client.Logger, backlog: 1)).Add(_ => value(), value); }
        remove { if (value is not null) _syncChanged?.Remove(value); }
    }

    /// <summary>How saving goes, own unsent changes included.</summary>
    internal SaveStatus SaveStatus
    {
        get
        {
            lock (_lock)
            {
                if (_save.State is SaveState.Failing) return _save;
                if (_replica.Held is { } held) return _save with { State = SaveState.Failing, Failure = held };
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

    /// <summary>Work that was in hand when a client or its silo died.</summary>
    internal CrashInfo? Crash { get { lock (_lock) return _crash; } set { lock (_lock) _crash = value; } }

    /// <summary>For tests: events are lost, as a network may lose them.</summary>
    internal bool DropEvents { get; set; }

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

    internal void OnEvents(SessionEvents events)
    {
        lock (_lock)
        {
            if (_closed || DropEvents || events.Epoch < _replica.Epoch) return;
            if (_replica.Epoch == 0) Ask(Need.CatchUp);
            else if (events.Epoch > _replica.Epoch) Ask(Need.Attach);
            else foreach (var each in events.Events) OnEvent(each);
            FollowChoice();
            Settle();
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
                ObjectDisposedException.ThrowIf(_closed, this);
                EnsureServed();
                if (_replica.Held is { } held) throw new IOException(held);
                progress = NextProgress();
                applied = _replica.Epoch != 0 && _replica.Outbox.All.All(entry => entry.Sequence > target || entry.IsConfirmed);
            }
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

    /// <summary>Returns once everything is durable and this store has heard of it all, so that nothing is left to send.</summary>
    /// <exception cref="IOException">Storage is failing.</exception>
    internal async Task EmptyOutboxAsync(CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        if (OutboxCount > 0) await CaughtUpAsync(cancellationToken);
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
                progress = NextProgress();
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
                if (_replica.Revision > before && _subscriptions.Count > 0)
                    _subscriptions.Publish(Update([.. changes.Changes.Where(change => change.Revision > before)]));
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
            Settle();
            return true;
        }
    }

    private void EnsureServed()
    {
        if (_hydrated.Task.IsFaulted) throw _hydrated.Task.Exception.InnerException!;
    }

    private void Ask(Need need) => _need = (Need)Math.Max((int)_need, (int)need);

    private void Pump()
    {
        lock (_lock)
        {
            if (_pumping || _hydrated.Task.IsFaulted || !HasStep) return;
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
        while (NextStep() is { } step)
        {
            try
            {
                await step().WaitAsync(_client.Options.CallTimeout, _client.Clock);
                delay = FirstRetryDelay;
                _client.NotConnected = null;
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
                SetUnreachable(_client.NotConnected ?? failure);
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
        var reply = await Served(Grain.AttachAsync(request));
        if (reply.Refused is { } why) throw new SessionRefusedException(why);
        lock (_lock)
        {
            if (turn != _turn) return;
            // The user has chosen other slices meanwhile, or more has been seen.
            if (!Equals(request.Slices, _replica.Slices) || !_replica.Attached(reply))
            {
                Ask(Need.Attach);
                return;
            }
            (_save, ReadOnly, _crash, SchemaVersion) = (reply.Save, reply.ReadOnly, reply.Crash, reply.SchemaVersion);
            Notices = [.. _file?.Notices ?? [], .. reply.Notices];
            Settle();
            if (FollowChoice()) return;
            _subscriptions.Publish(Update([.. reply.State.Changes]));
            SetHydrated();
        }
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

    private async Task<bool> CloseAsync()
    {
        lock (_lock)
        {
            if (_closing) return false;
            _closing = true;
        }
        using var deadline = new CancellationTokenSource(_client.Options.CloseTimeout, _client.Clock);
        try
        {
            await SaveBeforeClosingAsync(deadline.Token);
            await StopPumping().WaitAsync(deadline.Token);
            await GoodbyeAsync(deadline.Token);
        }
        catch (Exception unreachable)
        {
            if (_file is null) LogClosedUnsaved(_client.Logger, Session.Key, OutboxCount, unreachable.Message);
            else LogClosedUnsent(_client.Logger, Session.Key, OutboxCount, _file.Path, unreachable.Message);
        }
        _ = StopPumping();
        lock (_lock)
        {
            // What is still on its way comes too late.
            _turn++;
            foreach (var entry in _replica.Outbox.All)
            {
                entry.Applied.TrySetCanceled();
                entry.Durable.TrySetCanceled();
            }
            TurnAway(new ObjectDisposedException(nameof(ChatterboxStore)));
            _file?.Dispose();
        }
        _hydrated.TrySetCanceled();
        _subscriptions.Close();
        _syncChanged?.Close();
        _rejected?.Close();
        Progress();
        return true;
    }

    private async Task SaveBeforeClosingAsync(CancellationToken cancellationToken)
    {
        if (OutboxCount == 0) return;
        try
        {
            await EmptyOutboxAsync(cancellationToken);
        }
        catch (IOException failing) when (_file is null)
        {
            // The session has them all, and goes on trying.
            LogClosedUnsaved(_client.Logger, Session.Key, OutboxCount, failing.Message);
        }
    }

    private async Task GoodbyeAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_hydrated.Task.IsCompletedSuccessfully) return;
            // The session forgets the client, and with it which of its changes it holds: none of them may ever be sent again.
            if (_file is not null && _replica.Outbox.Count > 0) throw new IOException("the session has not stored them");
            _file?.Empty();
        }
        // Last: a step of the pump after it would attach again.
        await Grain.DetachAsync(_id).WaitAsync(cancellationToken);
        lock (_lock) _file?.Delete();
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
            // On disk they stay, for a client that the session serves.
            foreach (var entry in _replica.Outbox.All) entry.Applied.TrySetException(refused);
            _hydrated.TrySetException(refused);
            TurnAway(refused);
        }
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

    private Task NextProgress() => (_progress ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    private void Progress()
    {
        lock (_lock)
        {
            _progress?.TrySetResult();
            _progress = null;
        }
        _syncChanged?.Publish(true);
    }

    // Away from the pump: a handler that throws or blocks stops nothing.
    private void Raise(Action handler) => ListenerThreads.Post(() =>
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

    [LoggerMessage(LogLevel.Warning, "The store of {Session} was closed with {Count} change(s) left to send; they are kept in {Path}: {Reason}")]
    private static partial void LogClosedUnsent(ILogger logger, string session, int count, string path, string reason);

    [LoggerMessage(LogLevel.Warning, "Session {Session} refused a change that an earlier run of the client had left to send: {Reason}")]
    private static partial void LogRefused(ILogger logger, string session, string reason);

    [LoggerMessage(LogLevel.Warning, "What session {Session} has stored could not be taken out of the outbox on disk: {Reason}")]
    private static partial void LogNotRemoved(ILogger logger, string session, string reason);
}
