using Chatterbox.Silo.Gateway.Wire;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.SignalR;

namespace Chatterbox.Silo.Gateway.Hub;

/// <summary>
/// Relays between a browser and its sessions: client ids, sequences and what is not durable yet are the browser's, and pass
/// through unchanged. The user is the token's.
/// </summary>
internal sealed class GatewayHub(
    GatewayConnections connections, EventFanOut events, ServedStores stores, IGrainFactory grains,
    IHubContext<GatewayHub> browsers)
    : Microsoft.AspNetCore.SignalR.Hub, IGatewayHub
{
    private GatewayConnection Connection => connections.Find(Context.ConnectionId) ?? throw Invalid("the connection has ended");

    public override Task OnConnectedAsync()
    {
        var id = Context.ConnectionId;
        var token = Context.GetHttpContext()?.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult;
        connections.Add(new GatewayConnection(
            id, Context.UserIdentifier!, token?.Properties?.ExpiresUtc, browsers.Clients.Client(id), Context.Abort));
        return Task.CompletedTask;
    }

    public override Task OnDisconnectedAsync(Exception? exception)
    {
        connections.Remove(Context.ConnectionId);
        return Task.CompletedTask;
    }

    [HubMethodName("Hello")]
    public Task<HelloAnswer> HelloAsync(HelloCall call)
    {
        if (WebProtocol.Check(call.Protocol) is { } wrong) return Task.FromResult(new HelloAnswer { Refused = wrong });
        var connection = Connection;
        connection.Protocol = call.Protocol;
        return Task.FromResult(new HelloAnswer { User = connection.User, ExpiresAt = connection.ExpiresAt });
    }

    [HubMethodName("Attach")]
    public async Task<AttachAnswer> AttachAsync(AttachCall call)
    {
        var connection = Connection;
        if (connection.Protocol == 0) throw Invalid("call Hello first");
        var session = new SessionId(connection.User, call.Store);
        if ((stores.Check(session) ?? CheckRoom(connection, call.Store)) is { } wrong) return new() { Refused = wrong };

        var attachment = new Attachment(session, new(connections.Process, call.Client), call.Slices, connection);
        await events.EnsureSubscribedAsync(EventFanOut.Fresh);
        connections.Add(attachment);
        try
        {
            return Attached(attachment, await Session(attachment).AttachAsync(new()
            {
                Client = attachment.Client,
                Device = call.Device,
                Protocol = Protocol.Version,
                Slices = call.Slices,
                App = call.App,
                Epoch = call.Epoch,
                SeenRevision = call.SeenRevision,
                NextSequence = call.NextSequence,
            }));
        }
        catch
        {
            connections.Detach(attachment);
            throw;
        }
    }

    [HubMethodName("Apply")]
    public async Task<ApplyAnswer> ApplyAsync(ApplyCall call)
    {
        // A connection that was superseded, or never attached, sends nothing.
        if (Find(call.Store, call.Client) is not { } attachment) return new() { Result = WhyNot(call) };
        var answer = await RelayAsync(
            Session(attachment), new(call.Client, call.Epoch, call.After, call.Changes, connections.Process));
        if (answer.Result is ApplyOutcome.Superseded) connections.End(attachment);
        return answer;
    }

    [HubMethodName("Since")]
    public async Task<StateAnswer> SinceAsync(SinceCall call)
    {
        var attachment = Find(call.Store, client: null) ?? throw Invalid("attach first");
        var state = await Session(attachment).GetChangesSinceAsync(call.Epoch, call.Revision, attachment.Slices);
        attachment.Told(state.Epoch, state.Revision);
        return InlineState.Of(state);
    }

    [HubMethodName("Leave")]
    public async Task LeaveAsync(LeaveCall call)
    {
        if (Find(call.Store, call.Client) is not { } attachment) return;
        // Whether the browser still has changes to send is not known here.
        await Session(attachment).DetachAsync(attachment.Client, isDone: false);
        connections.Detach(attachment);
    }

    /// <summary>Also for changes that come by HTTP.</summary>
    public static async Task<ApplyAnswer> RelayAsync(IUserSessionGrain session, ChangeBatch batch)
    {
        var reply = await session.ApplyAsync(batch);
        return new()
        {
            Result = (ApplyOutcome)reply.Result, Epoch = reply.Epoch, DurableRevision = reply.DurableRevision,
            Outcomes = reply.Outcomes, Refused = reply.Refused,
        };
    }

    private AttachAnswer Attached(Attachment attachment, AttachReply reply)
    {
        if (reply.Refused is { } why)
        {
            connections.Detach(attachment);
            return reply.IsFull ? throw new HubException($"limited: {why.Message}.") : new() { Refused = why };
        }
        attachment.Told(reply.State.Epoch, reply.State.Revision);
        // A connection that has closed meanwhile supersedes none.
        if (connections.Find(attachment.Connection.Id) is not null) connections.Supersede(attachment);
        if (connections.Find(attachment.Connection.Id) is null) connections.Detach(attachment);
        return new()
        {
            State = InlineState.Of(reply.State), Applied = reply.Applied, Save = reply.Save, Notices = reply.Notices,
            ReadOnly = reply.ReadOnly, Crash = reply.Crash, SchemaVersion = reply.SchemaVersion,
        };
    }

    private Attachment? Find(string store, string? client) =>
        store is not null && Connection.Attachments.TryGetValue(store, out var attachment)
            && (client is null || client == attachment.Client.Client) ? attachment : null;

    private ApplyOutcome WhyNot(ApplyCall call) =>
        call.Store is not null && Connection.Superseded.TryGetValue(call.Store, out var client) && client == call.Client
            ? ApplyOutcome.Superseded
            : ApplyOutcome.OtherEpoch;

    private IUserSessionGrain Session(Attachment attachment) => grains.GetGrain<IUserSessionGrain>(attachment.Key);

    private static Rejection? CheckRoom(GatewayConnection connection, string store) =>
        connection.Attachments.Count < WebProtocol.StoresPerConnection || connection.Attachments.ContainsKey(store)
            ? null
            : new("store", $"{connection.Attachments.Count + 1} stores", $"at most {WebProtocol.StoresPerConnection}");

    private static HubException Invalid(string why) => new($"invalid: {why}.");
}
