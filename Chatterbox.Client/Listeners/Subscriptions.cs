using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Client.Listeners;

/// <summary>
/// A list of listeners. Each is called independently, in order, one call at a time: one that throws, blocks or unsubscribes does
/// not affect the others. An idle listener uses no thread.
/// </summary>
/// <param name="backlog">A listener further behind loses the oldest; the latest always reaches it.</param>
internal sealed partial class Subscriptions<T>(ILogger logger, int backlog = Subscriptions<T>.Backlog)
{
    private const int Backlog = 4096;

    private readonly int _backlog = backlog;
    private readonly ILogger _logger = logger;
    private ISubscription[] _all = [];

    private interface ISubscription : IDisposable
    {
        /// <summary>Identifies the listener when it is removed.</summary>
        object? Key { get; }

        void Publish(T what);
    }

    public int Count => _all.Length;

    public void Publish(T what)
    {
        foreach (var subscription in Volatile.Read(ref _all)) subscription.Publish(what);
    }

    public IDisposable Add(Action<T> listener, object? key = null) => Add(new Callback(this, listener, key));

    public void Remove(object key)
    {
        if (Volatile.Read(ref _all).LastOrDefault(each => Equals(each.Key, key)) is { } found) found.Dispose();
    }

    /// <summary>The same as a sequence, which ends when this is closed.</summary>
    public (ChannelReader<T> Reader, IDisposable Subscription) Watch(T first)
    {
        var sequence = new Sequence(this);
        sequence.Publish(first);
        return (sequence.Reader, Add(sequence));
    }

    public void Close()
    {
        foreach (var subscription in Volatile.Read(ref _all)) subscription.Dispose();
    }

    private ISubscription Add(ISubscription subscription)
    {
        Swap(all => [.. all, subscription]);
        return subscription;
    }

    private void Remove(ISubscription subscription) => Swap(all => [.. all.Where(each => each != subscription)]);

    private void Swap(Func<ISubscription[], ISubscription[]> change)
    {
        while (true)
        {
            var all = _all;
            if (Interlocked.CompareExchange(ref _all, change(all), all) == all) return;
        }
    }

    [LoggerMessage(LogLevel.Error, "A listener to a store threw")]
    private static partial void LogThrew(ILogger logger, Exception thrown);

    private sealed class Callback(Subscriptions<T> owner, Action<T> listener, object? key) : ISubscription
    {
        /// <summary>The most calls in a row before other ready listeners run.</summary>
        private const int Turn = 64;

        private readonly Queue<T> _waiting = new();
        private bool _running;
        private bool _ended;

        public object? Key => key;

        public void Publish(T what)
        {
            lock (_waiting)
            {
                if (_ended) return;
                if (_waiting.Count == owner._backlog) _waiting.Dequeue();
                _waiting.Enqueue(what);
                if (_running) return;
                _running = true;
            }
            ListenerThreads.Post(Run);
        }

        public void Dispose()
        {
            lock (_waiting)
            {
                _ended = true;
                _waiting.Clear();
            }
            owner.Remove(this);
        }

        private void Run()
        {
            for (var calls = 0; calls < Turn; calls++)
            {
                T what;
                lock (_waiting)
                {
                    if (!_waiting.TryDequeue(out what!))
                    {
                        _running = false;
                        return;
                    }
                }
                try
                {
                    listener(what);
                }
                catch (Exception thrown)
                {
                    LogThrew(owner._logger, thrown);
                }
            }
            ListenerThreads.Post(Run);
        }
    }

    private sealed class Sequence(Subscriptions<T> owner) : ISubscription
    {
        private readonly Channel<T> _channel = Channel.CreateBounded<T>(
            new BoundedChannelOptions(owner._backlog) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

        public ChannelReader<T> Reader => _channel.Reader;

        public object? Key => null;

        public void Publish(T what) => _channel.Writer.TryWrite(what);

        public void Dispose()
        {
            _channel.Writer.TryComplete();
            owner.Remove(this);
        }
    }
}
