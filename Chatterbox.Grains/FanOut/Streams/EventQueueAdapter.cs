using Orleans.Streams;

namespace Chatterbox.Grains.FanOut.Streams;

/// <summary>Adapts a silo's <see cref="EventQueues"/> to an Orleans persistent stream provider.</summary>
internal sealed class EventQueueAdapter(string name, EventQueues queues) : IQueueAdapterFactory, IQueueAdapter, IQueueAdapterCache
{
    public string Name => name;

    /// <summary>Not rewindable: delivered events are discarded. Clients that missed events ask the session.</summary>
    public bool IsRewindable => false;

    public StreamProviderDirection Direction => StreamProviderDirection.ReadWrite;

    public Task<IQueueAdapter> CreateAdapter() => Task.FromResult<IQueueAdapter>(this);

    public IQueueAdapterCache GetQueueAdapterCache() => this;

    public IStreamQueueMapper GetStreamQueueMapper() => queues;

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId) =>
        Task.FromResult<IStreamFailureHandler>(new NoOpStreamDeliveryFailureHandler());

    public IQueueAdapterReceiver CreateReceiver(QueueId queueId) => queues.Of(queueId);

    public IQueueCache CreateQueueCache(QueueId queueId)
    {
        var queue = queues.Of(queueId);
        return new LaneCache(stream => queues.Release(stream, queue));
    }

    public Task QueueMessageBatchAsync<T>(
        StreamId streamId, IEnumerable<T> events, StreamSequenceToken? token, Dictionary<string, object>? requestContext)
    {
        foreach (var each in events.OfType<SessionEvents>()) queues.Post(streamId, each);
        return Task.CompletedTask;
    }
}
