using Chatterbox.ClusterTests.Storage;
using Xunit.Abstractions;

namespace Chatterbox.EndToEndTests;

public sealed class ClusterKillTests(ITestOutputHelper output)
{
    private const int Users = 10;
    private const int Processes = 5;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private const string Claim =
        "of three silos one is killed and one is drained under load: 50 live clients lose nothing, "
        + "nothing is done twice, and all agree";

    [PostgresFact(DisplayName = "[C3] " + Claim)]
    public async Task On_PostgreSql()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await Silos_come_and_go("PostgreSql", postgres.ConnectionString(await postgres.CreateEmptyDatabaseAsync()));
    }

    [SqlServerFact(DisplayName = "[C3] on SQL Server, " + Claim)]
    public async Task On_SqlServer()
    {
        var database = SqlServerInstance.NewName();
        await Silos_come_and_go("SqlServer", SqlServerInstance.ConnectionString(database));
        await SqlServerInstance.DropAsync(database);
    }

    private async Task Silos_come_and_go(string provider, string connectionString)
    {
        (string, string)[] settings =
            [("Database__Provider", provider), ("Database__ConnectionString", connectionString), ("Cluster__Mode", "AdoNet")];
        await SiloProcess.MigrateAsync(settings);
        var silos = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => SiloProcess.StartAsync(settings)));
        await using var first = silos[0];
        await using var second = silos[1];
        await using var third = silos[2];
        var processes = await Task.WhenAll(Enumerable.Range(0, Processes)
            .Select(_ => ClientProcess.StartAsync([.. silos.Select(silo => silo.Gateway)])));
        var stores = await Task.WhenAll(processes.SelectMany(process => Enumerable.Range(0, Users)
            .Select(user => process.Client.OpenAsync(new SessionId($"user{user}"))))).WaitAsync(Patience);
        var writers = stores.Select((store, number) => new Writer($"w{number}", store)).ToArray();

        await LiveAsync("All are live", writers);
        await second.KillAsync();
        await LiveAsync("A silo was killed; all are live again", writers);
        await second.StartAgainAsync();
        await LiveAsync("It is back; all are live", writers);
        var stopping = TimeProvider.System.GetTimestamp();
        var drained = third.StopAsync();
        await LiveAsync("A silo is drained; all are live", writers);
        Assert.Equal(0, await drained);
        output.WriteLine($"It has ended: {TimeProvider.System.GetElapsedTime(stopping).TotalSeconds:N1} s after it was told to");
        await LiveAsync("It is gone; all are live", writers);

        await Task.WhenAll(writers.Select(writer => writer.EndAsync())).WaitAsync(Patience);
        output.WriteLine($"{writers.Sum(writer => writer.Expected.Count)} chunks in {Users} sessions.");
        foreach (var session in writers.GroupBy(writer => writer.Store.Session))
        {
            foreach (var writer in session) await AgreesAsync(writer.Store, session);
            Assert.All(session, writer => Assert.Equal(session.First().Store.State, writer.Store.State));
        }
        foreach (var process in processes) await process.DisposeAsync();

        // The database alone: every silo dies, and a new one serves what is stored.
        await Task.WhenAll(first.KillAsync(), second.KillAsync());
        await first.StartAgainAsync();
        await using var fresh = await ClientProcess.StartAsync(first.Gateway);
        foreach (var session in writers.GroupBy(writer => writer.Store.Session))
        {
            var stored = await fresh.Client.OpenAsync(session.Key).WaitAsync(Patience);
            await AgreesAsync(stored, session);
            Assert.Equal(session.First().Store.State.Chunks, stored.State.Chunks);
        }
    }

    /// <summary>Returns when each client has had a change applied that it began after this was asked.</summary>
    private async Task LiveAsync(string what, Writer[] writers)
    {
        var asked = TimeProvider.System.GetTimestamp();
        using var patience = new CancellationTokenSource(Patience);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (writers.Where(writer => writer.LastBegun <= asked).ToArray() is { Length: > 0 } late)
        {
            foreach (var writer in late)
            {
                if (writer.Failure is { } failure)
                {
                    throw new InvalidOperationException($"{what}: a client of {writer.Store.Session} has stopped", failure);
                }
                Assert.False(patience.IsCancellationRequested,
                    $"{what}: {late.Length} are not, one of {writer.Store.Session}: {writer.Store.Persistence.Status}");
            }
            await tick.WaitForNextTickAsync();
        }
        output.WriteLine($"{what}: {TimeProvider.System.GetElapsedTime(asked).TotalSeconds:N1} s");
    }

    /// <summary>
    /// The store comes to show what all writers of the session made, each one's in its order, and nothing else.
    /// </summary>
    private static async Task AgreesAsync(ChatterboxStore store, IEnumerable<Writer> writers)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await foreach (var state in store.Watch(state => state, patience.Token))
            {
                if (writers.All(writer => writer.Expected.SequenceEqual(writer.Own(state)))) break;
            }
        }
        catch (OperationCanceledException)
        {
            // The assertions tell what is wrong.
        }
        Assert.All(writers, writer => Assert.Equal(writer.Expected, writer.Own(store.State)));
        Assert.Equal(writers.Sum(writer => writer.Expected.Count), store.State.Chunks.Count);
    }
}
