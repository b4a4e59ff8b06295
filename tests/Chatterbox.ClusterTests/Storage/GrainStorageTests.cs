using Chatterbox.Silo.Storage;
using Orleans.Providers;
using Orleans.Storage;
using Orleans.TestingHost;

namespace Chatterbox.ClusterTests.Storage;

[GenerateSerializer, Alias("test.Profile")]
public sealed class Profile
{
    [Id(0)] public string Name { get; set; } = "";
    [Id(1)] public List<int> Marks { get; set; } = [];
}

[Alias("test.IProfileGrain")]
public interface IProfileGrain : IGrainWithStringKey
{
    [Alias("Set")] Task<string?> SetAsync(string name, params int[] marks);
    [Alias("Get")] Task<(Profile Profile, string? ETag, bool Exists)> GetAsync();
    [Alias("Clear")] Task ClearAsync();
}

/// <summary>A grain as an application writes one.</summary>
public sealed class ProfileGrain([PersistentState("profile", "apps")] IPersistentState<Profile> state) : Grain, IProfileGrain
{
    public async Task<string?> SetAsync(string name, params int[] marks)
    {
        (state.State.Name, state.State.Marks) = (name, [.. marks]);
        await state.WriteStateAsync();
        return state.Etag;
    }

    public async Task<(Profile Profile, string? ETag, bool Exists)> GetAsync()
    {
        await state.ReadStateAsync();
        return (state.State, state.Etag, state.RecordExists);
    }

    public Task ClearAsync() => state.ClearStateAsync();
}

/// <summary>The grain storage for any grain's state, beside the stock provider on the same rows.</summary>
public abstract class GrainStorageSuite(DatabaseProvider provider) : IAsyncLifetime
{
    private TestDatabase database = null!;
    private RunningStorage running = null!;

    private IGrainStorage Ours => running["apps"];

    private IGrainStorage Deleting => running[ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME];

