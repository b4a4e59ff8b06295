using Chatterbox.Client.Connections;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Client;

/// <summary>The loop that calls the session: one step at a time, repeated until it succeeds.</summary>
public partial class AppStore
{
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(50);

    private Need _need = Need.Attach;
    private bool _checkDue;
    private bool _pumping;
    private bool _closed;

    private Task _pump = Task.CompletedTask;

    /// <summary>The current call. The answer to an earlier, abandoned call is ignored.</summary>
    private long _turn;

    /// <summary>Set once the session has refused this client: no further calls are made.</summary>
    private SessionRefusedException? _refused;

    internal void Start()
    {
        _options.Configure?.Invoke(this);
        BeginHydration();
        Pump();
    }

    /// <summary>Renews the lease and checks for missed events.</summary>
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
            // Queued behind pending work items, so that changes made at the same time are sent in one batch.
            var begun = new TaskCompletionSource<Task>();
            ThreadPool.UnsafeQueueUserWorkItem(static run => run.begun.SetResult(run.store.PumpAsync()), (begun, store: this),
                preferLocal: false);
            _pump = begun.Task.Unwrap();
        }
    }

    /// <summary>Whether <see cref="NextStep"/> has a step: most events need none.</summary>
    private bool HasStep => !_closed && (_need is not Need.Nothing || _checkDue || _replica.HasUnsent);

    private async Task PumpAsync()
    {
        var delay = FirstRetryDelay;
        var timeout = new AttemptTimeout(_client.Options.CallTimeout);
        while (NextStep(out var need) is { } step)
        {
            try
            {
                await _client.AttemptAsync(step(), timeout.Current);
                delay = FirstRetryDelay;
                timeout.Answered();
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
                timeout.Failed(failure);
                LogRetry(_client.Logger, Session.Key, failure.Message);
                SetUnreachable(_client.NotConnected ?? failure);
                // Whatever the outcome of the call, the session's status is requested. A session that rejected the call, as while
                // it moves to another silo, still knows this client.
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

    private void Refuse(SessionRefusedException refused)
    {
        lock (_lock)
        {
            (_pumping, _refused) = (false, refused);
            // These changes are not sent any more. Those on disk wait for a client that the session serves.
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

    [LoggerMessage(LogLevel.Debug, "A call to session {Session} failed and will be repeated: {Reason}")]
    private static partial void LogRetry(ILogger logger, string session, string reason);

    [LoggerMessage(LogLevel.Warning,
        "Session {Session} refused a change that an earlier run of the client had left to send: {Reason}")]
    private static partial void LogRefused(ILogger logger, string session, string reason);

    [LoggerMessage(LogLevel.Warning,
        "Changes stored by session {Session} could not be removed from the outbox on disk: {Reason}")]
    private static partial void LogNotRemoved(ILogger logger, string session, string reason);
}
