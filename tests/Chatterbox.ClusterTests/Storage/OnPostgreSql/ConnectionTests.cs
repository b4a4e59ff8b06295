using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Npgsql;

namespace Chatterbox.ClusterTests.Storage.OnPostgreSql;

/// <summary>The user's connection string is kept, and a database that cannot work is refused at start, by name.</summary>
[OnDatabase(DatabaseProvider.PostgreSql)]
public sealed class ConnectionTests
{
    [ContractTheory(DisplayName =
        "[D1] several installations share a database, each with its tables, rows and journal in its own schema")]
    [InlineData("Search Path={0}")]
    [InlineData("Options=-c search_path={0}")]
    public async Task Schemas(string option)
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateEmptyDatabaseAsync();
        DatabaseSchema.Migrate(Options(server.ConnectionString(database)));
        foreach (var schema in (string[])["one", "two"])
        {
            var options = Options($"{server.ConnectionString(database)};{string.Format(null, option, schema)}");
            DatabaseSchema.Migrate(options);
            DatabaseSchema.Ensure(options);
            await using var running = await RunningStorage.StartAsync(options, "shared");
            await running.Storage.WriteStateAsync(
                "preferences", GrainId.Create("session", "u/alice"),
                new GrainState<StoredFrame>(new StoredFrame { Bytes = [1] }));
        }
        NpgsqlConnection.ClearAllPools();

        Assert.Equal(["0", "1", "1"], await AskAsync(server, database, """
            SELECT count(*) FROM public.orleansstorage UNION ALL SELECT count(*) FROM one.orleansstorage
            UNION ALL SELECT count(*) FROM two.orleansstorage
            """));
        Assert.Equal(["one", "public", "two"], await AskAsync(server, database,
            "SELECT schemaname FROM pg_tables WHERE tablename = 'chatterboxschema' ORDER BY 1"));
        await server.DropDatabaseAsync(database);
    }

    [ContractFact(DisplayName = "[D1] a search path without a schema that exists is refused by name")]
    public async Task No_schema()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateDatabaseAsync();
        var refusal = Assert.Throws<SettingsException>(
            () => DatabaseSchema.Ensure(Options(server.ConnectionString(database) + ";Search Path=nowhere")));

        Assert.Contains("nowhere", refusal.Message, StringComparison.Ordinal);
        await server.DropDatabaseAsync(database);
    }

    [ContractTheory(DisplayName = "[D1] a database in another encoding than UTF8 is refused by name, by the migration too")]
    [InlineData("LATIN1")]
    [InlineData("SQL_ASCII")]
    public async Task Encodings(string encoding)
    {
        var server = await PostgresServer.SharedAsync();
        var database = $"encoded_{encoding.ToLowerInvariant()}";
        await server.ExecuteAsync("postgres", $"CREATE DATABASE {database} ENCODING '{encoding}' TEMPLATE template0");
        foreach (var start in (Action<DatabaseOptions>[])[DatabaseSchema.Migrate, DatabaseSchema.Ensure])
        {
            var refusal = Assert.Throws<SettingsException>(() => start(Options(server.ConnectionString(database))));
            Assert.Contains(encoding, refusal.Message, StringComparison.Ordinal);
            Assert.Contains("ENCODING 'UTF8' TEMPLATE template0", refusal.Message, StringComparison.Ordinal);
        }
        await server.DropDatabaseAsync(database);
    }

    [ContractFact(DisplayName = "[D1] Multiplexing is refused by name")]
    public async Task Multiplexing()
    {
        var server = await PostgresServer.SharedAsync();
        var refusal = Assert.Throws<SettingsException>(
            () => DatabaseSchema.Ensure(Options(server.ConnectionString("any") + ";Multiplexing=true")));

        Assert.Contains("Multiplexing", refusal.Message, StringComparison.Ordinal);
    }

    [ContractTheory(DisplayName = "[D1] a right that the user lacks is named, with the statement that grants it")]
    [InlineData("UPDATE", "orleansstorage")]
    [InlineData("SELECT", "orleansquery")]
    [InlineData("DELETE", "orleansmembershiptable")]
    [InlineData("SELECT", "chatterboxschema")]
    public async Task Rights(string right, string table)
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateDatabaseAsync();
        var role = $"poor_{Guid.NewGuid():N}"[..20];
        await server.ExecuteAsync(database, $"""
            CREATE ROLE {role} LOGIN;
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
            """);
        var options =
            Options(new NpgsqlConnectionStringBuilder(server.ConnectionString(database)) { Username = role }.ConnectionString);
        DatabaseSchema.Ensure(options);

        await server.ExecuteAsync(database, $"REVOKE {right} ON {table} FROM {role}");
        var refusal = Assert.Throws<SettingsException>(() => DatabaseSchema.Ensure(options));
        Assert.Contains(table, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("GRANT", refusal.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(role, refusal.Message, StringComparison.Ordinal);

        NpgsqlConnection.ClearAllPools();
        await server.ExecuteAsync(database, $"DROP OWNED BY {role}; DROP ROLE {role}");
        await server.DropDatabaseAsync(database);
    }

    [PgBouncerTheory(DisplayName = "[D1] a pooler between silo and server is refused by name, with what helps")]
    [InlineData("transaction", "extra_float_digits")]
    [InlineData("transaction", "extra_float_digits,options")]
    [InlineData("statement", "extra_float_digits,options")]
    [InlineData("session", "extra_float_digits")]
    [InlineData("session", "extra_float_digits,options")]
    public async Task Poolers(string mode, string ignored)
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateDatabaseAsync();
        await using (var pooler = await PgBouncer.StartAsync(server.Port, mode, ignored))
        {
            var through = new NpgsqlConnectionStringBuilder(server.ConnectionString(database))
            {
                Port = pooler.Port,
            }.ConnectionString;
            var refusal = Assert.Throws<SettingsException>(() => DatabaseSchema.Ensure(Options(through)));
            NpgsqlConnection.ClearAllPools();

            Assert.Contains("pooler", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("onnect to PostgreSQL itself", refusal.Message, StringComparison.Ordinal);
        }
        await server.DropDatabaseAsync(database);
    }

    private static DatabaseOptions Options(string connectionString) =>
        new() { Provider = DatabaseProvider.PostgreSql, ConnectionString = connectionString };

    private static async Task<string[]> AskAsync(PostgresServer server, string database, string question)
    {
        var answers = new List<string>();
        await using var connection = new NpgsqlConnection(server.ConnectionString(database) + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(question, connection);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) answers.Add($"{reader.GetValue(0)}");
        return [.. answers];
    }
}
