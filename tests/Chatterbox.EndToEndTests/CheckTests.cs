using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Chatterbox.EndToEndTests;

public sealed class CheckTests
{
    [Fact(DisplayName =
        "[M1] [M2] whether every stored session would load is said by the tool and, beside a silo that serves them, by the "
        + "silo's program; the exit code tells")]
    public async Task Before_a_deployment()
    {
        await using var silo = await SiloProcess.StartAsync();
        Assert.Equal(0, (await silo.ChatterboxAsync("set", "alice", "temperature=0.9")).ExitCode);

        var (code, tool, errors) = await silo.ChatterboxAsync("migrate", "--check");
        Assert.True(code == 0, errors);
        Assert.Contains("Every stored session would load.", tool, StringComparison.Ordinal);
        (code, var program, errors) = await silo.BesideAsync("--check-sessions");
        Assert.True(code == 0, errors);
        Assert.Equal(tool, program);

        await DamageAsync(silo);
        (code, tool, _) = await silo.ChatterboxAsync("migrate", "--check", "--json");
        Assert.Equal(4, code);
        (code, program, _) = await silo.BesideAsync("--check-sessions", "--json");
        Assert.Equal(4, code);
        Assert.Equal(tool, program);
        using var json = JsonDocument.Parse(tool);
        Assert.False(json.RootElement.GetProperty("allWouldLoad").GetBoolean());
        var finding = Assert.Single(json.RootElement.GetProperty("findings").EnumerateArray());
        Assert.Equal(("unreadable", 1), (finding.GetProperty("outcome").GetString(), finding.GetProperty("rows").GetInt32()));
        Assert.StartsWith("alice/app-state, preferences: ", finding.GetProperty("example").GetString(), StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[M1] [X2] without a database to look at there is a message and exit code 1, and no database is made")]
    public async Task No_database()
    {
        await using var silo = await SiloProcess.StartAsync();
        var nowhere = Path.Combine(silo.Folder, "nowhere.db");
        var (code, _, errors) =
            await silo.BesideAsync("--check-sessions", $"--Chatterbox:Database:ConnectionString=Data Source={nowhere}");
        Assert.Equal(1, code);
        Assert.Contains("Chatterbox cannot run.", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        Assert.False(File.Exists(nowhere));
    }

    private static async Task DamageAsync(SiloProcess silo)
    {
        await using var connection = new SqliteConnection(silo.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "UPDATE OrleansStorage SET PayloadBinary = x'010203' WHERE GrainTypeString = 'preferences'";
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
        SqliteConnection.ClearPool(connection);
    }
}
