using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;

namespace Chatterbox.ClusterTests.Storage;

[OnDatabase(DatabaseProvider.PostgreSql)]
public class DatabaseSchemaTests
{
    [ContractFact(DisplayName = "[D5] migrations may start several at once, on a database that is not there yet, and again")]
    public async Task Migrates_at_once()
    {
        var server = await PostgresServer.SharedAsync();

        await Task.WhenAll(Enumerable.Range(0, 4)
            .Select(_ => Task.Run(() => DatabaseSchema.Migrate(Options(server, "several_at_once")))));

        DatabaseSchema.Ensure(Options(server, "several_at_once"));
        await server.DropDatabaseAsync("several_at_once");
    }

    [ContractFact(DisplayName = "[D5] a silo refuses a schema that is missing, older or newer, and says what helps")]
    public async Task Refuses_another_schema()
    {
        var server = await PostgresServer.SharedAsync();
        Assert.Contains("--migrate-database", Refusal("never_made").Message);

        var database = await server.CreateDatabaseAsync();
        await server.ExecuteAsync(database,
            "INSERT INTO chatterboxschema (scriptname, applied) VALUES ('PostgreSql.99.sql', now())");
        Assert.Contains("newer than this program (PostgreSql.99.sql)", Refusal(database).Message);
        Assert.Throws<SettingsException>(() => DatabaseSchema.Migrate(Options(server, database)));

        await server.ExecuteAsync(database, "DELETE FROM chatterboxschema");
        Assert.Contains("older than this program: run 'Chatterbox.Silo --migrate-database'", Refusal(database).Message);
        await server.DropDatabaseAsync(database);

        SettingsException Refusal(string name) =>
            Assert.Throws<SettingsException>(() => DatabaseSchema.Ensure(Options(server, name)));
    }

    private static DatabaseOptions Options(PostgresServer server, string database) =>
        new() { Provider = DatabaseProvider.PostgreSql, ConnectionString = server.ConnectionString(database) };
}
