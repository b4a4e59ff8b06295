using Orleans.Streams;

namespace Chatterbox.Client.Streams;

/// <summary>The client's end of the event streams. Silos push; a client process only listens.</summary>
internal sealed class ListeningAdapter(string name) : IQueueAdapterFactory, IQueueAdapter
{
    public string Name => name;

    public bool IsRewindable => false;

    public StreamProviderDirection Direction => StreamProviderDirection.ReadOnly;

    public Task<IQueueAdapter> CreateAdapter() => Task.FromResult<IQueueAdapter>(this);

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId) =>
        Task.FromResult<IStreamFailureHandler>(new NoOpStreamDeliveryFailureHandler());

    public IQueueAdapterCache GetQueueAdapterCache() => throw OnlyListens();

    public IStreamQueueMapper GetStreamQueueMapper() => throw OnlyListens();

    public IQueueAdapterReceiver CreateReceiver(QueueId queueId) => throw OnlyListens();

    public Task QueueMessageBatchAsync<T>(
        StreamId streamId, IEnumerable<T> events, StreamSequenceToken? token, Dictionary<string, object>? requestContext) =>
            throw OnlyListens();

    private static NotSupportedException OnlyListens() => new("A client listens to its stream; events come from sessions.");
}
