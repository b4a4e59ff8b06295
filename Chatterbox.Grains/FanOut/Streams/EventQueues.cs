using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Chatterbox.Grains.FanOut.Streams;

/// <summary>
/// The queues of this silo, each with its own agent, for the events of this silo's sessions: no event passes through another
/// silo, and a crashed silo loses only its own sessions' events.
/// </summary>
/// <remarks>
/// An agent is blocked while it waits for an answer about a new stream from a client or another silo. So each client process gets
/// its own queue while free ones exist, and the number of queues doubles when none are left: a process that does not answer
/// blocks only itself. Sharing a queue is correct, only slower.
/// </remarks>
internal sealed class EventQueues(TimeProvider clock, ILogger<EventQueue> logger) : IStreamQueueMapper, IStreamQueueBalancer
{
    private const int Fewest = 8;
    internal const int Most = 4096;

    private readonly ConcurrentDictionary<StreamId, EventQueue> _taken = new();
    private readonly Lock _lock = new();
    private readonly List<EventQueue> _queues = [];
    private readonly Stack<EventQueue> _free = new();
    private readonly List<IStreamQueueBalanceListener> _listeners = [];

    /// <summary>The client processes with a queue.</summary>
    public int Processes => _taken.Count;

    public bool Has(StreamId stream) => _taken.ContainsKey(stream);

    /// <summary>Never blocks and never fails.</summary>
    public void Post(StreamId stream, SessionEvents events) => QueueOf(stream).Post(stream, events);

    public EventQueue Of(QueueId id)
    {
        lock (_lock) return _queues[(int)id.GetNumericId()];
    }

    /// <summary>Releases the stream's queue: its agent knows of no more listeners.</summary>
    public void Release(StreamId stream, EventQueue queue)
    {
        lock (_lock)
        {
            if (_taken.TryRemove(new(stream, queue)) && --queue.Streams == 0) _free.Push(queue);
        }
    }

    public IEnumerable<QueueId> GetAllQueues()
    {
        lock (_lock)
        {
            if (_queues.Count == 0) Grow();
            return [.. _queues.Select(queue => queue.Id)];
        }
    }

    public QueueId GetQueueForStream(StreamId streamId) => QueueOf(streamId).Id;

    // No balancing: each silo keeps its own queues when silos join or leave.
    IEnumerable<QueueId> IStreamQueueBalancer.GetMyQueues() => GetAllQueues();

    Task IStreamQueueBalancer.Initialize(IStreamQueueMapper queueMapper) => Task.CompletedTask;

    Task IStreamQueueBalancer.Shutdown() => Task.CompletedTask;

    bool IStreamQueueBalancer.SubscribeToQueueDistributionChangeEvents(IStreamQueueBalanceListener observer)
    {
        lock (_lock) _listeners.Add(observer);
        return true;
    }

    bool IStreamQueueBalancer.UnSubscribeFromQueueDistributionChangeEvents(IStreamQueueBalanceListener observer)
    {
        lock (_lock) return _listeners.Remove(observer);
    }

    private EventQueue QueueOf(StreamId stream) => _taken.TryGetValue(stream, out var queue) ? queue : Take(stream);

    private EventQueue Take(StreamId stream)
    {
        lock (_lock)
        {
            if (_taken.TryGetValue(stream, out var queue)) return queue;
            if (_free.Count == 0 && _queues.Count < Most) Grow();
            if (!_free.TryPop(out queue)) queue = _queues[(int)((uint)stream.GetHashCode() % _queues.Count)];
            queue.Streams++;
            return _taken[stream] = queue;
        }
    }

    private void Grow()
    {
        for (var more = Math.Max(Fewest, _queues.Count); more > 0; more--)
        {
            var number = (uint)_queues.Count;
            _queues.Add(new EventQueue(QueueId.GetQueueId(ChatterboxStreams.Provider, number, number), clock, logger));
            _free.Push(_queues[^1]);
        }
        // Started in the background: posting never blocks. The new queues hold events until their agents run.
        foreach (var listener in _listeners) _ = Task.Run(listener.QueueDistributionChangeNotification);
    }
}
