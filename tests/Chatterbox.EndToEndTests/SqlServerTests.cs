using System.Net;
using System.Net.Sockets;
using Chatterbox.ClusterTests.Storage;

namespace Chatterbox.EndToEndTests;

/// <summary>The program as shipped, with SQL Server as its database.</summary>
public sealed class SqlServerTests
{
    [Theory(DisplayName = "[D1] the silo's own process tries to reach SQL Server, and says which it cannot reach")]
    [InlineData("")]
    [InlineData("--migrate-database")]
    public async Task Tries_to_connect(string argument)
    {
        var port = ClosedPort();

        var (exitCode, output, errors) = await SiloProcess.RunAsync(argument is "" ? [] : [argument], Settings(port));

        Assert.Equal(1, exitCode);
        Assert.Contains($"127.0.0.1,{port}/chatterbox", errors);
        Assert.Contains("a SQL Server and database that can be reached", errors);
        Assert.DoesNotContain("lobalization", output + errors);
        Assert.DoesNotContain("hunter2", output + errors);
        Assert.DoesNotContain("   at ", output + errors);
    }

    [Fact(DisplayName = "[D1] a silo told by its environment to do without ICU says that SQL Server needs it")]
    public async Task Refuses_invariant_mode()
    {
        var (exitCode, _, errors) =
            await SiloProcess.RunAsync([], [("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")], Settings(ClosedPort()));

        Assert.Equal(1, exitCode);
        Assert.Contains("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: must not be set with SQL Server", errors);
    }

    [SqlServerFact(DisplayName =
        "[D5] four programs told to migrate an absent database on SQL Server at once all succeed, and again; a "
        + "silo refuses one that is missing")]
    public async Task Migrates_an_absent_database()
    {
        var database = SqlServerInstance.NewName();
        (string, string)[] settings =
        [
            ("Database__Provider", "SqlServer"), ("Database__ConnectionString", SqlServerInstance.ConnectionString(database)),
            ("Database__Fallback", "none"), ("Silo__Port", $"{FreePort.Next()}"), ("Gateway__Port", $"{FreePort.Next()}"),
        ];
        var (exitCode, _, errors) = await SiloProcess.RunAsync([], settings);
        Assert.Equal(1, exitCode);
        Assert.Contains("Run 'Chatterbox.Silo --migrate-database'", errors);

        var migrations =
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => SiloProcess.RunAsync(["--migrate-database"], settings)));

        Assert.All(migrations, migration => Assert.True(migration.ExitCode == 0, migration.Errors));
        Assert.All(migrations, migration => Assert.Equal("", migration.Errors));
        await SiloProcess.MigrateAsync(settings);
        Assert.Equal(1, await SqlServerInstance.QueryAsync(database, "SELECT COUNT(*) FROM ChatterboxSchema"));
        await SqlServerInstance.DropAsync(database);
    }

    private static (string, string)[] Settings(int port) =>
    [
        ("Database__Provider", "SqlServer"),
        ("Database__ConnectionString", $"Server=127.0.0.1,{port};Database=chatterbox;User Id=sa;Password=hunter2"),
        ("Database__Fallback", "none"), ("Silo__Port", $"{FreePort.Next()}"), ("Gateway__Port", $"{FreePort.Next()}"),
    ];

    private static int ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
