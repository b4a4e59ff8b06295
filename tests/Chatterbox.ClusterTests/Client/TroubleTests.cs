using System.Reflection;
using Chatterbox.Client.Connections;
using Chatterbox.Grains;
using Microsoft.Extensions.DependencyInjection;

namespace Chatterbox.ClusterTests.Client;

/// <summary>What a silo throws that is none of the product's own words is trouble on the way, not a refusal.</summary>
public sealed class TroubleTests
{
    [Fact(DisplayName = "[C5] a failure that is not the product's own ends no store: it hydrates once the failure has passed")]
    public async Task A_store_that_is_not_hydrated()
    {
        var trouble = new Trouble { Left = 3, Method = nameof(IUserSessionGrain.AttachAsync) };
        await using var cluster = await StartAsync(trouble);
        await using var store = await cluster.OpenAsync("alice");

        Assert.Equal(0, trouble.Left);
        await store.UpdateParametersAsync(TtsEngine.Chatterbox, new() { Seed = 3 }).DurablyAsync();
    }

    [Fact(DisplayName =
        "[C3] a change that meets such a failure is neither refused nor lost: it goes in once, when the failure has passed")]
    public async Task A_hydrated_store()
    {
        var trouble = new Trouble { Method = nameof(IUserSessionGrain.ApplyAsync) };
        await using var cluster = await StartAsync(trouble);
        await using var store = await cluster.OpenAsync("alice");
        var rejected = 0;
        store.ChangeRejected += _ => rejected++;
        trouble.Left = 3;
        await Task.WhenAll(Enumerable.Range(1, 20)
            .Select(number => store.UpsertChunkAsync(TestData.Chunk($"c{number}")).DurablyAsync()));

        Assert.Equal((0, 20), (rejected, store.State.Chunks.Count));
    }

    [Fact(DisplayName = "[F4] a change that no silo took while its session moved is sent again, without attaching again")]
    public async Task A_rejected_message()
    {
        var attaches = new Trouble { Method = nameof(IUserSessionGrain.AttachAsync) };
        var trouble = new Trouble { Method = nameof(IUserSessionGrain.ApplyAsync), Failure = Rejection };
        await using var cluster = await StartAsync(trouble, also: attaches);
        await using var store = await cluster.OpenAsync("alice");
        trouble.Left = 3;
        await Task.WhenAll(Enumerable.Range(1, 20)
            .Select(number => store.UpsertChunkAsync(TestData.Chunk($"c{number}")).DurablyAsync()));

        Assert.Equal((0, 20), (trouble.Left, store.State.Chunks.Count));
        Assert.Equal(1, attaches.Called.CurrentCount);

        // What Orleans throws when a message was forwarded too often; it lets nobody else make one.
        static Exception Rejection() => (Exception)Activator.CreateInstance(
            typeof(OrleansMessageRejectionException), BindingFlags.Instance | BindingFlags.NonPublic, null,
            ["Failed to forward message."], null)!;
    }

    [Theory(DisplayName =
        "[C3] a store whose client another process has attached since stops, with an error that says so, and takes nothing back")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Superseded(bool changes)
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var store = await cluster.OpenAsync("alice");
        await store.SetStreamingAsync(true).DurablyAsync();
        var session = cluster.Session("alice");
        var other = new ClientId("another", store.Id.Client);
        var attached = await session.AttachAsync(new()
        {
            Client = other, Device = "d", Protocol = Protocol.Version, NextSequence = 2,
        });

        // At its next change, or at its next heartbeat.
        var refused = changes
            ? await Assert.ThrowsAsync<SessionRefusedException>(() => store.SetStreamingAsync(false))
            : await RefusedAsync(store);
        Assert.Equal("client: must be attached by one process at a time, was attached by another since", refused.Message);
        await store.DisposeAsync();
        Assert.Equal([other.Client], (await session.GetStatusAsync()).Clients.Select(client => client.Client));
        var answer = await session.ApplyAsync(new(
            other.Client, attached.State.Epoch, 1, [new(2, new SelectEngine(TtsEngine.Turbo))], other.Process));
        Assert.Equal((ApplyResult.Done, null), (answer.Result, answer.Outcomes[0].Rejection));

        static async Task<SessionRefusedException> RefusedAsync(ChatterboxStore store)
        {
            var told = new TaskCompletionSource<SessionRefusedException>(TaskCreationOptions.RunContinuationsAsynchronously);
            store.Persistence.StatusChanged += Look;
            Look();
            return await told.Task.WaitAsync(ChatterboxCluster.Patience);

            void Look()
            {
                if (store.Persistence.Unreachable is SessionRefusedException refused) told.TrySetResult(refused);
            }
        }
    }

