using System.Diagnostics;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;
using Npgsql;
using Orleans.Storage;
using Xunit.Abstractions;

namespace Chatterbox.ClusterTests.Storage.OnPostgreSql;

/// <summary>What is wrong with one row is that row's, whatever a server says of it.</summary>
[OnDatabase(DatabaseProvider.PostgreSql)]
public sealed class NeighbourTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Guilty = 42;

    /// <summary>Far below the time for which the row is locked, and far above what a hundred rows take.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private PostgresServer _server = null!;
    private string _database = "";

    public async Task InitializeAsync()
    {
        if (PostgresServer.Missing is not null) return;
        _server = await PostgresServer.SharedAsync();
        _database = await _server.CreateDatabaseAsync();
    }

    public async Task DisposeAsync()
    {
        if (_database.Length > 0) await _server.DropDatabaseAsync(_database);
    }

    [ContractFact(DisplayName =
        "[D3] a row that another transaction has locked holds up no other, and is written once it is free")]
    public async Task A_locked_row()
    {
        await using var rows = await Rows.StartAsync(Options());
        await using var stock = await Rows.StartAsync(Options(StorageWriter.Stock), "stock");
        var held = await Rows.LockAsync(ConnectionString(), Guilty);
        var guilty = rows.WriteAsync(Guilty, [7]);

        foreach (var _ in Enumerable.Range(0, 3))
        {
            var ours = await WriteOthersAsync(rows);
            var theirs = await WriteOthersAsync(stock);
            Assert.All(ours, outcome => Assert.Null(outcome.Failure));
            Assert.All(ours,
                outcome => Assert.True(outcome.Took < Soon, $"{outcome.Took}; stock: {theirs.Max(each => each.Took)}"));
        }
        Assert.False(guilty.IsCompleted);
        await held.DisposeAsync();
        Assert.Null((await guilty).Failure);
    }

    // dotnet test tests/Chatterbox.ClusterTests --filter "FullyQualifiedName~NeighbourTests&Speed=Slow" \
    //     --logger "console;verbosity=detailed"
    [Trait("Speed", "Slow")]
    [ContractFact(DisplayName =
        "[D3] while one row of 100 is locked for 30 s, the other 99 are saved within 1 s at the worst, as by the stock provider")]
    public async Task A_row_locked_for_long()
    {
        var time = TimeSpan.FromSeconds(30);
        await using var rows = await Rows.StartAsync(Options(timeout: 60));
        await using var stock = await Rows.StartAsync(Options(StorageWriter.Stock, timeout: 60), "stock");
        List<TimeSpan> ours = [], theirs = [];
        var held = await Rows.LockAsync(ConnectionString(), Guilty);
        var started = Stopwatch.GetTimestamp();
        var guilty = rows.WriteAsync(Guilty, [7]);
        // In turn, so that neither has the machine to itself.
        while (Stopwatch.GetElapsedTime(started) < time)
        {
            await MeasureAsync(rows, ours);
            await MeasureAsync(stock, theirs);
        }
        Assert.False(guilty.IsCompleted);
        await held.DisposeAsync();
        Assert.Null((await guilty).Failure);

        output.WriteLine($"group commit, 99 rows beside a locked one: {Describe(ours)}");
        output.WriteLine($"stock provider, the same:                  {Describe(theirs)}");
        Assert.InRange(ours.Max(), TimeSpan.Zero, Soon);

        static async Task MeasureAsync(Rows rows, List<TimeSpan> took)
        {
            var outcomes = await WriteOthersAsync(rows);
            Assert.All(outcomes, outcome => Assert.Null(outcome.Failure));
            took.AddRange(outcomes.Select(outcome => outcome.Took));
        }

        static string Describe(List<TimeSpan> took) =>
            $"{took.Count} writes, median {took.Order().ElementAt(took.Count / 2).TotalMilliseconds:0.0} ms, "
            + $"p99 {took.Order().ElementAt(took.Count * 99 / 100).TotalMilliseconds:0.0} ms, "
            + $"worst {took.Max().TotalMilliseconds:0.0} ms";
    }

    [ContractFact(DisplayName =
        "[D3] a row that stays locked fails its own writer within the database's timeout, and nobody else")]
    public async Task A_row_that_stays_locked()
    {
        await using var rows = await Rows.StartAsync(Options(timeout: 5));
        await using var held = await Rows.LockAsync(ConnectionString(), Guilty);
        var outcomes = await rows.WriteAllAsync();

        Assert.Equal([Guilty], Failed(outcomes));
        Assert.IsType<StorageRejectedException>(outcomes[Guilty].Failure);
        Assert.InRange(outcomes[Guilty].Took, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(12));
    }

    [ContractTheory(DisplayName = "[D3] the user's own time limits fail nobody but the row that is locked")]
    [InlineData("-c lock_timeout=50")]
    [InlineData("-c statement_timeout=500")]
    public async Task The_users_limits(string options)
    {
        await using var rows = await Rows.StartAsync(Options(extra: $";Options={options}", timeout: 5));
        await using var held = await Rows.LockAsync(ConnectionString(), Guilty);

        Assert.Equal([Guilty], Failed(await rows.WriteAllAsync()));
    }

    [ContractFact(DisplayName = "[D3] a row too large for the user's statement_timeout fails alone")]
    public async Task A_large_row()
    {
        await using var rows = await Rows.StartAsync(Options(extra: ";Options=-c statement_timeout=100"));
        await _server.ExecuteAsync(_database, $"""
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF octet_length(NEW.PayloadBinary) > 40000000 THEN PERFORM pg_sleep(5); END IF; RETURN NEW; END $$;
            CREATE TRIGGER slow BEFORE UPDATE ON OrleansStorage FOR EACH ROW EXECUTE FUNCTION slow()
            """);
        var outcomes = await rows.WriteAllAsync(row => row == Guilty ? new byte[48 << 20] : [(byte)row]);

        Assert.Equal([Guilty], Failed(outcomes));
        Assert.All(outcomes.Where((_, row) => row != Guilty), outcome => Assert.True(outcome.Took < Soon, $"{outcome.Took}"));
    }

    [ContractFact(DisplayName = "[D3] a row that a trigger refuses fails alone, and from then on troubles no batch")]
    public async Task A_trigger()
    {
        await using var rows = await Rows.StartAsync(Options());
        await _server.ExecuteAsync(_database, $"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF NEW.GrainIdExtensionString = '{Rows.Key(Guilty).Key}' THEN RAISE 'not this one'; END IF;
            """ + """
             RETURN NEW; END $$;
            CREATE TRIGGER refuse BEFORE UPDATE ON OrleansStorage FOR EACH ROW EXECUTE FUNCTION refuse()
            """);
        foreach (var _ in Enumerable.Range(0, 3)) Assert.Equal([Guilty], Failed(await rows.WriteAllAsync()));

        await _server.ExecuteAsync(_database, "DROP TRIGGER refuse ON OrleansStorage");
        Assert.Empty(Failed(await rows.WriteAllAsync()));
    }

    [ContractFact(DisplayName = "[D3] a row that row-level security refuses fails alone")]
    public async Task Row_level_security()
    {
        var role = $"tenant_{Guid.NewGuid():N}"[..20];
        await _server.ExecuteAsync(_database, $"""
            CREATE ROLE {role} LOGIN;
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
            """);
        try
        {
            await using var rows = await Rows.StartAsync(Options(user: role));
            await _server.ExecuteAsync(_database, $"""
                ALTER TABLE OrleansStorage ENABLE ROW LEVEL SECURITY;
                CREATE POLICY reading ON OrleansStorage USING (true)
                  WITH CHECK (GrainIdExtensionString <> '{Rows.Key(Guilty).Key}');
                """);
            var outcomes = await rows.WriteAllAsync();

            Assert.Equal([Guilty], Failed(outcomes));
            Assert.IsType<StorageRejectedException>(outcomes[Guilty].Failure);
        }
        finally
        {
            await _server.ExecuteAsync(_database, $"DROP OWNED BY {role}; DROP ROLE {role}");
        }
    }

    [ContractFact(DisplayName = "[D3] a first write waits for another transaction's first write of the same row alone")]
    public async Task Another_first_write()
    {
        await using var rows = await Rows.StartAsync(Options(timeout: 5));
        await using var connection = new NpgsqlConnection(ConnectionString() + ";Pooling=false");
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var key = Silo.Storage.GroupCommit.RowKey.Of("preferences", GrainId.Create("session", "u/late/app-state"));
        await using (var insert = new NpgsqlCommand("""
            INSERT INTO OrleansStorage VALUES ($1, $2, $3, $4, 'preferences', 'u/late/app-state', 'rows', NULL, now(), 1)
            """, connection, transaction)
        {
            Parameters =
            {
                new() { Value = key.IdHash }, new() { Value = key.N0 }, new() { Value = key.N1 }, new() { Value = key.TypeHash },
            },
        })
        {
            await insert.ExecuteNonQueryAsync();
        }
        await using var other = await RunningStorage.StartAsync(Options(timeout: 5), "rows");
        var late = new GrainState<Grains.Persistence.StoredFrame>(new() { Bytes = [1] });
        var waiting = other.Storage.WriteStateAsync("preferences", GrainId.Create("session", "u/late/app-state"), late);
        var outcomes = await rows.WriteAllAsync();

        Assert.Empty(Failed(outcomes));
        Assert.All(outcomes, outcome => Assert.True(outcome.Took < Soon, $"{outcome.Took}"));
        await transaction.CommitAsync();
        await Assert.ThrowsAsync<Orleans.Storage.InconsistentStateException>(() => waiting);
    }

    [ContractFact(DisplayName =
        "[D3] a row that driver or server does not take fails alone, and its neighbours keep their connection's statements")]
    public async Task A_name_that_is_no_text()
    {
        await using var rows = await Rows.StartAsync(Options());
        foreach (var name in (string[])["lone \ud800 surrogate", "nul \0", "lone \udc00 surrogate"])
        {
            var bad = rows.WriteNewAsync(name, Rows.Key(Guilty));
            Assert.Empty(Failed(await rows.WriteAllAsync()));
            Assert.IsType<StorageRejectedException>((await bad).Failure);
        }
    }

    [ContractFact(DisplayName = "[D3] two silos that write the same rows in opposite orders meet conflicts, and no deadlock")]
    public async Task Opposite_orders()
    {
        await using (var first = await RunningStorage.StartAsync(Options(), "deadlocks"))
        await using (var second = await RunningStorage.StartAsync(Options(), "deadlocks"))
        {
            for (var round = 0; round < 20; round++)
            {
                var (mine, theirs) = (await ReadAsync(first), await ReadAsync(second));
                var outcomes = await Task.WhenAll(WriteAsync(first, mine), WriteAsync(second, [.. theirs.Reverse()]));

                Assert.All(outcomes.SelectMany(each => each),
                    failure => Assert.True(failure is null or InconsistentStateException, $"{failure}"));
                Assert.Equal(Rows.Count, outcomes.Sum(each => each.Count(failure => failure is null)));
            }
        }
        await using var connection = new NpgsqlConnection(ConnectionString() + ";Pooling=false");
        await connection.OpenAsync();
        await using var counted =
            new NpgsqlCommand("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()", connection);
        Assert.Equal(0L, await counted.ExecuteScalarAsync());

        static async Task<(GrainId Key, GrainState<StoredFrame> State)[]> ReadAsync(RunningStorage silo) =>
            await Task.WhenAll(Enumerable.Range(0, Rows.Count).Select(async row =>
            {
                var state = new GrainState<StoredFrame>(new());
                await silo.Storage.ReadStateAsync("preferences", Rows.Key(row), state);
                state.State = new() { Bytes = new byte[2000] };
                return (Rows.Key(row), state);
            }));

        static Task<Exception?[]> WriteAsync(RunningStorage silo, (GrainId Key, GrainState<StoredFrame> State)[] states) =>
            Task.WhenAll(states.Select(row => Record.ExceptionAsync(
                () => silo.Storage.WriteStateAsync("preferences", row.Key, row.State)))!);
    }

    private string ConnectionString(string? user = null) => user is null
        ? _server.ConnectionString(_database)
        : new NpgsqlConnectionStringBuilder(_server.ConnectionString(_database)) { Username = user }.ConnectionString;

    private DatabaseOptions Options(
        StorageWriter writer = StorageWriter.GroupCommit, string extra = "", int timeout = 10, string? user = null) => new()
        {
            Provider = DatabaseProvider.PostgreSql,
            ConnectionString = ConnectionString(user) + extra,
            Writer = writer,
            Timeout = TimeSpan.FromSeconds(timeout),
        };

    private static async Task<Rows.Outcome[]> WriteOthersAsync(Rows rows) =>
        await Task.WhenAll(Enumerable.Range(0, Rows.Count).Where(row => row != Guilty)
            .Select(row => rows.WriteAsync(row, [(byte)row])));

    private static IEnumerable<int> Failed(Rows.Outcome[] outcomes) =>
        Enumerable.Range(0, outcomes.Length).Where(row => outcomes[row].Failure is not null);
}
