using System.Net;
using Chatterbox.Grains;
using Chatterbox.Grains.Cluster;
using Chatterbox.Silo.Gateway.Access;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Core.Internal;

namespace Chatterbox.GatewayTests.Access;

public sealed class GrainAccessTests(SharedHost shared) : IClassFixture<SharedHost>
{
    private readonly GatewayHost _host = shared.Host;

    private static IEnumerable<Type> GrainInterfaces =>
        from marker in (Type[])[typeof(IUserSessionGrain), typeof(ChatterboxOptions), typeof(GrainRules)]
        from type in marker.Assembly.GetTypes()
        where type.IsInterface && typeof(IAddressable).IsAssignableFrom(type)
        select type;

    [Fact(DisplayName = "[X4] every grain interface has a rule that says who may call it from outside")]
    public void Every_interface_has_a_rule() =>
        Assert.Equal(
            GrainInterfaces.Select(type => type.FullName!).Order(), GrainRules.Known.Select(type => type.FullName!).Order());

    [Theory(DisplayName =
        "[X1] every method of every grain denies a client without a credential, with a wrong one, and of another user")]
    [InlineData("none")]
    [InlineData("wrong key")]
    [InlineData("expired")]
    [InlineData("wrongly signed")]
    [InlineData("other user")]
    public async Task Denies(string credential)
    {
        var client = credential switch
        {
            "wrong key" => await _host.ClientAsync("a service key that is not the right one, but long"),
            "expired" => await _host.ClientAsync(userToken: () => GatewayHost.Token("alice", TimeSpan.FromMinutes(-1))),
            "wrongly signed" => await _host.ClientAsync(userToken: () => GatewayHost.Token("alice", key: new string('k', 40))),
            "other user" => await _host.ClientAsync(userToken: () => GatewayHost.Token("mallory")),
            _ => await _host.ClientAsync(),
        };
        await AssertDeniedAsync(client.Services.GetRequiredService<IClusterClient>(), GrainInterfaces);
    }

    [Fact(DisplayName = "[X4] grain interfaces that are not for clients deny the service key as well")]
    public async Task Denies_services()
    {
        var client = await _host.ClientAsync(GatewayHost.ServiceKey);
        var inside = GrainInterfaces.Where(type => GrainRules.Of(type) is GrainAccess.Silos).ToArray();
        Assert.Equal(5, inside.Length);
        await AssertDeniedAsync(client.Services.GetRequiredService<IClusterClient>(), inside);
    }

    [Fact(DisplayName = "[X4] Orleans' own grains are for operators and silos: none takes part in this without a credential")]
    public async Task Denies_management()
    {
        var anonymous = await _host.ClientAsync();
        var management = anonymous.Services.GetRequiredService<IClusterClient>().GetGrain<IManagementGrain>(0);
        await Assert.ThrowsAsync<AccessDeniedException>(() => management.ForceGarbageCollection([]));
        await Assert.ThrowsAsync<AccessDeniedException>(
            () => anonymous.Services.GetRequiredService<IClusterClient>().GetGrain<IUserSessionGrain>(new SessionId("alice").Key)
                .AsReference<IGrainManagementExtension>().DeactivateOnIdle().AsTask());

        var service = await _host.ClientAsync(GatewayHost.ServiceKey);
        Assert.NotEmpty(await service.Services.GetRequiredService<IClusterClient>().GetGrain<IManagementGrain>(0).GetHosts());
    }

    [Fact(DisplayName = "[X1] a service acts for any user, a user for itself, and both hear what happens")]
    public async Task Serves()
    {
        var service = await _host.ClientAsync(GatewayHost.ServiceKey);
        var user = await _host.ClientAsync(userToken: () => GatewayHost.Token("frank"));
        await using var one = await service.Services.GetRequiredService<ChatterboxClient>().OpenAsync(new SessionId("frank"));
        await using var two = await user.Services.GetRequiredService<ChatterboxClient>().OpenAsync(new SessionId("frank"));
        await one.DispatchAsync(new SetSystemStatus("by the service"));
        using var patience = new CancellationTokenSource(GatewayHost.Patience);
        await foreach (var update in two.WatchUpdates(patience.Token))
        {
            if (update.State.Runtime.SystemStatus == "by the service") break;
        }
        Assert.Equal("by the service", two.State.Runtime.SystemStatus);
    }