    private IGrainStorage Stock => running["stock"];

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync(provider);
        running =
            await RunningStorage.StartAsync("apps", Configure, "apps", ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME, "stock");
    }

    private void Configure(ISiloBuilder silo) => silo
            .AddChatterboxGrainStorage("apps", options => options.Database = database.Options(StorageWriter.GroupCommit))
            .AddChatterboxGrainStorageAsDefault(options =>
                (options.Database, options.DeleteStateOnClear) = (database.Options(StorageWriter.GroupCommit), true))
            .AddAdoNetGrainStorage("stock", options =>
            {
                options.Invariant = DatabaseDialect.Of(provider).Invariant;
                options.ConnectionString = database.ConnectionString;
            });

    public async Task DisposeAsync()
    {
        await running.DisposeAsync();
        await database.DisposeAsync();
    }

    [ContractFact(DisplayName =
        "[D2] an ordinary grain's state is written, read after the activation, cleared and written again")]
    public async Task A_grain_keeps_its_state()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) => Configure(silo));
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        var grain = cluster.Client.GetGrain<IProfileGrain>("Ada ✓ Łukasz 漢字 🎧");
        Assert.Equal(("", null, false), Summary(await grain.GetAsync()));
        Assert.Equal("1", await grain.SetAsync("Ada", 1, 2));
        Assert.Equal("2", await grain.SetAsync("Ada ✓", 1, 2, 3));

        await cluster.DeactivateAsync(((GrainReference)grain).GrainId);
        Assert.Equal(("Ada ✓/1,2,3", "2", true), Summary(await grain.GetAsync()));

        await grain.ClearAsync();
        Assert.Equal(("", false), (Summary(await grain.GetAsync()).Item1, (await grain.GetAsync()).Exists));
        Assert.Equal("4", await grain.SetAsync("again"));

        static (string, string?, bool) Summary((Profile Profile, string? ETag, bool Exists) state) =>
            (state.Profile.Marks is [] ? state.Profile.Name : $"{state.Profile.Name}/{string.Join(',', state.Profile.Marks)}",
                state.ETag, state.Exists);
    }

    [ContractFact(DisplayName = "[D2] the stock provider reads and updates what is written here, and the other way round")]
    public async Task Shares_rows_with_the_stock_provider()
    {
        var id = GrainId.Create("profile", "shared");
        var state = State("ours");
        await Ours.WriteStateAsync("profile", id, state);

        var stock = new GrainState<Profile>(new());
        await Stock.ReadStateAsync("profile", id, stock);
        Assert.Equal(("ours", "1", true), (stock.State!.Name, stock.ETag, stock.RecordExists));
        stock.State.Name = "stock's";
        await Stock.WriteStateAsync("profile", id, stock);

        await Assert.ThrowsAsync<InconsistentStateException>(() => Ours.WriteStateAsync("profile", id, state));
        await Ours.ReadStateAsync("profile", id, state);
        Assert.Equal(("stock's", "2"), (state.State!.Name, state.ETag));
        await Ours.ClearStateAsync("profile", id, state);
        await Stock.ReadStateAsync("profile", id, stock);
        Assert.Equal(("", false), (stock.State!.Name, stock.RecordExists));
    }

    [ContractFact(DisplayName =
        "[D2] a second first write, an update with an old etag and one with an etag but no row are "
        + "conflicts, and change nothing")]
    public async Task Conflicts()
    {
        var id = GrainId.Create("profile", "conflict");
        await Assert.ThrowsAsync<InconsistentStateException>(() => Ours.WriteStateAsync("profile", id, State("no row", "7")));
        await Ours.WriteStateAsync("profile", id, State("first"));
        await Assert.ThrowsAsync<InconsistentStateException>(() => Ours.WriteStateAsync("profile", id, State("second")));
        await Ours.WriteStateAsync("profile", id, State("third", "1"));
        await Assert.ThrowsAsync<InconsistentStateException>(() => Ours.WriteStateAsync("profile", id, State("fourth", "1")));
        await Assert.ThrowsAsync<InconsistentStateException>(() =>
            Ours.ClearStateAsync("profile", id, new GrainState<Profile>(new(), "1") { RecordExists = true }));

        var read = new GrainState<Profile>(new());
        await Ours.ReadStateAsync("profile", id, read);
        Assert.Equal(("third", "2"), (read.State!.Name, read.ETag));
    }

    [ContractFact(DisplayName = "[D2] clearing before the first write does nothing, and the first write after it succeeds")]
    public async Task Clears_nothing()
    {
        foreach (var storage in new[] { Ours, Deleting })
        {
            var state = new GrainState<Profile>(new());
            var id = GrainId.Create("profile", $"empty {storage == Ours}");
            await storage.ClearStateAsync("profile", id, state);
            Assert.False(state.RecordExists);
            await storage.WriteStateAsync("profile", id, state);
            Assert.Equal("1", state.ETag);
        }
    }

    [ContractFact(DisplayName = "[D2] DeleteStateOnClear deletes the row: the next write is a first one")]
    public async Task Deletes_on_clear()
    {
        var id = GrainId.Create("profile", "deleted");
        var state = State("one");
        await Deleting.WriteStateAsync("profile", id, state);
        await Deleting.ClearStateAsync("profile", id, state);
        Assert.False(state.RecordExists);
        Assert.Equal("", state.State!.Name);

        var again = State("two");
        await Deleting.WriteStateAsync("profile", id, again);
        Assert.Equal("1", again.ETag);
    }

    [ContractFact(DisplayName = "[D2] many grains at once, with long keys of all kinds, each keep their own state")]
    public async Task Many_grains()
    {
        var ids = Enumerable.Range(0, 200).Select(number => (number % 4) switch
        {
            0 => GrainId.Create(GrainType.Create("profile"), GrainIdKeyExtensions.CreateIntegerKey(number)),
            1 => GrainId.Create(GrainType.Create("profile"),
                GrainIdKeyExtensions.CreateGuidKey(Guid.NewGuid(), $"extension {number}")),
            2 => GrainId.Create("profile", $"{new string('ż', 500)}{number}"),
            _ => GrainId.Create("profile", $"text {number}"),
        }).ToArray();

        await Task.WhenAll(ids.Select(async (id, number) =>
        {
            var state = State($"{number}");
            for (var round = 0; round < 5; round++)
                await Ours.WriteStateAsync("profile", id, state);
        }));

        for (var number = 0; number < ids.Length; number++)
        {
            var read = new GrainState<Profile>(new());
            await Stock.ReadStateAsync("profile", ids[number], read);
            Assert.Equal(($"{number}", "5"), (read.State!.Name, read.ETag));
        }
    }

    private static GrainState<Profile> State(string name, string? etag = null) => new(new Profile { Name = name }, etag!);
}

[OnDatabase(DatabaseProvider.Sqlite)]
public sealed class GrainStorageOnSqlite() : GrainStorageSuite(DatabaseProvider.Sqlite);

[OnDatabase(DatabaseProvider.PostgreSql)]
public sealed class GrainStorageOnPostgreSql() : GrainStorageSuite(DatabaseProvider.PostgreSql);
