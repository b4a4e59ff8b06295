using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Client;

/// <summary>The listeners of a store. Each runs on its own, in order: one that throws, blocks or leaves harms nobody else.</summary>
internal sealed partial class Subscriptions(ILogger logger)
{
    /// <summary>A listener this far behind loses the oldest updates; the latest always reaches it.</summary>
    private const int Backlog = 4096;

    private Subscription[] _all = [];

    public int Count => _all.Length;

    public void Publish(StoreUpdate update)
    {
        foreach (var subscription in Volatile.Read(ref _all)) subscription.Updates.Writer.TryWrite(update);
    }

    public IDisposable Add(Action<StoreUpdate> listener)
    {
        var subscription = new Subscription(this, logger);
        Swap(all => [.. all, subscription]);
        _ = subscription.RunAsync(listener);
        return subscription;
    }

    public void Close()
    {
        foreach (var subscription in _all) subscription.Dispose();
    }

    private void Swap(Func<Subscription[], Subscription[]> change)
    {
        while (true)
        {
            var all = _all;
            if (Interlocked.CompareExchange(ref _all, change(all), all) == all) return;
        }
    }

    [LoggerMessage(LogLevel.Error, "A listener to a store threw")]
    private static partial void LogThrew(ILogger logger, Exception thrown);

    private sealed class Subscription(Subscriptions owner, ILogger logger) : IDisposable
    {
        private volatile bool _ended;

        public Channel<StoreUpdate> Updates { get; } = Channel.CreateBounded<StoreUpdate>(
            new BoundedChannelOptions(Backlog) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

        public async Task RunAsync(Action<StoreUpdate> listener)
        {
            await Task.Yield();
            await foreach (var update in Updates.Reader.ReadAllAsync())
            {
                if (_ended) return;
                try
                {
                    listener(update);
                }
                catch (Exception thrown)
                {
                    LogThrew(logger, thrown);
                }
            }
        }

        public void Dispose()
        {
            if (_ended) return;
            _ended = true;
            Updates.Writer.TryComplete();
            owner.Swap(all => [.. all.Where(each => each != this)]);
        }
    }
}
