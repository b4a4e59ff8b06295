using Orleans.Streams;

namespace Chatterbox.Silo.Gateway.Hub;

/// <summary>
/// The one stream over which the sessions speak to the browsers of this silo. Each event is written once for all connections that
/// want the same slices.
/// </summary>
internal sealed partial class EventFanOut(
    GatewayConnections connections, IClusterClient cluster, TimeProvider clock, ILogger<EventFanOut> logger) : IDisposable
{
    /// <summary>Clients that attach in quick succession share one look at the subscription.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _subscribing = new(1);
    private StreamSubscriptionHandle<SessionEvents>? _subscription;
    private long? _looked;

    /// <summary>
    /// Subscribes, again where the cluster has forgotten it. Does nothing where it was looked after no longer ago than
    /// <paramref name="fresh"/>. Without a subscription heartbeats show what was missed.
    /// </summary>
    public async Task EnsureSubscribedAsync(TimeSpan fresh)
    {
        var asked = clock.GetTimestamp();
        await _subscribing.WaitAsync();
        try
        {
            if (_looked is { } last && clock.GetElapsedTime(last, asked) < fresh) return;
            var now = clock.GetTimestamp();
            if (!await IsKnownAsync())
                _subscription = await Stream.SubscribeAsync(DispatchAsync).WaitAsync(CallTimeout, clock);
            _looked = now;
        }
        catch (Exception failure)
        {
            LogNotSubscribed(failure.Message);
        }
        finally
        {
            _subscribing.Release();
        }
    }

    public async Task UnsubscribeAsync()
    {
        try
        {
            if (_subscription is not null) await _subscription.UnsubscribeAsync().WaitAsync(Fresh, clock);
        }
        catch (Exception failure)
        {
            LogNotSubscribed(failure.Message);
        }
    }

    public void Dispose() => _subscribing.Dispose();

    /// <summary>To every connection that is attached to the session.</summary>
    public void Dispatch(SessionEvents events)
    {
        var attached = connections.Of(events.Session);
        if (attached.Count == 0) return;
        foreach (var what in events.Events)
        {
            var written = new List<(ValueList<string>? Slices, OutgoingEvent Event)>(1);
            foreach (var attachment in attached)
            {
                var slices = what is ChangesApplied ? attachment.Slices : null;
                var known = written.FindIndex(each => Equals(each.Slices, slices));
                if (known < 0)
                {
                    known = written.Count;
                    written.Add((slices, OutgoingEvent.Of(events.Session, events.Epoch, Select(what, slices))));
                }
                attachment.Connection.Post(attachment, written[known].Event);
            }
        }
    }

    // The revisions are told all the same: a connection without these slices has not missed anything.
    private static SessionEvent Select(SessionEvent what, ValueList<string>? slices) =>
        slices is null || what is not ChangesApplied changes
        || changes.Changes.All(change => slices.Contains(change.Change.Slice.Name))
            ? what
            : changes with { Changes = changes.Changes.Where(change => slices.Contains(change.Change.Slice.Name)).ToValueList() };

    private IAsyncStream<SessionEvents> Stream => cluster.GetStreamProvider(ChatterboxStreams.Provider)
        .GetStream<SessionEvents>(ChatterboxStreams.OfProcess(connections.Process));

    private Task DispatchAsync(SessionEvents events, StreamSequenceToken? token)
    {
        Dispatch(events);
        return Task.CompletedTask;
    }

    private async Task<bool> IsKnownAsync() => _subscription is { } known
        && (await Stream.GetAllSubscriptionHandles().WaitAsync(CallTimeout, clock)).Any(each => each.HandleId == known.HandleId);

    [LoggerMessage(LogLevel.Warning, "The events of sessions could not be subscribed to, or no longer; tried again: {Reason}")]
    private partial void LogNotSubscribed(string reason);
}
