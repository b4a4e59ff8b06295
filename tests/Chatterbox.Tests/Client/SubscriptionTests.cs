using Chatterbox.Client.Listeners;
using Microsoft.Extensions.Logging.Abstractions;

namespace Chatterbox.Tests.Client;

public sealed class SubscriptionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact(DisplayName = "[C1] a hundred listeners that block for ever hold up neither other listeners nor the thread pool")]
    public async Task Blocked_listeners()
    {
        var subscriptions = new Subscriptions<int>(NullLogger.Instance);
        using var never = new ManualResetEventSlim();
        var blocked = 0;
        for (var number = 0; number < 100; number++)
        {
            subscriptions.Add(_ =>
            {
                Interlocked.Increment(ref blocked);
                never.Wait();
            });
        }
        var (seen, all) = (new List<int>(), new TaskCompletionSource());
        subscriptions.Add(number =>
        {
            seen.Add(number);
            if (seen.Count == 1000) all.SetResult();
        });
        var threads = ThreadPool.ThreadCount;

        for (var number = 0; number < 1000; number++) subscriptions.Publish(number);
        await all.Task.WaitAsync(Patience);

        Assert.Equal(Enumerable.Range(0, 1000), seen);
        Assert.InRange(ThreadPool.ThreadCount, 0, threads + 20);
        never.Set();
    }

    [Fact(DisplayName = "[C1] a listener that is too far behind loses the oldest, and hears the latest")]
    public async Task A_slow_listener()
    {
        var subscriptions = new Subscriptions<int>(NullLogger.Instance, backlog: 10);
        using var first = new SemaphoreSlim(0);
        var (seen, last) = (new List<int>(), new TaskCompletionSource());
        var entered = new TaskCompletionSource();
        subscriptions.Add(number =>
        {
            entered.TrySetResult();
            if (number == 0) first.Wait();
            seen.Add(number);
            if (number == 99) last.SetResult();
        });
        subscriptions.Publish(0);
        await entered.Task.WaitAsync(Patience);

        for (var number = 1; number < 100; number++) subscriptions.Publish(number);
        first.Release();
        await last.Task.WaitAsync(Patience);

        Assert.Equal([0, .. Enumerable.Range(90, 10)], seen);
    }

    [Fact(DisplayName = "[C1] who leaves inside a call hears nothing more, and sequences end when the store is closed")]
    public async Task Leaving()
    {
        var subscriptions = new Subscriptions<int>(NullLogger.Instance);
        var (heard, left, others) = (0, new TaskCompletionSource(), new TaskCompletionSource());
        IDisposable? leaving = null;
        using var ready = new SemaphoreSlim(0);
        leaving = subscriptions.Add(_ =>
        {
            ready.Wait();
            heard++;
            leaving!.Dispose();
            left.SetResult();
        });
        subscriptions.Add(number => { if (number == 2) others.SetResult(); });
        var (reader, _) = subscriptions.Watch(0);
        for (var number = 1; number <= 2; number++) subscriptions.Publish(number);
        ready.Release();
        await Task.WhenAll(left.Task, others.Task).WaitAsync(Patience);
        Assert.Equal(2, subscriptions.Count);

        subscriptions.Close();
        subscriptions.Publish(3);

        var sequence = new List<int>();
        await foreach (var number in reader.ReadAllAsync()) sequence.Add(number);
        Assert.Equal([0, 1, 2], sequence);
        Assert.Equal((1, 0), (heard, subscriptions.Count));
    }

    [Fact(DisplayName = "[C1] a handler that is taken away again is not called any more")]
    public void Handlers()
    {
        var subscriptions = new Subscriptions<int>(NullLogger.Instance);
        var handler = () => { };
        subscriptions.Add(_ => handler(), handler);
        subscriptions.Add(_ => handler(), handler);

        subscriptions.Remove(handler);
        Assert.Equal(1, subscriptions.Count);
        subscriptions.Remove(handler);
        subscriptions.Remove(handler);
        Assert.Equal(0, subscriptions.Count);
    }
}
