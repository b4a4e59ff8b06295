using Orleans.Streams;

namespace Chatterbox.Grains.FanOut.Streams;

/// <summary>
/// The events queued for one client process during a delivery to it; they are delivered together afterwards. A slow process loses
/// the oldest events: nothing waits for it, and it requests the missed ones.
/// </summary>
internal sealed class Lane(StreamId stream)
{
    /// <summary>The most bytes queued for one process, except for a single larger event.</summary>
    internal const int MostBytes = 1024 * 1024;

    /// <summary>The most bytes in one delivery, except for a single larger event.</summary>
    private const int DeliveryBytes = 256 * 1024;

    private readonly Queue<(EventBatch Batch, int Size)> _waiting = new();
    private readonly List<Cursor> _cursors = [];
    private int _bytes;

    public StreamId Stream => stream;

    public bool IsRead => _cursors.Count > 0;

    public int Count => _waiting.Count;

    public void Add(EventBatch batch)
    {
        var size = batch.Events.Sum(EventSize.Of);
        _waiting.Enqueue((batch, size));
        _bytes += size;
        while (_bytes > MostBytes && _waiting.Count > 1) DropFirst();
    }

    /// <summary>Starts reading at the batch of this number.</summary>
    public IQueueCacheCursor Read(long from, Action<Lane> left)
    {
        var cursor = new Cursor(this, from, left);
        _cursors.Add(cursor);
        return cursor;
    }

    private EventBatch? Next(ref long from)
    {
        var events = new List<SessionEvents>();
        var size = 0;
        foreach (var (batch, bytes) in _waiting)
        {
            if (batch.Number < from) continue;
            if (events.Count > 0 && size + bytes > DeliveryBytes) break;
            events.AddRange(batch.Events);
            size += bytes;
            from = batch.Number + 1;
        }
        if (events.Count == 0) return null;
        LetGo();
        return new EventBatch(stream, events.ToValueList(), from - 1);
    }

    /// <summary>Removes batches that every cursor has passed.</summary>
    private void LetGo()
    {
        var passed = _cursors.Min(cursor => cursor.From);
        while (_waiting.TryPeek(out var first) && first.Batch.Number < passed) DropFirst();
    }

    private void DropFirst() => _bytes -= _waiting.Dequeue().Size;

    private sealed class Cursor(Lane lane, long from, Action<Lane> left) : IQueueCacheCursor
    {
        private long _from = from;
        private EventBatch? _current;

        public long From => _from;

        public bool MoveNext() => (_current = lane.Next(ref _from)) is not null;

        public IBatchContainer? GetCurrent(out Exception? exception)
        {
            exception = null;
            return _current;
        }

        public void Refresh(StreamSequenceToken token) { }

        public void RecordDeliveryFailure() { }

        public void Dispose()
        {
            if (!lane._cursors.Remove(this)) return;
            if (lane.IsRead) lane.LetGo();
            else left(lane);
        }
    }
}