    [Fact(DisplayName = "[C7] the loss and the return of connections have every store look where it stands")]
    public async Task The_observer_runs()
    {
        var heartbeats = new Trouble { Method = nameof(IUserSessionGrain.HeartbeatAsync) };
        await using var cluster = await StartAsync(heartbeats);
        var client = cluster.NewClient(options => options.Heartbeat = TimeSpan.FromMinutes(1));
        await using var store = await cluster.OpenAsync("alice", client);
        var observer = new ConnectionObserver(new ServiceCollection().AddSingleton(client).BuildServiceProvider());

        observer.NotifyGatewayCountChanged(1, 0, connectionRecovered: true);
        await heartbeats.Called.WaitAsync().WaitAsync(ChatterboxCluster.Patience);
        observer.NotifyClusterConnectionLost();
        await heartbeats.Called.WaitAsync().WaitAsync(ChatterboxCluster.Patience);
    }

    [Fact(DisplayName = "[R1] a lease that is shorter than the heartbeat is renewed in time")]
    public async Task A_short_lease()
    {
        var heartbeats = new Trouble { Method = nameof(IUserSessionGrain.HeartbeatAsync) };
        await using var cluster = await StartAsync(heartbeats, new() { Lease = TimeSpan.FromSeconds(1) });
        await using var store =
            await cluster.OpenAsync("alice", cluster.NewClient(options => options.Heartbeat = TimeSpan.FromMinutes(1)));

        foreach (var _ in Enumerable.Range(0, 3)) await heartbeats.Called.WaitAsync().WaitAsync(ChatterboxCluster.Patience);
        Assert.Single((await cluster.Session("alice").GetStatusAsync()).Clients);
    }

    [Fact(DisplayName = "[A1] a failure that is not the product's own refuses no clip: it is stored once the failure has passed")]
    public async Task An_upload()
    {
        var trouble = new Trouble { Method = nameof(IAudioClipGrain.BeginUploadAsync) };
        await using var cluster = await StartAsync(trouble);
        await using var store = await cluster.OpenAsync("alice");
        trouble.Left = 3;

        var audio = await store.Audio.UploadAsync(new byte[1000]).WaitAsync(ChatterboxCluster.Patience);

        Assert.Equal((0, 1000), (trouble.Left, audio.Length));
    }

    [Fact(DisplayName =
        "[C3] a call that is never answered is sent again long before the time-out of calls, and its change is made once")]
    public async Task An_unanswered_call()
    {
        var silence = new Silence();
        await using var cluster = await ChatterboxCluster.StartAsync(new()
        {
            ConfigureSilo = silo => silo.AddIncomingGrainCallFilter(silence),
        });
        // Far above what the test waits for.
        var client = cluster.NewClient(options => options.CallTimeout = TimeSpan.FromHours(1));
        await using var store = await cluster.OpenAsync("alice", client);
        silence.Begin();

        await store.UpsertChunkAsync(TestData.Chunk("c")).DurablyAsync().WaitAsync(ChatterboxCluster.Patience);

        Assert.True(silence.HasSwallowed);
        Assert.Single(store.State.Chunks);
        silence.End();
    }

    private static Task<ChatterboxCluster> StartAsync(Trouble trouble, ChatterboxOptions? options = null, Trouble? also = null) =>
        ChatterboxCluster.StartAsync(new()
        {
            Options = options ?? new(),
            ConfigureSilo = silo =>
            {
                silo.AddIncomingGrainCallFilter(trouble);
                if (also is not null) silo.AddIncomingGrainCallFilter(also);
            },
        });

    private sealed class Trouble : IIncomingGrainCallFilter
    {
        private int _left;

        public required string Method { get; init; }

        public int Left { get => Math.Max(0, _left); set => _left = value; }

        /// <summary>
        /// What is thrown: unless told, what Orleans' own collector of activations throws after a clock was set back.
        /// </summary>
        public Func<Exception> Failure { get; init; } = () => new ArgumentException("The ticket is in the past.");

        public SemaphoreSlim Called { get; } = new(0);

        public Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.MethodName != Method) return context.Invoke();
            Called.Release();
            return Interlocked.Decrement(ref _left) >= 0
                ? throw Failure()
                : context.Invoke();
        }
    }

    /// <summary>Keeps one batch of changes and does nothing with it, as a silo does that has died or hangs.</summary>
    private sealed class Silence : IIncomingGrainCallFilter
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _due;

        public bool HasSwallowed { get; private set; }

        public void Begin() => _due = 1;

        public void End() => _ended.TrySetResult();

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.MethodName == nameof(IUserSessionGrain.ApplyAsync) && Interlocked.Exchange(ref _due, 0) == 1)
            {
                HasSwallowed = true;
                await _ended.Task;
            }
            await context.Invoke();
        }
    }
}
