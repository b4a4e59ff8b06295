using System.Data.Common;

namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>
/// For which rows a frame is: the id that is stored in the database, and the service id, which is part of each row's key.
/// </summary>
internal sealed record FallbackOwner(string Database, string Service)
{
    /// <summary>Asks the database. A restored backup has the id of the database it was taken from, and so has a clone.</summary>
    /// <exception cref="DbException">The database is unavailable, or its schema has no id.</exception>
    public static Task<FallbackOwner> ReadAsync(DatabaseOptions options, string service) => Task.Run(async () =>
    {
        // On the pool: SQLite's driver is synchronous.
        await using var connection = DatabaseDialect.Of(options.Provider).Connect(options.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT Id FROM ChatterboxDatabase";
        command.CommandTimeout = (int)Math.Ceiling(options.Timeout.TotalSeconds);
        var id = await command.ExecuteScalarAsync() as string;
        return new FallbackOwner(id ?? throw new InvalidOperationException("ChatterboxDatabase holds no id."), service);
    });
}
