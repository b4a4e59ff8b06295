using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Microsoft.Data.SqlClient;

namespace Chatterbox.ClusterTests.Storage;

// What a SQL Server does that the tests do not own: it is cut off instead of killed.

[OnDatabase(DatabaseProvider.SqlServer)]
public sealed class DatabaseKillsOnSqlServer : DatabaseKillTests, IAsyncLifetime
{
    private readonly string _database = SqlServerInstance.NewName();
    private TcpProxy _proxy = null!;

    public Task InitializeAsync()
    {
        _proxy = SqlServerInstance.StartProxy();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await SqlServerInstance.DropAsync(_database);
    }

    protected override async Task<DatabaseOptions> CreateDatabaseAsync()
    {
        var options = new DatabaseOptions
        {
            Provider = DatabaseProvider.SqlServer,
            ConnectionString = SqlServerInstance.ConnectionString(_database, _proxy.Port),
        };
        await Task.Run(() => DatabaseSchema.Migrate(options));
        return options;
    }

    protected override Task KillAsync()
    {
        _proxy.Refuse();
        return Task.CompletedTask;
    }

    protected override Task StartAgainAsync()
    {
        _proxy.Resume();
        return Task.CompletedTask;
    }
}

[OnDatabase(DatabaseProvider.SqlServer)]
public sealed class FallbackOnSqlServer : DatabaseFallbackTests, IAsyncLifetime
{
    private readonly string _database = SqlServerInstance.NewName();
    private TcpProxy _proxy = null!;

    public async Task InitializeAsync()
    {
        _proxy = SqlServerInstance.StartProxy();
        await Task.Run(() => DatabaseSchema.Migrate(Options(nameof(StorageWriter.GroupCommit))));
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await SqlServerInstance.DropAsync(_database);
    }

    [ContractTheory(DisplayName = "[D4] connections cut and refused: kept, told, and in it after the next start")]
    [MemberData(nameof(Writers))]
    public Task Refusing(string writer) =>
        KeepsWhatWasNotTakenAsync(Options(writer), () => Done(_proxy.Refuse), () => Done(_proxy.Resume));

    [ContractTheory(DisplayName = "[D4] not answering: kept, told, and in it after the next start")]
    [MemberData(nameof(Writers))]
    public Task Hanging(string writer) =>
        KeepsWhatWasNotTakenAsync(Options(writer), () => Done(_proxy.Hang), () => Done(_proxy.Resume));

    // The stock writer sets no time-out of its own for a statement. A server that has just started
    // needs seconds for the first ones.
    private DatabaseOptions Options(string writer) => Options(DatabaseProvider.SqlServer,
        SqlServerInstance.ConnectionString(_database, _proxy.Port) + ";Command Timeout=5", writer, TimeSpan.FromSeconds(5));

    private static Task Done(Action action)
    {
        action();
        return Task.CompletedTask;
    }
}

[OnDatabase(DatabaseProvider.SqlServer)]
public sealed class SchemaOnSqlServer : IAsyncLifetime
{
    private readonly string _database = SqlServerInstance.NewName();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => SqlServerInstance.DropAsync(_database);

    [ContractFact(DisplayName =
        "[D5] migrations may start several at once, on a database that is not there yet, and again; "
        + "reads do not wait for writes in it")]
    public async Task Migrates_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => DatabaseSchema.Migrate(Options()))));

        DatabaseSchema.Ensure(Options());
        Assert.Empty(DatabaseSchema.Warnings(Options()));
    }

    [ContractFact(DisplayName =
        "[D5] a database that was missing a moment ago can be used as soon as it was created, through the pool too")]
    public async Task The_pool_forgets()
    {
        await using var early = new SqlConnection(Options().Resolve().ConnectionString);
        await Assert.ThrowsAsync<SqlException>(early.OpenAsync);

        DatabaseSchema.Migrate(Options());

        await early.OpenAsync();
    }

    [ContractFact(DisplayName = "[D5] a silo refuses a schema that is missing, older or newer, and says what helps")]
    public async Task Refuses_another_schema()
    {
        Assert.Contains("--migrate-database", Refusal());

        DatabaseSchema.Migrate(Options());
        await SqlServerInstance.ExecuteAsync(_database,
            "INSERT INTO ChatterboxSchema (ScriptName, Applied) VALUES ('SqlServer.99.sql', GETDATE())");
        Assert.Contains("newer than this program (SqlServer.99.sql)", Refusal());
        Assert.Throws<SettingsException>(() => DatabaseSchema.Migrate(Options()));

        await SqlServerInstance.ExecuteAsync(_database, "DELETE FROM ChatterboxSchema");
        Assert.Contains("older than this program: run 'Chatterbox.Silo --migrate-database'", Refusal());
    }

    [ContractFact(DisplayName = "[D5] a silo refuses a database without an object it needs, and names it")]
    public async Task Refuses_what_is_incomplete()
    {
        DatabaseSchema.Migrate(Options());
        await SqlServerInstance.ExecuteAsync(_database, "DROP TYPE ChatterboxStorageRows");

        Assert.Contains("ChatterboxStorageRows", Refusal(), StringComparison.OrdinalIgnoreCase);
    }

    private string Refusal() => Assert.Throws<SettingsException>(() => DatabaseSchema.Ensure(Options())).Message;

    private DatabaseOptions Options() =>
        new() { Provider = DatabaseProvider.SqlServer, ConnectionString = SqlServerInstance.ConnectionString(_database) };
}
