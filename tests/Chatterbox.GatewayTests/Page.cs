using System.Threading.Channels;
using Chatterbox.Silo.Gateway.Wire;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Chatterbox.GatewayTests;

/// <summary>What a browser does on the hub, without an outbox or a replica: what was pushed is there to be waited for.</summary>
public sealed class Page : IAsyncDisposable
{
    private readonly HubConnection _hub;
    private readonly Channel<object> _pushed = Channel.CreateUnbounded<object>();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Page(Uri address, string? token)
    {
        _hub = new HubConnectionBuilder()
            .WithUrl(new Uri(address, "/hub"), connection =>
            {
                (connection.SkipNegotiation, connection.Transports) = (true, HttpTransportType.WebSockets);
                connection.AccessTokenProvider = () => Task.FromResult(token);
            })
            .AddJsonProtocol(json => json.PayloadSerializerOptions = PageJson.Options)
            .Build();
        _hub.On<EventsPush>(Push.Events, push => _pushed.Writer.TryWrite(push));
        _hub.On<BehindPush>(Push.Behind, push => _pushed.Writer.TryWrite(push));
        _hub.On<ByePush>(Push.Bye, push =>
        {
            _pushed.Writer.TryWrite(push);
            if (push.Store is null) _ = _hub.StopAsync();
        });
        _hub.Closed += _ =>
        {
            _closed.TrySetResult();
            return Task.CompletedTask;
        };
    }

    public string Id => _hub.ConnectionId!;

    /// <summary>Ends when the connection does.</summary>
    public Task Closed => _closed.Task;

    public async Task ConnectAsync()
    {
        await _hub.StartAsync().WaitAsync(GatewayHost.Patience);
        await CallAsync<HelloAnswer>("Hello", new HelloCall(WebProtocol.Version));
    }

    internal Task<T> CallAsync<T>(string method, object call) =>
        _hub.InvokeAsync<T>(method, call).WaitAsync(GatewayHost.Patience);

    internal Task<AttachAnswer> AttachAsync(
        string client, string store = SessionId.DefaultStore, long epoch = 0, long seen = 0, long next = 1,
        ValueList<string>? slices = null) =>
        CallAsync<AttachAnswer>("Attach", new AttachCall(store, client, "a page", epoch, seen, next, slices));

    /// <summary>Applies changes under the sequences that follow <paramref name="after"/>.</summary>
    internal Task<ApplyAnswer> ApplyAsync(string client, long epoch, long after, params AppStateChange[] changes) =>
        CallAsync<ApplyAnswer>("Apply", new ApplyCall(SessionId.DefaultStore, client, epoch, after,
            [.. changes.Select((change, index) => new SequencedChange(after + 1 + index, change))]));

    internal Task<StateAnswer> SinceAsync(long epoch, long revision) =>
        CallAsync<StateAnswer>("Since", new SinceCall(SessionId.DefaultStore, epoch, revision));

    internal Task LeaveAsync(string client) =>
        _hub.InvokeAsync("Leave", new LeaveCall(SessionId.DefaultStore, client)).WaitAsync(GatewayHost.Patience);

    /// <summary>The next push of this kind that is as expected. Those before it are dropped.</summary>
    internal async Task<T> PushedAsync<T>(Func<T, bool>? expected = null)
    {
        using var patience = new CancellationTokenSource(GatewayHost.Patience);
        while (true)
        {
            if (await _pushed.Reader.ReadAsync(patience.Token) is T push && (expected is null || expected(push))) return push;
        }
    }

    /// <summary>The next event of this kind that is as expected.</summary>
    internal async Task<T> EventAsync<T>(Func<T, bool>? expected = null) where T : SessionEvent
    {
        var push = await PushedAsync<EventsPush>(each => each.Events.OfType<T>().Any(what => expected is null || expected(what)));
        return push.Events.OfType<T>().First(what => expected is null || expected(what));
    }

    /// <summary>Closes the socket, and says nothing else.</summary>
    public async ValueTask DisposeAsync() => await _hub.DisposeAsync();
}
