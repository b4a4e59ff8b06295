using System.Net;
using Chatterbox.Silo.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Messaging;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>What Orleans relies on when silos meet in a database: its provider, with the queries of this schema.</summary>
public abstract class MembershipTableTests(DatabaseProvider provider) : IAsyncLifetime
{
    private const int Writers = 4;
    private const int SilosPerWriter = 10;

    private readonly List<IHost> _hosts = [];
    private TestDatabase _database = null!;
    private IMembershipTable _table = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync(provider);
        _table = await TableAsync("one");
    }

    public async Task DisposeAsync()
    {
        foreach (var host in _hosts) host.Dispose();
        await _database.DisposeAsync();
    }

    [ContractFact(DisplayName = "[D1] a new cluster has a version and no silos, however many silos start at once")]
    public async Task Starts_empty()
    {
        var tables = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TableAsync("new")));

        foreach (var table in tables)
        {
            var all = await table.ReadAllAsync();
            Assert.Equal(0, all.Version.Version);
            Assert.Empty(all.Members);
        }
    }

    [ContractFact(DisplayName = "[D1] a silo is added once, and only by whoever has seen the last version")]
    public async Task Adds_a_silo()
    {
        var (first, second) = (Entry(1), Entry(2));
        var empty = await _table.ReadAllAsync();

        Assert.True(await _table.InsertRowAsync(first, empty.Version.Next()));
        Assert.False(await _table.InsertRowAsync(second, empty.Version.Next()));
        var one = await _table.ReadAllAsync();
        Assert.False(await _table.InsertRowAsync(first, one.Version.Next()));
        Assert.True(await _table.InsertRowAsync(second, one.Version.Next()));

        var two = await _table.ReadAllAsync();
        Assert.Equal(2, two.Version.Version);
        Assert.Equal([first.SiloAddress, second.SiloAddress],
            two.Members.Select(member => member.Item1.SiloAddress).OrderBy(silo => silo.Endpoint.Port));
        var read = two.Members.Single(member => member.Item1.SiloAddress.Equals(first.SiloAddress)).Item1;
        Assert.Equal((first.SiloName, first.HostName, first.Status, first.ProxyPort),
            (read.SiloName, read.HostName, read.Status, read.ProxyPort));
        Assert.Equal(first.StartTime, read.StartTime, TimeSpan.FromMilliseconds(2));
    }

    [ContractFact(DisplayName = "[D1] a silo's status and who suspects it are changed only by whoever has seen the last version")]
    public async Task Updates_a_silo()
    {
        var entry = Entry(1);
        await _table.InsertRowAsync(entry, (await _table.ReadAllAsync()).Version.Next());
        var (seen, etag) = await RowAsync(entry.SiloAddress);
        entry.Status = SiloStatus.Dead;
        entry.SuspectTimes = [Tuple.Create(Entry(2).SiloAddress, entry.StartTime)];

        Assert.True(await _table.UpdateRowAsync(entry, etag, seen.Next()));
        Assert.False(await _table.UpdateRowAsync(entry, etag, seen.Next()));
        var unknown = Entry(3);
        var (now, _) = await RowAsync(entry.SiloAddress);
        Assert.False(await _table.UpdateRowAsync(unknown, etag, now.Next()));

        var row = await _table.ReadRowAsync(entry.SiloAddress);
        Assert.Equal(2, row.Version.Version);
        var read = Assert.Single(row.Members).Item1;
        Assert.Equal(SiloStatus.Dead, read.Status);
        Assert.Equal(Entry(2).SiloAddress, Assert.Single(read.SuspectTimes!).Item1);
    }

    [ContractFact(DisplayName =
        "[D1] a sign of life is stored and leaves the version alone; a silo that is not there is read with the version")]
    public async Task Signs_of_life()
    {
        var entry = Entry(1);
        await _table.InsertRowAsync(entry, (await _table.ReadAllAsync()).Version.Next());
        entry.IAmAliveTime = entry.IAmAliveTime.AddSeconds(30);

        await _table.UpdateIAmAliveAsync(entry);

        var row = await _table.ReadRowAsync(entry.SiloAddress);
        Assert.Equal(1, row.Version.Version);
        Assert.Equal(entry.IAmAliveTime, Assert.Single(row.Members).Item1.IAmAliveTime, TimeSpan.FromMilliseconds(2));
        var nobody = await _table.ReadRowAsync(Entry(9).SiloAddress);
        Assert.Equal(1, nobody.Version.Version);
        Assert.Empty(nobody.Members);
    }

    [ContractFact(DisplayName = "[D1] clients find the gateways of the silos that are active")]
    public async Task Lists_gateways()
    {
        var (active, dead, closed) = (Entry(1), Entry(2), Entry(3));
        dead.Status = SiloStatus.Dead;
        closed.ProxyPort = 0;
        foreach (var entry in new[] { active, dead, closed })
            Assert.True(await _table.InsertRowAsync(entry, (await _table.ReadAllAsync()).Version.Next()));
        var client = new HostBuilder().ConfigureLogging(logging => logging.ClearProviders())
            .UseOrleansClient(client =>
                client.Configure<ClusterOptions>(options => Name(options, "one")).UseAdoNetClustering(options =>
                    (options.Invariant, options.ConnectionString) =
                        (DatabaseDialect.Of(provider).Invariant, _database.ConnectionString)))
            .Build();
        _hosts.Add(client);
        var gateways = client.Services.GetRequiredService<IGatewayListProvider>();
        await gateways.InitializeGatewayListProvider();

        Assert.Equal([active.ProxyPort], (await gateways.GetGateways()).Select(gateway => gateway.Port));
    }

    [ContractFact(DisplayName =
        "[D1] silos long dead are removed, active ones are not; clusters in one database do not see each other")]
    public async Task Removes_the_dead()
    {
        var other = await TableAsync("other");
        var (active, dead, recent) = (Entry(1), Entry(2), Entry(3));
        dead.Status = recent.Status = SiloStatus.Dead;
        recent.IAmAliveTime = recent.IAmAliveTime.AddHours(2);
        foreach (var entry in new[] { active, dead, recent })
            Assert.True(await _table.InsertRowAsync(entry, (await _table.ReadAllAsync()).Version.Next()));
        Assert.True(await other.InsertRowAsync(dead, (await other.ReadAllAsync()).Version.Next()));

        await _table.CleanupDefunctSiloEntriesAsync(new DateTimeOffset(active.IAmAliveTime.AddHours(1), TimeSpan.Zero));

        Assert.Equal([active.SiloAddress, recent.SiloAddress],
            (await _table.ReadAllAsync()).Members.Select(member => member.Item1.SiloAddress).OrderBy(silo => silo.Endpoint.Port));
        Assert.Single((await other.ReadAllAsync()).Members);
        await other.DeleteMembershipTableEntriesAsync("other");
        Assert.Equal(2, (await _table.ReadAllAsync()).Members.Count);
    }

    [ContractFact(DisplayName = "[D1] while silos join at once, every read shows version and silos of one moment")]
    public async Task Reads_one_moment()
    {
        using var end = new CancellationTokenSource();
        var tables = await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => TableAsync("one")));

        var readers = Enumerable.Range(0, 3).Select(reader => Task.Run(async () =>
        {
            var reads = 0;
            while (!end.IsCancellationRequested)
            {
                var all = await tables[reader].ReadAllAsync();
                // Each silo that joined has taken the version on by one.
                Assert.Equal(all.Version.Version, all.Members.Count);
                reads++;
            }
            return reads;
        })).ToArray();
        var joined = await Task.WhenAll(tables.Select((table, writer) => Task.Run(async () =>
        {
            for (var silo = 0; silo < SilosPerWriter; silo++)
                while (!await table.InsertRowAsync(Entry(1 + (writer * SilosPerWriter) + silo),
                    (await table.ReadAllAsync()).Version.Next()))
                {
                    Assert.False(end.IsCancellationRequested);
                }
            return SilosPerWriter;
        }))).WaitAsync(TimeSpan.FromMinutes(2));
        await end.CancelAsync();

        Assert.All(await Task.WhenAll(readers), reads => Assert.True(reads > 0));
        Assert.Equal(joined.Sum(), (await _table.ReadAllAsync()).Version.Version);
    }

    private async Task<(TableVersion Version, string ETag)> RowAsync(SiloAddress silo)
    {
        var row = await _table.ReadRowAsync(silo);
        return (row.Version, Assert.Single(row.Members).Item2);
    }

    private async Task<IMembershipTable> TableAsync(string cluster)
    {
        var host = new HostBuilder().ConfigureLogging(logging => logging.ClearProviders())
            .UseOrleans(silo => silo.Configure<ClusterOptions>(options => Name(options, cluster)).UseAdoNetClustering(options =>
                (options.Invariant, options.ConnectionString) =
                    (DatabaseDialect.Of(provider).Invariant, _database.ConnectionString)))
            .Build();
        lock (_hosts) _hosts.Add(host);
        var table = host.Services.GetRequiredService<IMembershipTable>();
        await table.InitializeMembershipTableAsync(tryInitTableVersion: true);
        return table;
    }

    private static void Name(ClusterOptions options, string cluster) =>
        (options.ClusterId, options.ServiceId) = (cluster, "chatterbox");

    private static MembershipEntry Entry(int number) => new()
    {
        SiloAddress = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 10_000 + number), 1),
        HostName = $"host{number}",
        SiloName = $"silo{number}",
        Status = SiloStatus.Active,
        ProxyPort = 30_000 + number,
        StartTime = new DateTime(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc),
        IAmAliveTime = new DateTime(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc),
        SuspectTimes = [],
    };
}

[OnDatabase(DatabaseProvider.PostgreSql)]
public class MembershipOnPostgreSql() : MembershipTableTests(DatabaseProvider.PostgreSql);
