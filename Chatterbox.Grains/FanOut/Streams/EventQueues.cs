using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Chatterbox.Grains.FanOut.Streams;

/// <summary>
/// The queues of this silo, each with an agent of its own beside it, for the events of its own sessions: no event crosses to
/// another silo before it goes to its client, and a silo that dies takes nobody else's events with it.
/// </summary>
/// <remarks>
/// An agent reads nothing while it waits for a client's or another silo's answer about a new stream. So each client process gets
/// a queue to itself while there are free ones, and the queues double when there are none: a process that does not answer keeps
/// only itself waiting. An agent serves whatever comes through its queue, so that sharing one is no more than a nuisance.
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

    /// <summary>Never waits and never fails.</summary>
    public void Post(StreamId stream, SessionEvents events) => QueueOf(stream).Post(stream, events);

    public EventQueue Of(QueueId id)
    {
        lock (_lock) return _queues[(int)id.GetNumericId()];
    }

    /// <summary>Nobody listens to the stream any more, as far as the agent of this queue knows.</summary>
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

    // Balancing: silos share nothing out, so nothing changes when one comes or goes.
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
        // Not from here: whoever posts waits for nobody. Until their agents are there, the new queues hold what is posted.
        foreach (var listener in _listeners) _ = Task.Run(listener.QueueDistributionChangeNotification);
    }
}
