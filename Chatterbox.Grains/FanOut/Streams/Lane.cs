using Orleans.Streams;

namespace Chatterbox.Grains.FanOut.Streams;

/// <summary>
/// What waits for one client process while a delivery to it is under way. It then goes out together. A process that is too slow
/// loses the oldest: nobody waits for it, and it asks for what it missed.
/// </summary>
internal sealed class Lane(StreamId stream)
{
    /// <summary>Bytes that wait for one process at most, but for a single larger event.</summary>
    internal const int MostBytes = 1024 * 1024;

    /// <summary>Bytes that go out in one delivery, but for a single larger event.</summary>
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

    /// <summary>Reads from the batch of this number on.</summary>
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

    /// <summary>What every cursor has passed is gone.</summary>
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
