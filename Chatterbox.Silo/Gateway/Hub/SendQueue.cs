using System.Text;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.Silo.Gateway.Hub;

/// <summary>
/// What waits to be sent over one connection: bounded, never waits, and loses nothing that the client cannot ask for. An event
/// that a later one of its kind supersedes is dropped; of too much, a session's changes become one <see cref="BehindPush"/>.
/// </summary>
internal sealed class SendQueue
{
    /// <summary>Bytes of events that wait, but for one.</summary>
    public const int MostBytes = 256 * 1024;

    private readonly Lock _lock = new();
    private readonly LinkedList<(string Store, OutgoingEvent Event)> _events = new();
    private readonly Dictionary<(string Store, EventKind Kind), LinkedListNode<(string, OutgoingEvent)>> _latest = [];
    private readonly Dictionary<string, BehindPush> _behind = new(StringComparer.Ordinal);
    private readonly Queue<OutgoingMessage> _first = new();
    private int _bytes;

    public bool IsEmpty
    {
        get
        {
            lock (_lock) return _first.Count + _behind.Count + _events.Count == 0;
        }
    }

    public int Bytes
    {
        get
        {
            lock (_lock) return _bytes;
        }
    }

    public void Add(string store, OutgoingEvent what)
    {
        lock (_lock)
        {
            if (_behind.TryGetValue(store, out var behind) && IsRecoverable(what.Kind))
            {
                _behind[store] = Later(behind, what);
                return;
            }
            var isLatest = what.Kind is EventKind.Durable or EventKind.Status or EventKind.Presence;
            if (isLatest && _latest.TryGetValue((store, what.Kind), out var superseded)) Remove(superseded);
            var added = _events.AddLast((store, what));
            if (isLatest) _latest[(store, what.Kind)] = added;
            _bytes += what.Json.Length;
            if (_bytes > MostBytes) Collapse();
        }
    }

    /// <summary>Goes out before everything that waits.</summary>
    public void AddFirst(string method, object argument)
    {
        lock (_lock) _first.Enqueue(new(method, argument));
    }

    /// <summary>The client has to ask where the session is.</summary>
    public void AddBehind(string store, long epoch, long revision, long durableRevision)
    {
        lock (_lock)
        {
            Drop(store, onlyRecoverable: true);
            _behind[store] = new(store, epoch, revision, durableRevision);
        }
    }

    /// <summary>Forgets what waits of a store that is no longer attached.</summary>
    public void Remove(string store)
    {
        lock (_lock)
        {
            Drop(store, onlyRecoverable: false);
            _behind.Remove(store);
        }
    }

    /// <summary>The next message; events of one store and epoch that follow each other go together.</summary>
    public bool TryTake(out OutgoingMessage message)
    {
        lock (_lock)
        {
            if (_first.TryDequeue(out message)) return true;
            if (_behind.Count > 0)
            {
                var (store, behind) = _behind.First();
                _behind.Remove(store);
                message = new(Push.Behind, behind);
                return true;
            }
            if (_events.First is not { } next) return false;
            message = new(Push.Events, TakeEvents(next.Value.Store, next.Value.Event.Epoch));
            return true;
        }
    }

    private RawJson TakeEvents(string store, long epoch)
    {
        var json = new MemoryStream();
        Write(json, $"{{\"store\":\"{store}\",\"epoch\":{epoch},\"events\":[");
        var isFirst = true;
        while (_events.First is { } next && next.Value.Store == store && next.Value.Event.Epoch == epoch
            && (isFirst || json.Length + next.Value.Event.Json.Length < WebProtocol.InlineBytes))
        {
            if (!isFirst) json.WriteByte((byte)',');
            isFirst = false;
            json.Write(next.Value.Event.Json);
            Remove(next);
        }
        Write(json, "]}");
        return new(json.GetBuffer().AsMemory(0, (int)json.Length));
    }

    // What a client that asks gets to know anyway.
    private static bool IsRecoverable(EventKind kind) => kind is EventKind.Changes or EventKind.Reset or EventKind.Durable;

    private void Collapse()
    {
        foreach (var store in _events.Select(each => each.Store).Distinct().ToArray())
        {
            var behind = new BehindPush(store, 0, 0, 0);
            foreach (var (_, what) in _events.Where(each => each.Store == store && IsRecoverable(each.Event.Kind)))
            {
                behind = Later(behind, what);
            }
            if (behind.Epoch == 0) continue;
            Drop(store, onlyRecoverable: true);
            _behind[store] = behind;
        }
        // Notices are left, of which there may be too many as well.
        while (_bytes > MostBytes && _events.First is { } oldest) Remove(oldest);
    }

    private static BehindPush Later(BehindPush behind, OutgoingEvent what) => what.Epoch > behind.Epoch
        ? behind with { Epoch = what.Epoch, Revision = what.Revision, DurableRevision = what.DurableRevision }
        : behind with
        {
            Revision = Math.Max(behind.Revision, what.Revision),
            DurableRevision = Math.Max(behind.DurableRevision, what.DurableRevision),
        };

    private void Drop(string store, bool onlyRecoverable)
    {
        for (var node = _events.First; node is not null;)
        {
            var next = node.Next;
            if (node.Value.Store == store && (!onlyRecoverable || IsRecoverable(node.Value.Event.Kind))) Remove(node);
            node = next;
        }
    }

    private void Remove(LinkedListNode<(string Store, OutgoingEvent Event)> node)
    {
        var (store, what) = node.Value;
        _bytes -= what.Json.Length;
        _events.Remove(node);
        if (_latest.TryGetValue((store, what.Kind), out var latest) && latest == node) _latest.Remove((store, what.Kind));
    }

    private static void Write(MemoryStream json, string text) => json.Write(Encoding.UTF8.GetBytes(text));
}
