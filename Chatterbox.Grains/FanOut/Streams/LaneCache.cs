using Orleans.Streams;

namespace Chatterbox.Grains.FanOut.Streams;

/// <summary>
/// Between an agent and its clients: a lane for each client process, so that a slow or dead one blocks no other. Never under
/// pressure, since each lane drops events that do not fit. Used only by its agent, on the agent's scheduler.
/// </summary>
/// <param name="left">Called when a stream has no readers any more.</param>
internal sealed class LaneCache(Action<StreamId> left) : IQueueCache
{
    /// <summary>The most batches that the agent takes from the queue at once.</summary>
    private const int MostTaken = 1024;

    private readonly Dictionary<StreamId, Lane> _lanes = [];

    /// <summary>
    /// Lanes that had no reader when events arrived: the agent adds one at once, or there is no subscriber.
    /// </summary>
    private readonly List<Lane> _unread = [];

    private long _last;

    public int Lanes => _lanes.Count;

    public int GetMaxAddCount() => MostTaken;

    public bool IsUnderPressure() => false;

    public void AddToCache(IList<IBatchContainer> messages)
    {
        foreach (EventBatch batch in messages)
        {
            var lane = LaneOf(batch.StreamId);
            if (!lane.IsRead) _unread.Add(lane);
            lane.Add(batch);
            _last = batch.Number;
        }
    }

    /// <summary>Deliveries need no acknowledgement; only lanes without readers are removed here.</summary>
    public bool TryPurgeFromCache(out IList<IBatchContainer> purgedItems)
    {
        foreach (var lane in _unread.Where(lane => !lane.IsRead)) Remove(lane);
        _unread.Clear();
        purgedItems = [];
        return false;
    }

    public IQueueCacheCursor GetCacheCursor(StreamId streamId, StreamSequenceToken? token) =>
        LaneOf(streamId).Read(token?.SequenceNumber ?? _last + 1, Remove);

    private Lane LaneOf(StreamId stream)
    {
        if (!_lanes.TryGetValue(stream, out var lane)) _lanes[stream] = lane = new Lane(stream);
        return lane;
    }

    private void Remove(Lane lane)
    {
        _lanes.Remove(lane.Stream);
        left(lane.Stream);
    }
}
