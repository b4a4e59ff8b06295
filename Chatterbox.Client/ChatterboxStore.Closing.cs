using Chatterbox.Client.Connections;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Client;

/// <summary>The end of a store: everything stored and heard of, or kept, and the session told.</summary>
public sealed partial class ChatterboxStore
{
    private bool _closing;

    public async ValueTask DisposeAsync()
    {
        if (await CloseAsync()) _client.Remove(this);
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
            // What is still on its way comes too late.
            _turn++;
            foreach (var entry in _replica.Outbox.All)
            {
                entry.Applied.TrySetCanceled();
                entry.Durable.TrySetCanceled();
            }
            RefuseWaiting(new ObjectDisposedException(nameof(ChatterboxStore)));
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

    private async Task LeaveAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_refused is not null || !_hydrated.Task.IsCompletedSuccessfully) return;
            // The session forgets the client, and with it which of its changes it holds: none of them may ever be sent again.
            if (_file is not null && _replica.Outbox.Count > 0) throw new IOException("the session has not stored them");
            _file?.Empty();
        }
        // Last: a step of the pump after it would attach again.
        await Grain.DetachAsync(_id).UntilAsync(cancellationToken);
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

    [LoggerMessage(LogLevel.Warning, "The store of {Session} was closed with {Count} change(s) that may not be saved: {Reason}")]
    private static partial void LogClosedUnsaved(ILogger logger, string session, int count, string reason);

    [LoggerMessage(LogLevel.Warning, "The store of {Session} was closed with {Count} change(s) left to send; they are kept in {Path}: {Reason}")]
    private static partial void LogClosedUnsent(ILogger logger, string session, int count, string path, string reason);
}
