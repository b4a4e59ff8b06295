using System.Text;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>The database becomes unreachable without notice, again and again, while everybody writes.</summary>
public abstract class DatabaseKillTests
{
    private const int Users = 64;
    private const int Rounds = 20;

    protected abstract Task<DatabaseOptions> CreateDatabaseAsync();

    protected abstract Task KillAsync();

    protected abstract Task StartAgainAsync();

    [ContractFact(DisplayName = "[D3] every write that was reported durable is there after the database was killed under load")]
    public async Task Durable_is_durable()
    {
        await using var running = await RunningStorage.StartAsync(await CreateDatabaseAsync(), "kill");
        var acknowledged = new int[Users];
        using var end = new CancellationTokenSource();

        var writers = Enumerable.Range(0, Users).Select(user => Task.Run(() => WriteAsync(user))).ToArray();
        foreach (var _ in Enumerable.Range(0, Rounds))
        {
            await AllWroteAsync();
            await KillAsync();
            await StartAgainAsync();
        }
        await AllWroteAsync();
        await end.CancelAsync();
        await Task.WhenAll(writers);

        foreach (var user in Enumerable.Range(0, Users))
        {
            var stored = await ReadAsync(user);
            // What failed may be in all the same; what succeeded has to be.
            Assert.InRange(int.Parse(Encoding.UTF8.GetString(stored.State!.Bytes)), acknowledged[user], acknowledged[user] + 1);
        }

        async Task WriteAsync(int user)
        {
            var state = await ReadAsync(user);
            while (!end.IsCancellationRequested)
            {
                var next = acknowledged[user] + 1;
                state.State = new StoredFrame { Bytes = Encoding.UTF8.GetBytes($"{next}") };
                try
                {
                    await running.Storage.WriteStateAsync("counter", Key(user), state);
                    Volatile.Write(ref acknowledged[user], next);
                }
                catch (Exception) when (!end.IsCancellationRequested)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
                    state = await TryReadAsync(user) ?? state;
                }
            }
        }

        async Task<GrainState<StoredFrame>?> TryReadAsync(int user)
        {
            try
            {
                return await ReadAsync(user);
            }
            catch (Exception)
            {
                return null;
            }
        }

        async Task<GrainState<StoredFrame>> ReadAsync(int user)
        {
            var state = new GrainState<StoredFrame>(new StoredFrame());
            await running.Storage.ReadStateAsync("counter", Key(user), state);
            return state;
        }

        // Each has written twice more: the second of these began after this was asked.
        async Task AllWroteAsync()
        {
            var goal = acknowledged.Select(count => count + 2).ToArray();
            while (Enumerable.Range(0, Users).Any(user => Volatile.Read(ref acknowledged[user]) < goal[user]))
            {
                var stopped = writers.FirstOrDefault(writer => writer.IsFaulted);
                if (stopped is not null)
                    await stopped;
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            }
        }
    }

    private static GrainId Key(int user) => GrainId.Create("session", $"user{user}/app-state");
}

[OnDatabase(DatabaseProvider.PostgreSql)]
public sealed class DatabaseKillsOnPostgreSql : DatabaseKillTests, IAsyncLifetime
{
    private PostgresServer server = null!;

    public async Task InitializeAsync() => server = await PostgresServer.StartNewAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    protected override async Task<DatabaseOptions> CreateDatabaseAsync() => new()
    {
        Provider = DatabaseProvider.PostgreSql,
        ConnectionString = server.ConnectionString(await server.CreateDatabaseAsync()),
    };

    protected override Task KillAsync() => server.KillAsync();

    protected override Task StartAgainAsync() => server.StartAsync();
}
