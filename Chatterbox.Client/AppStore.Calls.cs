using Chatterbox.Client.Connections;
using Orleans.Runtime.Messaging;

namespace Chatterbox.Client;

/// <summary>Calls made for the user, and waiting for their results.</summary>
public partial class AppStore
{
    /// <summary>Returns once every change made so far is durable.</summary>
    /// <exception cref="IOException">Storage is failing.</exception>
    internal async Task FlushAsync(CancellationToken cancellationToken)
    {
        long target;
        lock (_lock) target = _replica.LastSequence;
        var timeout = new AttemptTimeout(_client.Options.CallTimeout);
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
                var reply = await _client.AttemptAsync(Grain.FlushAsync(), timeout.Current, cancellationToken);
                if (reply.Failure is { } failure) throw new IOException(failure);
                if (IsCurrent(reply)) return;
            }
            catch (Exception unreachable) when (unreachable is not (IOException or OperationCanceledException))
            {
                timeout.Failed(unreachable);
                LogRetry(_client.Logger, Session.Key, unreachable.Message);
                lock (_lock) Ask(Need.Attach);
                await DelayAsync(FirstRetryDelay);
            }
            Pump();
            await progress.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Returns once the session has accepted every change made so far.</summary>
    private async Task AppliedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task progress;
            lock (_lock)
            {
                EnsureServed();
                if (_replica.Held is { } held) throw new IOException(held);
                if (_replica.Outbox.Count == 0 || (_replica.Epoch != 0 && _replica.Outbox.All.All(entry => entry.IsConfirmed)))
                    return;
                progress = NextProgress();
            }
            Pump();
            await progress.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Returns once everything is durable and this store has been told so: its outbox is empty.</summary>
    /// <exception cref="IOException">Storage is failing.</exception>
    internal async Task EmptyOutboxAsync(CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        if (OutboxCount > 0) await CaughtUpAsync(cancellationToken);
    }

    /// <summary>
    /// An idempotent operation: the session recognizes a repetition by its name. It is repeated for a while when no silo accepted
    /// it or none answered.
    /// </summary>
    internal async Task<T> OperateAsync<T>(Func<IUserSessionGrain, string, Task<T>> operation,
        CancellationToken cancellationToken)
    {
        var (name, timeout) = (Guid.NewGuid().ToString("N"), _client.Options.CallTimeout);
        return await RepeatAsync(
            () => operation(Grain, name).WithinAsync(timeout, _client.Clock, cancellationToken),
            failure => IsNotTaken(failure) || failure is TimeoutException or SiloUnavailableException, 3 * timeout);
    }

    /// <summary>A call made for the user, repeated for a while when no silo accepted it.</summary>
    internal Task<T> CallAsync<T>(Func<IUserSessionGrain, Task<T>> call, CancellationToken cancellationToken) =>
        RepeatAsync(() => call(Grain).UntilAsync(cancellationToken), IsNotTaken, _client.Options.CallTimeout);

    private async Task<T> RepeatAsync<T>(Func<Task<T>> call, Func<Exception, bool> isRepeated, TimeSpan limit)
    {
        var started = _client.Clock.GetTimestamp();
        while (true)
        {
            try
            {
                return await call();
            }
            catch (Exception failure) when (isRepeated(failure) && _client.Clock.GetElapsedTime(started) < limit)
            {
                LogRetry(_client.Logger, Session.Key, failure.Message);
                CheckSoon();
                await DelayAsync(FirstRetryDelay);
            }
        }
    }

    /// <summary>A read-only call: it is also repeated when it is not answered in time.</summary>
    /// <exception cref="TimeoutException">No attempt was answered, the longest one included.</exception>
    internal async Task<T> QueryAsync<T>(Func<IUserSessionGrain, Task<T>> call, CancellationToken cancellationToken)
    {
        var timeout = new AttemptTimeout(_client.Options.CallTimeout);
        while (true)
        {
            try
            {
                return await CallAsync(grain => _client.AttemptAsync(call(grain), timeout.Current, cancellationToken),
                    cancellationToken);
            }
            catch (TimeoutException late) when (!timeout.IsLongest)
            {
                timeout.Failed(late);
                LogRetry(_client.Logger, Session.Key, late.Message);
            }
        }
    }

    private static bool IsNotTaken(Exception failure) => failure is ConnectionFailedException || IsRejected(failure);

    // A silo that became unavailable may have executed the call.
    private static bool IsRejected(Exception failure) =>
        failure is OrleansMessageRejectionException and not SiloUnavailableException;

    /// <summary>Returns once this store shows what the session holds at the call.</summary>
    internal async Task CaughtUpAsync(CancellationToken cancellationToken)
    {
        var now = await QueryAsync(grain => grain.HeartbeatAsync(_id), cancellationToken);
        while (true)
        {
            Task progress;
            lock (_lock)
            {
                progress = NextProgress();
                if (_replica.IsPast(now.Epoch) || (_replica.Epoch == now.Epoch && _replica.Revision >= now.Revision)) return;
                Ask(_replica.Epoch == now.Epoch ? Need.CatchUp : Need.Attach);
            }
            Pump();
            await progress.WaitAsync(cancellationToken);
        }
    }

    // A session reloaded meanwhile may have lost applied changes: they are sent and flushed again.
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
        if (_refused is not null) throw _refused;
    }
}
