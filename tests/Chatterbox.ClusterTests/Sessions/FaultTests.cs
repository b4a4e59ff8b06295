using Chatterbox.ClusterTests.Storage;
using Chatterbox.Silo.Storage;
using Xunit.Abstractions;

namespace Chatterbox.ClusterTests.Sessions;

public abstract class FaultTests(DatabaseProvider database, ITestOutputHelper output) : SessionSuite(database)
{
    private const int Changes = 10_000;

    [ContractFact(DisplayName =
        "[P3] [P9] ten thousand random changes over failing storage end with exactly the state that they give")]
    public async Task Random_faults()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var cluster = await StartAsync();
        await using var store = await cluster.OpenAsync("alice");
        var expected = AppState.Initial;
        var writes = 0;
        cluster.Probe.OnWrite(_ => Faults[(Interlocked.Increment(ref writes) * 7919L + seed) % Faults.Length]);
        cluster.Probe.BeforeWrite(async _ =>
        {
            if (writes % 5 == 0) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        });

        var sent = new List<Task<ChangeReceipt>>();
        for (var number = 1; number <= Changes; number++)
        {
            var change = RandomChange(random, expected, number);
            var result = AppStateReducer.Apply(expected, change);
            Assert.Null(result.Rejection);
            expected = result.State;
            sent.Add(store.DispatchAsync(change));
            if (number % 50 == 0) await sent[^1].WaitAsync(ChatterboxCluster.Patience);
            if (number == Changes / 2)
            {
                // Away altogether for a while: nothing is lost, and a client is told.
                cluster.Probe.OnWrite(_ => Fault.BeforeCommit);
                await sent[^1].WaitAsync(ChatterboxCluster.Patience);
                var failing = new TaskCompletionSource();
                store.Persistence.StatusChanged +=
                    () => { if (store.Persistence.Status.State is SaveState.Failing) failing.TrySetResult(); };
                store.CheckSoon();
                await failing.Task.WaitAsync(ChatterboxCluster.Patience);
                cluster.Probe.OnWrite(_ => Faults[(Interlocked.Increment(ref writes) * 7919L + seed) % Faults.Length]);
            }
        }
        await Task.WhenAll(sent).WaitAsync(ChatterboxCluster.Patience);
        cluster.Probe.Heal();
        await store.Persistence.FlushAsync().WaitAsync(ChatterboxCluster.Patience);

        Assert.Equal(expected, store.State);
        await cluster.CrashAsync();
        var stored = (await cluster.OpenAsync("alice")).State;
        Assert.Equal(expected, stored);
    }

    private static readonly Fault[] Faults =
        [Fault.None, Fault.BeforeCommit, Fault.None, Fault.AfterCommit, Fault.StaleEtag, Fault.None, Fault.AfterCommit,
            Fault.None, Fault.BeforeCommit, Fault.None, Fault.None];

    private static AppStateChange RandomChange(Random random, AppState state, int number) => random.Next(8) switch
    {
        0 => new UpdateParameters(TtsEngine.Chatterbox, new() { Seed = number }),
        1 => new SetStreaming(number % 2 == 0),
        2 => new UpsertVoice(new()
        {
            Id = $"v{random.Next(20)}", Name = $"Voice {number}",
            Parameters = TtsParameters.DefaultsFor(TtsEngine.Turbo), Engine = TtsEngine.Turbo,
        }),
        3 when state.Chunks.Count > 0 => new RemoveChunk(state.Chunks[random.Next(state.Chunks.Count)].Id),
        4 when state.Chunks.Count > 0 =>
            new SetChunkStatus(state.Chunks[random.Next(state.Chunks.Count)].Id, (WorkStatus)random.Next(2)),
        5 => new UpsertBatchItem(new() { Id = $"b{random.Next(10)}", Name = $"Batch {number}" }),
        6 => new UpsertWorkSession(new() { Id = $"s{random.Next(8)}", Name = $"Session {number}" }),
        _ => new UpsertChunk(TestData.Chunk($"c{random.Next(60)}", $"Text {number}")),
    };
}
