using System.Text.Json;
using Chatterbox.ClusterTests.Storage;

namespace Chatterbox.EndToEndTests;

/// <summary><c>chatterbox cluster</c> on two real silos.</summary>
[Trait("Speed", "Slow")]
public sealed class ClusterCommandTests
{
    private const int Users = 20;
    private const string ServiceKey = "a service key of the tests: 32 bytes or more";

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    [PostgresFact(DisplayName =
        "[O1] 'cluster status' shows the silos and what they hold; 'cluster drain' moves a silo's sessions away, waits until it "
        + "is gone, and leaves the last one alone")]
    public async Task Status_and_drain()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        (string, string)[] settings =
        [
            ("Database__Provider", "PostgreSql"),
            ("Database__ConnectionString", postgres.ConnectionString(await postgres.CreateEmptyDatabaseAsync())),
            ("Cluster__Mode", "AdoNet"), ("Auth__ServiceKey", ServiceKey),
        ];
        await SiloProcess.MigrateAsync(settings);
        await using var first = await SiloProcess.StartAsync(settings);
        await using var second = await SiloProcess.StartAsync(settings);
        await using var client = await ClientProcess.StartAsync(
            options => options.ServiceKey = ServiceKey, [first.Gateway, second.Gateway]);
        var stores = await Task.WhenAll(Enumerable.Range(0, Users)
            .Select(user => client.Client.OpenAsync(new SessionId($"user{user}")))).WaitAsync(Timeout);
        foreach (var store in stores) await store.SetStreamingAsync(true);

        var silos = await StatusAsync(second);
        Assert.Equal(new[] { first.Address, second.Address }.Order(StringComparer.Ordinal), silos.Select(silo => silo.Silo));
        Assert.All(silos, silo => Assert.Equal("active", silo.Status));
        Assert.Equal(Users, silos.Sum(silo => silo.Report!.Sessions));
        Assert.Equal(Users, silos.Sum(silo => silo.Report!.Clients));
        var held = silos.Single(silo => silo.Silo == first.Address).Report!.Sessions;

        var (exitCode, _, errors) = await RunAsync(second, "drain", "nobody:1");
        Assert.Equal(2, exitCode);
        Assert.Contains($"silo: must be one of {silos[0].Silo}, {silos[1].Silo}, was ", errors);

        var (denied, _, why) = await second.ChatterboxAsync("cluster", "drain", first.Address);
        Assert.Equal(2, denied);
        Assert.Contains("credential: must be the service key", why);

        (exitCode, var output, errors) = await RunAsync(second, "drain", first.Address);
        Assert.True(exitCode == 0, errors);
        Assert.EndsWith($"{first.Address} is gone", output.Trim());
        Assert.Equal(0, await first.EndedAsync());
        Assert.Contains($"The silo has stopped. Sessions: {held} moved to other silos, 0 saved, 0 not saved.", first.Output);

        var left = Assert.Single(await StatusAsync(second));
        Assert.Equal((second.Address, Users, Users), (left.Silo, left.Report!.Sessions, left.Report.Clients));
        foreach (var store in stores)
        {
            await (await store.SetStreamingAsync(false)).Durable.WaitAsync(Timeout);
            Assert.False(store.State.Preferences.UseStreaming);
        }
        (exitCode, _, errors) = await RunAsync(second, "drain", second.Address);
        Assert.Equal(2, exitCode);
        Assert.Contains("silo: must be one of several", errors);
    }

    private static Task<(int ExitCode, string Output, string Errors)> RunAsync(SiloProcess silo, params string[] arguments) =>
        silo.ChatterboxAsync(["cluster", .. arguments, "--service-key", ServiceKey]);

    private static async Task<ValueList<SiloStatusReport>> StatusAsync(SiloProcess silo)
    {
        var (exitCode, output, errors) = await RunAsync(silo, "status", "--json");
        Assert.True(exitCode == 0, errors);
        return JsonSerializer.Deserialize(output, ChatterboxJson.Default.ValueListSiloStatusReport)!;
    }
}
