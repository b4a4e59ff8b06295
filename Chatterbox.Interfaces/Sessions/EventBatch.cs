using Orleans.Providers.Streams.Common;
using Orleans.Streams;

namespace Chatterbox;

/// <summary>Events for one client process, sent in one delivery of its stream.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.EventBatch")]
public sealed class EventBatch(StreamId streamId, ValueList<SessionEvents> events, long number) : IBatchContainer
{
    [Id(0)]
    public StreamId StreamId { get; } = streamId;

    [Id(1)]
    public ValueList<SessionEvents> Events { get; } = events;

    /// <summary>Grows from batch to batch within a silo's queue.</summary>
    [Id(2)]
    public long Number { get; } = number;

    public StreamSequenceToken SequenceToken => new EventSequenceTokenV2(Number);

    public IEnumerable<Tuple<T, StreamSequenceToken>> GetEvents<T>()
    {
        var token = SequenceToken;
        return Events.OfType<T>().Select(each => Tuple.Create(each, token));
    }

    public bool ImportRequestContext() => false;
}
