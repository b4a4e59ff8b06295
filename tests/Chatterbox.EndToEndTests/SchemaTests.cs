using Chatterbox.ClusterTests.Storage;
using Npgsql;

namespace Chatterbox.EndToEndTests;

/// <summary>The program's own ways with the schema, as an operator or a job runs them.</summary>
public sealed class SchemaTests
{
    [PostgresFact(DisplayName =
        "[D5] four programs told to migrate an absent database at once all succeed, and again; a silo refuses a missing, older "
        + "or newer schema and says what helps")]
    public async Task Migrates_and_refuses()
    {
        await using var server = await PostgresServer.StartNewAsync();
        (string, string)[] settings =
        [
            ("Database__Provider", "PostgreSql"), ("Database__ConnectionString", server.ConnectionString("not_there_yet")),
            ("Database__Fallback", "none"), ("Silo__Port", $"{FreePort.Next()}"), ("Gateway__Port", $"{FreePort.Next()}"),
        ];
        await RefusedAsync("run 'Chatterbox.Silo --migrate-database'");

        var migrations =
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => SiloProcess.RunAsync(["--migrate-database"], settings)));
        Assert.All(migrations, migration => Assert.True(migration.ExitCode == 0, migration.Errors));
        await SiloProcess.MigrateAsync(settings);
        Assert.Equal(1L, await CountAsync("SELECT count(*) FROM chatterboxschema"));

        await server.ExecuteAsync("not_there_yet",
            "INSERT INTO chatterboxschema (scriptname, applied) VALUES ('PostgreSql.99.sql', now())");
        await RefusedAsync("newer than this program (PostgreSql.99.sql): start the Chatterbox.Silo that made it, or a later one");
        var (exitCode, output, errors) = await SiloProcess.RunAsync(["--migrate-database"], settings);
        Assert.True(exitCode == 1 && errors.Contains("newer than this program", StringComparison.Ordinal), output + errors);

        await server.ExecuteAsync("not_there_yet", "DELETE FROM chatterboxschema");
        await RefusedAsync("older than this program: run 'Chatterbox.Silo --migrate-database'");

        async Task RefusedAsync(string why)
        {
            var (exitCode, output, errors) = await SiloProcess.RunAsync([], settings);
            Assert.Equal(1, exitCode);
            Assert.Contains(why, errors);
            Assert.DoesNotContain("   at ", output + errors);
        }

        async Task<object?> CountAsync(string sql)
        {
            await using var connection = new NpgsqlConnection(server.ConnectionString("not_there_yet") + ";Pooling=false");
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(sql, connection);
            return await command.ExecuteScalarAsync();
        }
    }
}
