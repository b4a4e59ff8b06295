using Orleans.Streams;

namespace Chatterbox.Grains.FanOut.Streams;

/// <summary>
/// Between an agent and its clients: a lane for each client process, so that a slow or dead one holds up nobody else. Never under
/// pressure, since each lane drops what does not fit. Used by its agent alone, on the agent's scheduler.
/// </summary>
/// <param name="left">Called when nobody reads a stream any more.</param>
internal sealed class LaneCache(Action<StreamId> left) : IQueueCache
{
    /// <summary>Batches the agent takes from the queue at a time.</summary>
    private const int MostTaken = 1024;

    private readonly Dictionary<StreamId, Lane> _lanes = [];

    /// <summary>Lanes that had no reader when events arrived: the agent gives them one at once, or nobody is subscribed.</summary>
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

    /// <summary>Nothing has to be told of what was delivered; this is where lanes without readers go.</summary>
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
