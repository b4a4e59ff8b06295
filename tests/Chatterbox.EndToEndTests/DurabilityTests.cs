using System.Data.Common;
using System.Text.Json;
using Chatterbox.ClusterTests.Storage;
using Chatterbox.Grains.Persistence;
using Microsoft.Data.Sqlite;
using Npgsql;
using Xunit.Abstractions;

namespace Chatterbox.EndToEndTests;

/// <summary>
/// The database and the silo die without a word, at random, while everybody writes. What is in the database is read from it.
/// </summary>
public sealed class DurabilityTests(ITestOutputHelper output)
{
    private const int Rounds = 20;
    private const int Users = 4;
    private const int Processes = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [PostgresFact(DisplayName =
        "[D3] [D4] PostgreSQL and the silo are killed 20 times at random under load: what was reported durable is there, "
        + "and live clients lose nothing")]
    public async Task On_PostgreSql()
    {
        await using var server = await PostgresServer.StartNewAsync();
        var connectionString = server.ConnectionString(await server.CreateEmptyDatabaseAsync());
        (string, string)[] settings =
        [
            ("Database__Provider", "PostgreSql"), ("Database__ConnectionString", connectionString),
            ("Session__MaxRetryDelay", "00:00:00.500"),
        ];
        await SiloProcess.MigrateAsync(settings);
        await using var silo = await SiloProcess.StartAsync(settings);
        await KillAtRandomAsync(silo, server, () => new NpgsqlConnection(connectionString + ";Pooling=false"));
    }

    [Fact(DisplayName =
        "[D3] [D4] the silo on SQLite is killed 20 times at random under load: what was reported durable is there, "
        + "and live clients lose nothing")]
    public async Task On_Sqlite()
    {
        await using var silo = await SiloProcess.StartAsync();
        var path = Path.Combine(silo.Folder, "chatterbox.db");
        await KillAtRandomAsync(silo, server: null, () => new SqliteConnection($"Data Source={path};Pooling=false"));
    }

    private async Task KillAtRandomAsync(SiloProcess silo, PostgresServer? server, Func<DbConnection> connect)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("CHATTERBOX_TEST_SEED"), out var given)
            ? given
            : Random.Shared.Next();
        output.WriteLine($"CHATTERBOX_TEST_SEED={seed}");
        var random = new Random(seed);
        var processes = await Task.WhenAll(Enumerable.Range(0, Processes).Select(_ => ClientProcess.StartAsync(silo.Gateway)));
        var stores = await Task.WhenAll(processes.SelectMany(process => Enumerable.Range(0, Users)
            .Select(user => process.Client.OpenAsync(new SessionId($"user{user}"))))).WaitAsync(Patience);
        var writers = stores.Select((store, number) => new Writer($"w{number}", store)).ToArray();

        for (var round = 1; round <= Rounds; round++)
        {
            await SomeBecameDurableAsync(writers);
            // At a moment of its own within the debounce and the write.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(400)), TimeProvider.System);
            var (database, process) = server is null
                ? (false, true)
                : random.Next(3) switch { 0 => (true, false), 1 => (false, true), _ => (true, true) };
            var durable = writers.Select(writer => writer.Durable).ToArray();
            if (random.Next(2) == 0 && process) await silo.KillAsync();
            if (database) await server!.KillAsync();
            if (process) await silo.KillAsync();
            if (database) await server!.StartAsync();
            // Before the silo is back, so that nobody has sent anything again.
            if (process) await HoldsAsync(connect, writers, durable);
            var killed = (database, process) switch { (true, true) => "both", (true, false) => "the database", _ => "the silo" };
            output.WriteLine($"{round}: {killed}, {durable.Sum()} changes durable");
            if (process) await silo.StartAgainAsync();
        }

        await Task.WhenAll(writers.Select(writer => writer.EndAsync())).WaitAsync(Patience);
        await silo.KillAsync();
        await HoldsAsync(connect, writers, [.. writers.Select(writer => writer.Durable)]);
        var stored = await ReadAsync(connect);
        foreach (var writer in writers) Assert.Equal(writer.Expected, writer.Own(stored[writer.Store.Session.Key]));
        Assert.Equal(writers.Sum(writer => writer.Expected.Count), stored.Values.Sum(ids => ids.Length));
        output.WriteLine($"{writers.Sum(writer => writer.Durable)} changes, all of them durable; "
            + $"{stored.Values.Sum(ids => ids.Length)} chunks remain.");
    }

    /// <summary>Each session has reported as durable a change that was made after this was asked.</summary>
    private static async Task SomeBecameDurableAsync(Writer[] writers)
    {
        var goal = writers.Select(writer => writer.Durable + 1).ToArray();
        using var patience = new CancellationTokenSource(Patience);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (writers.Where((writer, number) => writer.Durable < goal[number]).Any())
        {
            await tick.WaitForNextTickAsync(patience.Token);
        }
    }

    private static async Task HoldsAsync(Func<DbConnection> connect, Writer[] writers, int[] durable)
    {
        var stored = await ReadAsync(connect);
        foreach (var (writer, count) in writers.Zip(durable))
        {
            var own = writer.Own(stored.GetValueOrDefault(writer.Store.Session.Key, [])).ToArray();
            Assert.True(writer.IsAfter(count, own),
                $"{writer.Store.Session.Key}: {count} changes were reported durable, and there is {string.Join(' ', own)}");
        }
    }

    /// <summary>The ids of each session's chunks.</summary>
    private static async Task<Dictionary<string, string[]>> ReadAsync(Func<DbConnection> connect)
    {
        await using var connection = connect();
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT GrainIdExtensionString, PayloadBinary FROM OrleansStorage WHERE GrainTypeString = 'chunks'";
        await using var reader = await command.ExecuteReaderAsync();
        var sessions = new Dictionary<string, string[]>();
        while (await reader.ReadAsync())
        {
            using var envelope = JsonDocument.Parse(SliceFrame.Decode((byte[])reader.GetValue(1)).Body);
            sessions[reader.GetString(0)] =
                [.. envelope.RootElement.GetProperty("state").EnumerateArray()
                    .Select(chunk => chunk.GetProperty("id").GetString()!)];
        }
        return sessions;
    }
}
