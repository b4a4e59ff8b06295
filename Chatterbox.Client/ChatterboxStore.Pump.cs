using Chatterbox.Client.Connections;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Client;

/// <summary>The loop that calls the session: one step at a time, tried again until it succeeds.</summary>
public sealed partial class ChatterboxStore
{
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
