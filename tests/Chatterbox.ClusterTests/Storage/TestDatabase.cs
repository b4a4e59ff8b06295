using Chatterbox.Silo.Storage;
using Microsoft.Data.Sqlite;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>An empty database with the schema in it, gone after the test.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly Func<Task> drop;

    private TestDatabase(DatabaseProvider provider, string connectionString, Func<Task>? drop = null) =>
        (Provider, ConnectionString, this.drop) = (provider, connectionString, drop ?? (() => Task.CompletedTask));

    public DatabaseProvider Provider { get; }

    public string ConnectionString { get; }

    /// <summary>Why there is no such database here; null if there is.</summary>
    public static string? Missing(DatabaseProvider provider) => provider switch
    {
        DatabaseProvider.PostgreSql => PostgresServer.Missing,
        DatabaseProvider.SqlServer => SqlServerInstance.Missing,
        _ => null,
    };

    public static async Task<TestDatabase> CreateAsync(DatabaseProvider provider)
    {
        switch (provider)
        {
            case DatabaseProvider.PostgreSql:
                var server = await PostgresServer.SharedAsync();
                var name = await server.CreateDatabaseAsync();
                return new(provider, server.ConnectionString(name), () => server.DropDatabaseAsync(name));

            case DatabaseProvider.SqlServer:
                var catalog = SqlServerInstance.NewName();
                var database = new TestDatabase(provider, SqlServerInstance.ConnectionString(catalog),
                    () => SqlServerInstance.DropAsync(catalog));
                await Task.Run(() => DatabaseSchema.Migrate(database.Options(StorageWriter.Stock)));
                return database;

            default:
                var folder = Directory.CreateTempSubdirectory("chatterbox-").FullName;
                var file =
                    new TestDatabase(provider, $"Data Source={Path.Combine(folder, "chatterbox.db")}", () => DeleteAsync(folder));
                DatabaseSchema.Migrate(file.Options(StorageWriter.Stock));
                return file;
        }
    }

    public DatabaseOptions Options(StorageWriter writer) =>
        new() { Provider = Provider, ConnectionString = ConnectionString, Writer = writer };

    public async ValueTask DisposeAsync() => await drop();

    private static Task DeleteAsync(string folder)
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
        return Task.CompletedTask;
    }
}
