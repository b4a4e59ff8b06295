using System.Diagnostics;
using Chatterbox.Silo.Storage;
using Npgsql;
using Xunit.Abstractions;

namespace Chatterbox.ClusterTests.Storage.OnPostgreSql;

/// <summary>Connections end without notice: while they are idle, in the middle of a batch, with the network.</summary>
[OnDatabase(DatabaseProvider.PostgreSql)]
public sealed class LostConnectionTests(ITestOutputHelper output)
{
    /// <summary>For this many bytes a row a batch is some milliseconds on the way.</summary>
    private const int LargeRow = 20_000;

    [ContractFact(DisplayName = "[D3] connections that the server ends while they are idle fail neither a write nor a read")]
    public async Task Ended_while_idle()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateDatabaseAsync();
        await server.ExecuteAsync(database, $"ALTER DATABASE {database} SET idle_session_timeout = '1200ms'");
        await using (var rows = await Rows.StartAsync(Options(server.ConnectionString(database))))
        {
            foreach (var round in Enumerable.Range(0, 3))
            {
                await AllEndedAsync(server, database);
                Assert.Null((await rows.WriteAsync(round, [7])).Failure);
                await AllEndedAsync(server, database);
                Assert.Equal([7], (await rows.ReadAsync(round)).State!.Bytes);
            }
        }
        await server.DropDatabaseAsync(database);
    }

    [ContractFact(DisplayName = "[D3] a batch of which only half arrives leaves no row locked")]
    public async Task Half_a_batch()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateDatabaseAsync();
        await using (var proxy = new TcpProxy(server.Port))
        await using (var rows = await Rows.StartAsync(Options(Through(proxy, server.ConnectionString(database)), timeout: 2)))
        {
            proxy.HangAfter(Rows.Count * LargeRow / 2);
            var halves = await rows.WriteAllAsync(_ => new byte[LargeRow]);
            Assert.Contains(halves, outcome => outcome.Failure is WriteOutcomeUnknownException);

            await using var other = await Rows.StartAsync(Options(server.ConnectionString(database), timeout: 2));
            Assert.All(await other.WriteAllAsync(), outcome => Assert.Null(outcome.Failure));
        }
        await server.DropDatabaseAsync(database);
    }

    [ContractFact(DisplayName = "[D3] a database that stops answering fails writers and readers in time, also those that queue")]
    public async Task No_answer()
    {
        var timeout = TimeSpan.FromSeconds(2);
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateDatabaseAsync();
        await using (var proxy = new TcpProxy(server.Port))
        {
            // So that most rows queue behind a batch that never ends.
            var options = Options(Through(proxy, server.ConnectionString(database)), timeout.Seconds);
            options.BatchRows = 10;
            await using var rows = await Rows.StartAsync(options);
            proxy.Hang();
            var reading = rows.ReadAsync(1);
            var started = Stopwatch.GetTimestamp();
            var outcomes = await rows.WriteAllAsync();
            await Assert.ThrowsAsync<StorageUnavailableException>(() => reading);

            // As long again is for a busy machine; before, it was three times the timeout.
            Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromSeconds(1), 2 * timeout);
            Assert.All(outcomes, outcome =>
                Assert.True(outcome.Failure is WriteOutcomeUnknownException or StorageUnavailableException,
                    $"{outcome.Failure}"));
            Assert.Contains(outcomes, outcome => outcome.Failure is StorageUnavailableException);

            // Rows that come while the driver still waits are not kept waiting with it.
            Assert.InRange((await rows.WriteAsync(1, [1])).Took, TimeSpan.Zero, 2 * timeout);
            proxy.Resume();
        }
        await server.DropDatabaseAsync(database);
    }

    // dotnet test tests/Chatterbox.ClusterTests --filter "FullyQualifiedName~LostConnection&Speed=Slow" \
    //     --logger "console;verbosity=detailed"
    [Trait("Speed", "Slow")]
    [LinkCutFact(DisplayName = "[D3] after a silo's link is cut under load another saves all its sessions within 10 s")]
    public async Task A_link_that_is_cut()
    {
        await using var network = await NetworkNamespace.CreateAsync();
        await using var server = await PostgresServer.StartNewAsync(network);
        var database = await server.CreateDatabaseAsync();
        var connection = server.ConnectionString(database);
        var otherWay = new NpgsqlConnectionStringBuilder(connection) { Host = network.OtherAddress }.ConnectionString;
        foreach (var cut in Enumerable.Range(0, 3))
        {
            await using var rows = await Rows.StartAsync(Options(connection, timeout: 3), $"cut {cut}");
            var underWay = new TaskCompletionSource();
            var load = Task.Run(async () =>
            {
                for (var round = 0; ; round++)
                {
                    var outcomes = await rows.WriteAllAsync(_ => new byte[LargeRow]);
                    if (round == 1) underWay.SetResult();
                    if (Array.Exists(outcomes, outcome => outcome.Failure is not null)) return outcomes;
                }
            });
            await underWay.Task;
            await network.CutAsync();

            var started = Stopwatch.GetTimestamp();
            await using (await Rows.StartAsync(Options(otherWay), $"cut {cut}"))
            {
                var took = Stopwatch.GetElapsedTime(started);
                output.WriteLine(
                    $"cut {cut + 1}: the other silo had read and saved all {Rows.Count} rows after {took.TotalSeconds:0.00} s");
                Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(10));
            }
            await load;
            await network.MendAsync();
        }
    }

    [Trait("Speed", "Slow")]
    [LinkCutFact(DisplayName = "[D3] row locks of a connection that is cut off are freed within seconds")]
    public async Task Locks_of_a_link_that_is_cut()
    {
        await using var network = await NetworkNamespace.CreateAsync();
        await using var server = await PostgresServer.StartNewAsync(network);
        var database = await server.CreateDatabaseAsync();
        var connection = server.ConnectionString(database);
        var otherWay = new NpgsqlConnectionStringBuilder(connection) { Host = network.OtherAddress }.ConnectionString;
        await (await Rows.StartAsync(Options(otherWay))).DisposeAsync();

        // As while group commit looks for the rows that others have locked.
        await using (var cutOff = new NpgsqlConnection(PostgreSqlConnection.ForGroupCommit(connection, TimeSpan.FromSeconds(3))))
        {
            await cutOff.OpenAsync();
            await using var transaction = await cutOff.BeginTransactionAsync();
            await using (var command = new NpgsqlCommand("SELECT 1 FROM OrleansStorage FOR UPDATE", cutOff, transaction))
                await command.ExecuteNonQueryAsync();
            await network.CutAsync();

            var started = Stopwatch.GetTimestamp();
            await using (await Rows.StartAsync(Options(otherWay)))
            {
                var took = Stopwatch.GetElapsedTime(started);
                output.WriteLine(
                    $"locks held by the connection that was cut off: freed, and all {Rows.Count} rows saved, "
                    + $"after {took.TotalSeconds:0.00} s");
                Assert.InRange(took, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
            }
            await network.MendAsync();
        }
    }

    private static DatabaseOptions Options(string connectionString, int timeout = 10) => new()
    {
        Provider = DatabaseProvider.PostgreSql,
        ConnectionString = connectionString,
        Timeout = TimeSpan.FromSeconds(timeout),
    };

    private static string Through(TcpProxy proxy, string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Port = proxy.Port }.ConnectionString;

    private static async Task AllEndedAsync(PostgresServer server, string database)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString("postgres"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE '%group commit%'", connection)
        {
            Parameters = { new() { Value = database } },
        };
        var waited = Stopwatch.StartNew();
        while (await command.ExecuteScalarAsync() is not 0L)
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30), "Idle connections are not ended.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }
}
