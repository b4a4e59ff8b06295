using Chatterbox.Client.Connections;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Client;

/// <summary>Closing a store: changes become durable or stay on disk, and the session is told.</summary>
public partial class AppStore
{
    private bool _closing;

    public async ValueTask DisposeAsync()
    {
        if (await CloseAsync()) _client.Remove(this);
        GC.SuppressFinalize(this);
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
            await LeaveAsync(deadline.Token);
        }
        catch (Exception unreachable)
        {
            if (_file is null) LogClosedUnsaved(_client.Logger, Session.Key, OutboxCount, unreachable.Message);
            else LogClosedUnsent(_client.Logger, Session.Key, OutboxCount, _file.Path, unreachable.Message);
        }
        _ = StopPumping();
        lock (_lock)
        {
            // Answers to calls in progress are ignored from now on.
            _turn++;
            foreach (var entry in _replica.Outbox.All)
            {
                entry.Applied.TrySetCanceled();
                entry.Durable.TrySetCanceled();
            }
            RefuseWaiting(new ObjectDisposedException(nameof(AppStore)));
            _file?.Dispose();
        }
        _hydrated.TrySetCanceled();
        _subscriptions.Close();
        _syncChanged?.Close();
        _rejected?.Close();
        Progress();
        return true;
    }

    private async Task LeaveAsync(CancellationToken cancellationToken)
    {
        if (_file is null)
        {
            // Detaching saves, so that a short visit writes each row once.
            await AppliedAsync(cancellationToken);
            if (await DetachAsync(cancellationToken)) return;
            lock (_lock) _closed = false;
            Pump();
        }
        if (OutboxCount > 0) await EmptyOutboxAsync(cancellationToken);
        await DetachAsync(cancellationToken);
    }

    /// <summary>Tells the session that this client will not send its changes again.</summary>
    /// <returns>False when some must be sent again: the session has another epoch, or could not be asked.</returns>
    /// <exception cref="IOException">Storage is failing.</exception>
    private async Task<bool> DetachAsync(CancellationToken cancellationToken)
    {
        // A later step of the pump would attach again.
        await StopPumping().WaitAsync(cancellationToken);
        lock (_lock)
        {
            if (_refused is not null || !_hydrated.Task.IsCompletedSuccessfully) return true;
            if (_file is not null && _replica.Outbox.Count > 0) throw new IOException("the session has not stored them");
            _file?.Empty();
        }
        FlushReply reply;
        try
        {
            reply = await Grain.DetachAsync(_id, isDone: true).UntilAsync(cancellationToken);
        }
        catch (Exception unreachable) when (_file is null && unreachable is not OperationCanceledException)
        {
            LogRetry(_client.Logger, Session.Key, unreachable.Message);
            lock (_lock) Ask(Need.Attach);
            return false;
        }
        if (reply.Failure is { } failure && OutboxCount > 0) throw new IOException(failure);
        lock (_lock)
        {
            _file?.Delete();
            if (OutboxCount == 0) return true;
            if (!IsCurrent(reply)) return false;
            return OutboxCount == 0;
        }
    }

    private Task StopPumping()
    {
        lock (_lock)
        {
            _closed = true;
            return _pump;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The store of {Session} was closed with {Count} change(s) that may not be saved: {Reason}")]
    private static partial void LogClosedUnsaved(ILogger logger, string session, int count, string reason);

    [LoggerMessage(LogLevel.Warning,
        "The store of {Session} was closed with {Count} change(s) left to send; they are kept in {Path}: {Reason}")]
    private static partial void LogClosedUnsent(ILogger logger, string session, int count, string path, string reason);
}