    [Fact(DisplayName =
        "[I4] calls are bounded by user, by HTTP and over the Orleans gateway; a service's and others' are served")]
    public async Task Limits_calls()
    {
        await using var host = await GatewayHost.StartAsync(("Web:CallsPerSecond", "10"));
        var user = await host.ClientAsync(userToken: () => GatewayHost.Token("busy"));
        var session = user.Services.GetRequiredService<IClusterClient>().GetGrain<IUserSessionGrain>(new SessionId("busy").Key);
        var limited = await Assert.ThrowsAsync<TooManyCallsException>(async () =>
        {
            for (var call = 0; call < 500; call++) await session.GetStatusAsync();
        });
        Assert.Equal("calls: must be at most 10 per second of one user, was more", limited.Message);

        using var http = host.HttpOf("busy");
        using var other = host.HttpOf("other");
        await Eventually.HoldsAsync(async () => (await http.GetAsync("/api/sessions/app-state/status")).StatusCode
            is HttpStatusCode.TooManyRequests, "requests of the user are refused");
        (await other.GetAsync("/api/sessions/app-state/status")).EnsureSuccessStatusCode();
        var service = await host.ClientAsync(GatewayHost.ServiceKey);
        for (var call = 0; call < 100; call++)
        {
            await service.Services.GetRequiredService<IClusterClient>()
                .GetGrain<IUserSessionGrain>(new SessionId("busy").Key).GetStatusAsync();
        }
    }

    [Fact(DisplayName = "[I4] a client has so many calls in progress; those that are refused are over, and leave nothing behind")]
    public async Task Limits_calls_in_progress()
    {
        var limit = new CallsInProgress(new() { CallsPerClient = 2 });
        var blocked = new TaskCompletionSource();
        Task[] calls = [.. Enumerable.Range(0, 3).Select(_ => limit.RunAsync("one", () => blocked.Task))];
        var refused = await Assert.ThrowsAsync<TooManyCallsException>(() => calls[2]);
        Assert.Equal("calls: must be at most 2 at once of one client, was more", refused.Message);
        await limit.RunAsync("another", () => Task.CompletedTask);
        blocked.SetResult();
        await Task.WhenAll(calls[..2]);
        await limit.RunAsync("one", () => Task.CompletedTask);
        Assert.Equal(0, limit.Callers);
    }

    [Fact(DisplayName = "[X1] a store that is denied says so, and does not try for ever")]
    public async Task Stores_are_refused()
    {
        var client = await _host.ClientAsync(userToken: () => GatewayHost.Token("mallory"));
        var refused = await Assert.ThrowsAsync<SessionRefusedException>(
            () => client.Services.GetRequiredService<ChatterboxClient>().OpenAsync(new SessionId("alice")));
        Assert.Equal("credential", refused.Rejection.Field);
    }

    [Fact(DisplayName = "[X4] a client cannot pretend to be a silo, and no call to a client carries what silos know")]
    public async Task Silos_are_not_imitated()
    {
        var client = await _host.ClientAsync(GatewayHost.ServiceKey);
        var cluster = client.Services.GetRequiredService<IClusterClient>();
        var secret = new SiloCredential(_host.Settings.Auth, _host.Settings.Cluster);
        Assert.True(secret.IsOf(new SiloCredential(_host.Settings.Auth, _host.Settings.Cluster).Value));
        Assert.False(secret.IsOf(Credential.Silo));
        Assert.False(secret.IsOf(Credential.Silo + GatewayHost.ServiceKey));
        Assert.False(secret.IsOf(null));
        Assert.DoesNotContain(GatewayHost.ServiceKey, secret.Value, StringComparison.Ordinal);

        var heard = new Listener();
        await using var store = await client.Services.GetRequiredService<ChatterboxClient>().OpenAsync(new SessionId("heard"));
        using var subscription = store.Subscribe(state => state.Runtime.SystemStatus, (_, _) =>
            heard.Credential.TrySetResult(RequestContext.Get(Credential.Key) as string));
        await cluster.GetGrain<IUserSessionGrain>(new SessionId("heard").Key).GetStatusAsync();
        await store.DispatchAsync(new SetSystemStatus("heard"));
        Assert.False(secret.IsOf(await heard.Credential.Task.WaitAsync(GatewayHost.Patience)));
    }

    private async Task AssertDeniedAsync(IClusterClient cluster, IEnumerable<Type> interfaces)
    {
        var called = 0;
        foreach (var type in interfaces)
        {
            // A silo's agent is found by the silo's address alone, which is no secret.
            var agents = _host.App.Services.GetRequiredService<SiloAgents>();
            var here = _host.App.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
            var grain = typeof(IGrainWithIntegerKey).IsAssignableFrom(type) ? (object)cluster.GetGrain(type, 0)
                : type == typeof(ISiloAgent) ? cluster.GetGrain<ISiloAgent>(agents[here].GetGrainId())
                : cluster.GetGrain(
                    type, type == typeof(IAudioClipGrain) ? AudioClipKey.For("alice", new('a', 64)) : new SessionId("alice").Key);
            foreach (var method in type.GetMethods())
            {
                var arguments = method.GetParameters().Select(parameter =>
                    parameter.ParameterType.IsValueType ? Activator.CreateInstance(parameter.ParameterType) : null).ToArray();
                var denied = await Record.ExceptionAsync(() => (Task)method.Invoke(grain, arguments)!);
                Assert.True(denied is AccessDeniedException, $"{type.Name}.{method.Name}: {denied}");
                called++;
            }
        }
        Assert.True(called > 0);
    }

    private sealed class Listener
    {
        public TaskCompletionSource<string?> Credential { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
