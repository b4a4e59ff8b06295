using Microsoft.Data.Sqlite;

namespace Chatterbox.EndToEndTests;

public sealed class OneSiloTests
{
    [Fact(DisplayName =
        "[D1] a second silo on the same SQLite file is refused, naming the first; kill -9 releases the file; --health "
        + "tells whether a silo is ready")]
    public async Task One_process_per_file()
    {
        await using var silo = await SiloProcess.StartAsync();
        Assert.Equal(0, (await silo.HealthAsync()).ExitCode);

        var link = Path.Combine(silo.Folder, "link.db");
        File.CreateSymbolicLink(link, Path.Combine(silo.Folder, "chatterbox.db"));
        var (exitCode, _, errors) = await SiloProcess.RunAsync([],
            ("Database__ConnectionString", $"Data Source=file:{link}"), ("Database__Fallback", "none"),
            ("Silo__Port", $"{ClusterTests.Storage.FreePort.Next()}"),
            ("Gateway__Port", $"{ClusterTests.Storage.FreePort.Next()}"));
        Assert.Equal(1, exitCode);
        Assert.Contains($"process {silo.ProcessId} on ", errors);

        await silo.KillAsync();
        Assert.Equal(1, (await silo.HealthAsync()).ExitCode);
        await silo.StartAgainAsync();
        Assert.Equal(0, (await silo.HealthAsync()).ExitCode);
    }

    [Fact(DisplayName =
        "[D4] [O1] a silo that stops while the database is unavailable logs how many frames it keeps, and where, "
        + "and what became of its sessions; "
        + "another database does not get them")]
    public async Task Frames_stay_with_their_database()
    {
        await using var silo = await SiloProcess.StartAsync(("Database__Timeout", "00:00:01"));
        await silo.ChatterboxAsync("set", "alice", "temperature=0.9");
        using (var holder = new SqliteConnection(silo.ConnectionString + ";Pooling=false"))
        {
            holder.Open();
            using var command = holder.CreateCommand();
            command.CommandText = "BEGIN IMMEDIATE";
            command.ExecuteNonQuery();
            var (code, _, _) = await silo.ChatterboxAsync("set", "alice", "temperature=1.7", "--timeout", "5");
            Assert.NotEqual(0, code);
            await silo.StopAsync();
        }
        Assert.Contains(
            "The silo stops with 1 rows that are not in the database. They are in the fallback "
            + $"file {Path.Combine(silo.Folder, "fallback.db")}",
            silo.Output);
        Assert.Contains("Sessions: 0 moved to other silos, 0 saved, 1 not saved. 1 row(s) are in the fallback file only.",
            silo.Output);

        await using var other = await SiloProcess.StartAsync(("Database__Fallback", Path.Combine(silo.Folder, "fallback.db")));
        Assert.Contains("1 rows in the fallback file are for another database", (await other.ReadyAsync()).Body);
        Assert.DoesNotContain("1.7", (await other.ChatterboxAsync("get", "alice", "preferences.parameters.temperature")).Output);
        Assert.Contains("\"foreignFrames\": 1", (await other.ChatterboxAsync("status", "alice")).Output);
        await other.StopAsync();

        await silo.StartAgainAsync();
        Assert.Contains("1.7", (await silo.ChatterboxAsync("get", "alice", "preferences.parameters.temperature")).Output);
    }
}
