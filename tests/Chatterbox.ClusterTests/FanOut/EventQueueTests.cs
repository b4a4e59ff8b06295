using Chatterbox.Grains.FanOut.Streams;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Streams;

namespace Chatterbox.ClusterTests.FanOut;

public sealed class EventQueueTests
{
    private static readonly StreamId Stream = ChatterboxStreams.OfProcess("p1");

    [Fact(DisplayName = "[F2] a receiver that waits has an event as soon as it is posted")]
    public async Task An_event_ends_the_wait()
    {
        var queue = NewQueue(new FakeTimeProvider());
        var waiting = queue.GetQueueMessagesAsync(10, CancellationToken.None);
        Assert.False(waiting.IsCompleted);

        queue.Post(Stream, Event(1));

        Assert.Equal([1L], RevisionsOf(await waiting.WaitAsync(ChatterboxCluster.Patience)));
    }

    [Fact(DisplayName = "[F2] a receiver stops waiting when its agent does, and looks after the agent's streams now and then")]
    public async Task A_wait_ends()
    {
        var clock = new FakeTimeProvider();
        var queue = NewQueue(clock);
        using var stop = new CancellationTokenSource();
        var stopped = queue.GetQueueMessagesAsync(10, stop.Token);
        await stop.CancelAsync();
        Assert.Empty(await stopped.WaitAsync(ChatterboxCluster.Patience));

        var idle = queue.GetQueueMessagesAsync(10, CancellationToken.None);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(await idle.WaitAsync(ChatterboxCluster.Patience));
    }

    [Fact(DisplayName = "[F2] a full queue drops events, fails nobody, and takes events again once some are taken")]
    public async Task A_full_queue_drops()
    {
        var queue = NewQueue(new FakeTimeProvider());
        var size = EventSize.Of(Event(1));
        var room = EventQueue.MostBytes / size + 1;
        for (var revision = 1; revision <= room + 1000; revision++) queue.Post(Stream, Event(revision));

        var taken = new List<long>();
        while (taken.Count < room)
        {
            taken.AddRange(RevisionsOf(await queue.GetQueueMessagesAsync(1000, CancellationToken.None)));
        }
        queue.Post(Stream, Event(-1));

        Assert.Equal(room, taken[^1]);
        Assert.Equal([-1L], RevisionsOf(await queue.GetQueueMessagesAsync(1000, CancellationToken.None)));
    }

    [Fact(DisplayName = "[F2] events that come while a delivery is under way go out together, in order")]
    public void Events_gather()
    {
        var cache = new LaneCache(_ => { });
        cache.AddToCache([Batch(1)]);
        using var cursor = cache.GetCacheCursor(Stream, Batch(1).SequenceToken);
        Assert.Equal([1L], Next(cursor));
        Assert.Empty(Next(cursor));

        cache.AddToCache([Batch(2), Batch(3)]);
        cache.AddToCache([Batch(4)]);

        Assert.Equal([2L, 3, 4], Next(cursor));
        Assert.Empty(Next(cursor));
    }

    [Fact(DisplayName = "[F2] a process that is too slow loses its oldest events, and no other process does")]
    public void A_slow_process_loses_the_oldest()
    {
        var (cache, other) = (new LaneCache(_ => { }), ChatterboxStreams.OfProcess("p2"));
        using var slow = cache.GetCacheCursor(Stream, null);
        using var quick = cache.GetCacheCursor(other, null);
        var last = Lane.MostBytes / EventSize.Of(Event(1)) * 2;
        var seen = new List<long>();
        for (var number = 1; number <= last; number++)
        {
            cache.AddToCache([Batch(number), new EventBatch(other, [Event(number)], number)]);
            seen.AddRange(Next(quick));
        }

        var left = new List<long>();
        while (Next(slow) is { Count: > 0 } some) left.AddRange(some);

        Assert.Equal(Enumerable.Range(1, last).Select(number => (long)number), seen);
        Assert.Equal(last, left[^1]);
        Assert.InRange(left.Count, last / 4, last / 2 + 1);
        Assert.Equal(Enumerable.Range((int)left[0], left.Count).Select(number => (long)number), left);
        Assert.False(cache.IsUnderPressure());
    }

    [Fact(DisplayName = "[F1] nothing is kept for processes that nobody is subscribed for")]
    public void Lanes_vanish()
    {
        var left = new List<StreamId>();
        var cache = new LaneCache(left.Add);
        cache.AddToCache([Batch(1)]);
        using (cache.GetCacheCursor(Stream, Batch(1).SequenceToken)) cache.TryPurgeFromCache(out _);
        Assert.Equal(0, cache.Lanes);

        cache.AddToCache([Batch(2)]);
        Assert.Equal(1, cache.Lanes);
        cache.TryPurgeFromCache(out _);
        Assert.Equal(0, cache.Lanes);
        Assert.Equal([Stream, Stream], left);
    }

    [Fact(DisplayName =
        "[F1] a process has a queue to itself, those of processes that are gone serve others, and there is an end to them")]
    public void Each_process_has_a_queue()
    {
        var queues = new EventQueues(new FakeTimeProvider(), NullLogger<EventQueue>.Instance);
        var streams = Enumerable.Range(0, EventQueues.Most)
            .Select(number => ChatterboxStreams.OfProcess($"process{number}")).ToArray();
        Assert.Equal(100, streams[..100].Select(queues.GetQueueForStream).Distinct().Count());
        var before = queues.GetAllQueues().Count();

        foreach (var stream in streams[..100]) queues.Release(stream, queues.Of(queues.GetQueueForStream(stream)));
        Assert.Equal(100, streams[100..200].Select(queues.GetQueueForStream).Distinct().Count());
        Assert.Equal(before, queues.GetAllQueues().Count());

        Assert.Equal(EventQueues.Most, streams.Select(queues.GetQueueForStream).Distinct().Count());
        queues.Post(ChatterboxStreams.OfProcess("one more"), Event(1));
        Assert.Equal(EventQueues.Most, queues.GetAllQueues().Count());
    }

    [Fact(DisplayName = "[F1] two subscriptions of one process each get every event, and hold on to it only until both have it")]
    public void Two_readers()
    {
        var cache = new LaneCache(_ => { });
        using var first = cache.GetCacheCursor(Stream, null);
        using var second = cache.GetCacheCursor(Stream, null);
        cache.AddToCache([Batch(1), Batch(2)]);
        Assert.Equal([1L, 2], Next(first));
        cache.AddToCache([Batch(3)]);

        Assert.Equal([1L, 2, 3], Next(second));
        Assert.Equal([3L], Next(first));
    }

    private static EventQueue NewQueue(TimeProvider clock) => new(QueueId.GetQueueId("q", 0, 0), clock, NullLogger.Instance);

    private static SessionEvents Event(long revision) => new("alice/app-state", 1, [new BecameDurable(revision)]);

    private static EventBatch Batch(long number) => new(Stream, [Event(number)], number);

    private static List<long> Next(IQueueCacheCursor cursor) =>
        cursor.MoveNextWithResult().Kind is QueueCacheCursorMoveResultKind.Success
            ? RevisionsOf([cursor.GetCurrent(out _)!])
            : [];

    private static List<long> RevisionsOf(IList<IBatchContainer> batches) =>
        [.. batches.Cast<EventBatch>().SelectMany(batch => batch.Events).SelectMany(events => events.Events).Cast<BecameDurable>()
            .Select(each => each.Revision)];
}
