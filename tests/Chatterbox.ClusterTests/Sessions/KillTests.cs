using Chatterbox.ClusterTests.Storage;
using Chatterbox.Silo.Storage;
using Xunit.Abstractions;

namespace Chatterbox.ClusterTests.Sessions;

public abstract class KillTests(DatabaseProvider database, ITestOutputHelper output) : SessionSuite(database)
{
    private const int Users = 10;
    private const int ClientsPerUser = 5;
    private const int ChunksPerClient = 12;

    [ContractFact(DisplayName =
        "[C3] [F3] of three silos one is killed and one is drained under load: nothing is lost, "
        + "nothing is twice, all clients agree")]
    public async Task Silos_die_under_load()
    {
        await using var cluster = await StartAsync(new() { Silos = 3 });
        var stores = await Task.WhenAll(Enumerable.Range(0, Users * ClientsPerUser)
            .Select(number => cluster.OpenAsync($"user{number % Users}", cluster.NewClient())));
        // The primary keeps the in-process cluster's membership; the others may go.
        var (killed, drained) = (cluster.Cluster.Silos[1], cluster.Cluster.Silos[2]);
        var half = new TaskCompletionSource();
        var made = 0;
        var load = stores.Select(async (store, client) =>
        {
            for (var number = 0; number < ChunksPerClient; number++)
            {
                await store.UpsertChunkAsync(TestData.Chunk($"client{client}-{number}"))
                    .WaitAsync(ChatterboxCluster.Patience * 2);
                if (Interlocked.Increment(ref made) == stores.Length * ChunksPerClient / 3) half.TrySetResult();
            }
        }).ToArray();

        await half.Task.WaitAsync(ChatterboxCluster.Patience);
        var started = TimeProvider.System.GetTimestamp();
        await cluster.Cluster.KillSiloAsync(killed);
        var draining = cluster.Cluster.StopSiloAsync(drained);
        await Task.WhenAll(load);
        await Task.WhenAll(stores.Select(store => store.Persistence.FlushAsync().WaitAsync(ChatterboxCluster.Patience * 2)));
        output.WriteLine($"All clients were live again {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.0} s "
            + "after the first silo died.");
        await draining;
        output.WriteLine($"The other had drained after {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.0} s.");

        for (var user = 0; user < Users; user++)
        {
            var expected = Enumerable.Range(0, stores.Length).Where(client => client % Users == user)
                .SelectMany(client => Enumerable.Range(0, ChunksPerClient).Select(number => $"client{client}-{number}"))
                .Order().ToArray();
            var own = stores.Where((_, client) => client % Users == user).ToArray();
            foreach (var store in own) await store.ShowsAsync(state => state.Chunks.Count == expected.Length);
            foreach (var store in own)
            {
                Assert.Equal(expected, store.State.Chunks.Select(chunk => chunk.Id).Order());
                Assert.Equal(own[0].State.Chunks, store.State.Chunks);
            }
            await cluster.DeactivateAsync($"user{user}");
            Assert.Equal(own[0].State.Chunks, (await cluster.OpenAsync($"user{user}")).State.Chunks);
        }
    }
}
