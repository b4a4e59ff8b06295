using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Chatterbox.Grains.FanOut.Streams;

/// <summary>
/// The queues of this silo. Every silo has all of them, each with an agent of its own, for the events of its own sessions: no
/// event crosses to another silo before it goes to its client, and a silo that dies takes nobody else's events with it.
/// </summary>
internal sealed class EventQueues : IStreamQueueMapper, IStreamQueueBalancer
{
    /// <summary>An agent that has to wait for one client's answer to a subscription reads nothing meanwhile; the others do.</summary>
    private const int Count = 8;

    private readonly QueueId[] _ids = [.. Enumerable.Range(0, Count).Select(number => QueueId.GetQueueId(ChatterboxStreams.Provider, (uint)number, (uint)number))];
    private readonly EventQueue[] _queues;

    public EventQueues(TimeProvider clock, ILogger<EventQueue> logger) =>
        _queues = [.. _ids.Select(_ => new EventQueue(clock, logger))];

    public void Post(StreamId stream, SessionEvents events) => _queues[IndexOf(stream)].Post(stream, events);

    public EventQueue Of(QueueId id) => _queues[id.GetNumericId()];

    public IEnumerable<QueueId> GetAllQueues() => _ids;

    public QueueId GetQueueForStream(StreamId streamId) => _ids[IndexOf(streamId)];

    // Balancing: there is nothing to share out, now or when silos come and go.
    IEnumerable<QueueId> IStreamQueueBalancer.GetMyQueues() => _ids;

    Task IStreamQueueBalancer.Initialize(IStreamQueueMapper queueMapper) => Task.CompletedTask;

    Task IStreamQueueBalancer.Shutdown() => Task.CompletedTask;

    bool IStreamQueueBalancer.SubscribeToQueueDistributionChangeEvents(IStreamQueueBalanceListener observer) => true;

    bool IStreamQueueBalancer.UnSubscribeFromQueueDistributionChangeEvents(IStreamQueueBalanceListener observer) => true;

    private static int IndexOf(StreamId stream) => (int)((uint)stream.GetHashCode() % Count);
}
