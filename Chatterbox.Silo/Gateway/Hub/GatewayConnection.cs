using System.Collections.Concurrent;
using Chatterbox.Silo.Gateway.Wire;
using Microsoft.AspNetCore.SignalR;

namespace Chatterbox.Silo.Gateway.Hub;

/// <summary>One browser's WebSocket: what it has attached, and what waits to be sent to it. Nothing else is kept of it.</summary>
internal sealed class GatewayConnection(string id, string user, DateTimeOffset? expiresAt, IClientProxy browser, Action abort)
{
    private static readonly TimeSpan LongestBye = TimeSpan.FromSeconds(1);

    private readonly SendQueue _queue = new();
    private int _isSending;
    private int _isClosing;

    public string Id => id;

    public string User => user;

    public DateTimeOffset? ExpiresAt => expiresAt;

    /// <summary>The version that the page speaks; 0 until it has said so.</summary>
    public int Protocol { get; set; }

    /// <summary>By store.</summary>
    public ConcurrentDictionary<string, Attachment> Attachments { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether another connection has attached this one's client since. By store, until it attaches again.</summary>
    public ConcurrentDictionary<string, string> Superseded { get; } = new(StringComparer.Ordinal);

    /// <summary>Bytes that wait to be sent.</summary>
    public int Waiting => _queue.Bytes;

    public void Post(Attachment attachment, OutgoingEvent what)
    {
        if (what.Revision > 0) attachment.Told(what.Epoch, what.Revision);
        _queue.Add(attachment.Session.Store, what);
        Send();
    }

    public void PostBehind(Attachment attachment, long epoch, long revision, long durableRevision)
    {
        attachment.Told(epoch, revision);
        _queue.AddBehind(attachment.Session.Store, epoch, revision, durableRevision);
        Send();
    }

    /// <summary>The client id is another connection's now.</summary>
    public void Supersede(Attachment attachment)
    {
        var store = attachment.Session.Store;
        if (!Attachments.TryRemove(new(store, attachment))) return;
        Superseded[store] = attachment.Client.Client;
        _queue.Remove(store);
        _queue.AddFirst(Push.Bye, new ByePush(ByeReason.Superseded, store));
        Send();
    }

    /// <summary>Says that the connection is about to end. Waits a second at most.</summary>
    public async Task SayByeAsync(ByeReason reason)
    {
        try
        {
            await browser.SendCoreAsync(Push.Bye, [new ByePush(reason)]).WaitAsync(LongestBye);
        }
        catch (Exception)
        {
            // It takes nothing any more.
        }
    }

    /// <summary>Says why, and ends the connection a little later, unless the browser does.</summary>
    public async Task CloseAsync(ByeReason reason, TimeProvider clock)
    {
        if (Interlocked.Exchange(ref _isClosing, 1) != 0) return;
        await SayByeAsync(reason);
        await Task.Delay(LongestBye, clock);
        abort();
    }

    private void Send()
    {
        // Off the thread that brought the event: others wait for it.
        if (Interlocked.Exchange(ref _isSending, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(static connection => _ = connection.SendAllAsync(), this, preferLocal: false);
    }

    private async Task SendAllAsync()
    {
        try
        {
            // One at a time: SignalR would hold on to every message that waits for its turn.
            while (_queue.TryTake(out var message)) await browser.SendCoreAsync(message.Method, [message.Argument]);
        }
        catch (Exception)
        {
            // The connection is gone, and with it what waits.
            return;
        }
        Volatile.Write(ref _isSending, 0);
        if (!_queue.IsEmpty) Send();
    }
}
