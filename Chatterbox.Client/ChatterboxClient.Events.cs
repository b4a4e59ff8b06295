using Chatterbox.Client.Connections;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Chatterbox.Client;

/// <summary>The subscription to this process's event stream, and the heartbeats of the open stores.</summary>
public sealed partial class ChatterboxClient
{
    /// <summary>Stores that attach within this time share one check of the subscription.</summary>
    internal static readonly TimeSpan SubscriptionFresh = TimeSpan.FromSeconds(1);

    /// <summary>The subscription is checked this often: the cluster collects an unused one, by default after 15 min.</summary>
    private static readonly TimeSpan SubscriptionRenewal = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _subscribing = new(1);
    private readonly Task _heartbeats;
    private StreamSubscriptionHandle<SessionEvents>? _subscription;
    private long? _looked;
    private PeriodicTimer? _heartbeat;

    /// <summary>
    /// Subscribes to this process's stream, again if the cluster has lost the subscription. Does nothing if it was checked within
    /// <paramref name="fresh"/>, or since the call.
    /// </summary>
    internal async Task EnsureSubscribedAsync(TimeSpan fresh)
    {
        var asked = Clock.GetTimestamp();
        await _subscribing.WaitAsync(_closing.Token);
        try
        {
            if (_looked is { } last && Clock.GetElapsedTime(last, asked) < fresh) return;
            var now = Clock.GetTimestamp();
            if (_subscription is { } known && (await Stream.GetAllSubscriptionHandles().WithinAsync(Options.CallTimeout, Clock))
                .Any(each => each.HandleId == known.HandleId))
            {
                _looked = now;
                return;
            }
            _subscription = await Stream.SubscribeAsync((events, _) =>
            {
                Dispatch(events);
                return Task.CompletedTask;
            }).WithinAsync(Options.CallTimeout, Clock);
            _looked = now;
        }
        finally
        {
            _subscribing.Release();
        }
    }

    /// <summary>For tests: the number of this process's subscriptions in the cluster.</summary>
    internal async Task<int> CountSubscriptionsAsync() => (await Stream.GetAllSubscriptionHandles()).Count;

    /// <summary>Called with a session's lease duration: leases are renewed three times per duration.</summary>
    internal void HeartbeatWithin(TimeSpan lease)
    {
        if (_heartbeat is { } timer && lease > TimeSpan.Zero && lease / 3 < timer.Period) timer.Period = lease / 3;
    }

    /// <summary>The connection to the cluster was lost or found again: every store checks its state.</summary>
    internal void ConnectionChanged()
    {
        _looked = null;
        foreach (var store in AllStores()) store.CheckSoon();
    }

    private IAsyncStream<SessionEvents> Stream =>
        _cluster.GetStreamProvider(ChatterboxStreams.Provider).GetStream<SessionEvents>(ChatterboxStreams.OfProcess(Process));

    private void Dispatch(SessionEvents events)
    {
        if (!_stores.TryGetValue(events.Session, out var open)) return;
        foreach (var store in open) store.OnEvents(events);
    }

    private async Task BeatAsync()
    {
        using var timer = _heartbeat = new PeriodicTimer(Options.Heartbeat, Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token))
            {
                foreach (var store in AllStores()) store.CheckSoon();
                if (_subscription is not null) await RenewSubscriptionAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // Closing.
        }
    }

    private async Task RenewSubscriptionAsync()
    {
        try
        {
            await EnsureSubscribedAsync(SubscriptionRenewal).WithinAsync(Options.CallTimeout, Clock);
        }
        catch (Exception unreachable) when (!_closing.IsCancellationRequested)
        {
            LogNotRenewed(unreachable.Message);
        }
    }

    private async Task UnsubscribeAsync()
    {
        try
        {
            if (_subscription is not null) await _subscription.UnsubscribeAsync().WithinAsync(Options.CallTimeout, Clock);
        }
        catch (Exception unreachable)
        {
            LogLeftSubscribed(unreachable.Message);
        }
    }

    [LoggerMessage(LogLevel.Debug, "The stream subscription could not be checked: {Reason}")]
    private partial void LogNotRenewed(string reason);

    [LoggerMessage(LogLevel.Debug, "The stream subscription could not be removed: {Reason}")]
    private partial void LogLeftSubscribed(string reason);
}
