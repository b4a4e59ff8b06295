using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Chatterbox.Grains.FanOut.Streams;

/// <summary>
/// Events between the sessions of a silo and the pulling agent beside them. The agent waits here for the next event instead of
/// polling: events are delivered at once, and an idle silo uses no CPU.
/// </summary>
internal sealed partial class EventQueue(QueueId id, TimeProvider clock, ILogger logger) : IQueueAdapterReceiver
{
    /// <summary>
    /// The most bytes queued, plus one event. Reached only while the agent is blocked; then events are dropped, and clients
    /// request the missed ones.
    /// </summary>
    internal const int MostBytes = 4 * 1024 * 1024;

    /// <summary>The longest wait: between waits the agent cleans up idle streams.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private readonly Channel<(StreamId Stream, SessionEvents Events, int Size)> _events =
        Channel.CreateUnbounded<(StreamId, SessionEvents, int)>(new() { SingleReader = true });

    private long _bytes;
    private long _number;
    private int _dropping;

    public QueueId Id => id;

    /// <summary>The number of streams assigned to this queue. Maintained by <see cref="EventQueues"/>.</summary>
    public int Streams { get; set; }

    /// <summary>Never blocks and never fails: events that do not fit are dropped.</summary>
    public void Post(StreamId stream, SessionEvents events)
    {
        if (Interlocked.Read(ref _bytes) > MostBytes)
        {
            if (Interlocked.Exchange(ref _dropping, 1) == 0) LogDropping(MostBytes);
            return;
        }
        var size = EventSize.Of(events);
        Interlocked.Add(ref _bytes, size);
        _events.Writer.TryWrite((stream, events, size));
    }

    /// <summary>Waits for events; empty after the longest wait, or when the agent is stopped.</summary>
    public async Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount, CancellationToken cancellationToken)
    {
        var batches = Take(maxCount);
        if (batches.Count > 0) return batches;

        using var waited = new CancellationTokenSource(LongestWait, clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, waited.Token);
        Task some = _events.Reader.WaitToReadAsync(end.Token).AsTask();
        await some.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        return cancellationToken.IsCancellationRequested ? [] : Take(maxCount);
    }

    public Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount) =>
        GetQueueMessagesAsync(maxCount, CancellationToken.None);

    public Task Initialize(TimeSpan timeout) => Task.CompletedTask;

    public Task MessagesDeliveredAsync(IList<IBatchContainer> messages) => Task.CompletedTask;

    public Task Shutdown(TimeSpan timeout) => Task.CompletedTask;

    private List<IBatchContainer> Take(int maxCount)
    {
        var batches = new List<IBatchContainer>();
        while (batches.Count < maxCount && _events.Reader.TryRead(out var next))
        {
            batches.Add(new EventBatch(next.Stream, [next.Events], ++_number));
            Interlocked.Add(ref _bytes, -next.Size);
        }
        if (batches.Count > 0) Volatile.Write(ref _dropping, 0);
        return batches;
    }

    [LoggerMessage(LogLevel.Warning,
        "Events for clients are dropped: {Bytes} bytes are queued. Clients will request the missed events.")]
    private partial void LogDropping(int bytes);
}
