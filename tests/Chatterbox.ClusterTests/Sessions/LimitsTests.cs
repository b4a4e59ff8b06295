
namespace Chatterbox.ClusterTests.Sessions;

public sealed class LimitsTests
{
    [Fact(DisplayName =
        "[I4] a session has so many clients: one more is told the limit, those that are attached go on, one that leaves makes "
        + "room")]
    public async Task Clients()
    {
        await using var cluster = await ChatterboxCluster.StartAsync(new() { Options = new() { Clients = 2 } });
        await using var first = await cluster.OpenAsync("alice");
        var second = await cluster.OpenAsync("alice");
        var refused = await Assert.ThrowsAsync<SessionRefusedException>(
            () => cluster.NewClient().OpenAsync(new SessionId("alice")));
        Assert.Equal("clients: must be at most 2 attached to a session, was 3", refused.Message);
        await first.SetStreamingAsync(true).DurablyAsync();
        await second.ShowsAsync(state => state.Preferences.UseStreaming);
        await using var other = await cluster.OpenAsync("bob");

        await second.DisposeAsync();
        await using var third = await cluster.OpenAsync("alice");
        Assert.True(third.State.Preferences.UseStreaming);
    }

    [Fact(DisplayName = "[I4] [C3] a store that finds its session full as it comes back waits, with its changes, for room")]
    public async Task Waits_for_room()
    {
        await using var cluster = await ChatterboxCluster.StartAsync(new() { Options = new() { Clients = 1 } });
        await using var store = await cluster.OpenAsync("alice");
        var session = cluster.Session("alice");
        await session.DetachAsync(store.Id, isDone: false);
        var other = new ClientId("p", "other");
        Assert.Null((await session.AttachAsync(Request(other))).Refused);

        // Loaded again, it knows neither: the other is the first to come back.
        await session.RehydrateAsync();
        var change = store.SetStreamingAsync(true);
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Persistence.StatusChanged += Look;
        Look();
        await told.Task.WaitAsync(ChatterboxCluster.Patience);
        Assert.False(change.IsCompleted);
        await session.DetachAsync(other, isDone: true);
        await change.DurablyAsync();

        void Look()
        {
            if (store.Persistence.Unreachable?.Message is "clients: must be at most 1 attached to a session, was 2")
                told.TrySetResult();
        }
    }

    [Fact(DisplayName = "[I4] a silo's sessions send events to so many processes: one more is told the limit, the others go on")]
    public async Task Processes()
    {
        await using var cluster = await ChatterboxCluster.StartAsync(new() { Options = new() { Processes = 2 } });
        var (one, two) = (cluster.NewClient(), cluster.NewClient());
        await using var alice = await cluster.OpenAsync("alice", one);
        await using var bob = await cluster.OpenAsync("bob", two);
        var refused = await Assert.ThrowsAsync<SessionRefusedException>(
            () => cluster.NewClient().OpenAsync(new SessionId("carol")));
        Assert.Equal("processes: must be at most 2 attached to the sessions of a silo, was 3", refused.Message);
        await using var again = await cluster.OpenAsync("carol", one);
        await again.SetStreamingAsync(true).DurablyAsync();
    }

    private static AttachRequest Request(ClientId client) =>
        new() { Client = client, Device = "d", Protocol = Protocol.Version, NextSequence = 1 };
}
