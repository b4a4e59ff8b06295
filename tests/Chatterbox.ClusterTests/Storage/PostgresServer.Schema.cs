using Chatterbox.Silo.Storage;
using Npgsql;

namespace Chatterbox.ClusterTests.Storage;

public sealed partial class PostgresServer
{
    private readonly Lock creating = new();
    private Task<string>? template;

    /// <summary>A database with the schema in it.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        Task<string> prepared;
        // Copying a template is far faster than running the scripts for every test.
        lock (creating) prepared = template ??= Task.Run(CreateTemplate);
        return await CreateEmptyDatabaseAsync(await prepared);
    }

    private string CreateTemplate()
    {
        const string Name = "template_chatterbox";
        var connectionString = ConnectionString(Name);
        DatabaseSchema.Migrate(new DatabaseOptions
        {
            Provider = DatabaseProvider.PostgreSql, ConnectionString = connectionString,
        });
        // A template with connections to it cannot be copied.
        NpgsqlConnection.ClearAllPools();
        return Name;
    }
}
