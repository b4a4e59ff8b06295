using System.Data.Common;
using Chatterbox.Silo.Storage;

namespace Chatterbox.ClusterTests;

/// <summary>The rows behind the silo's back, as a defect, an operator or another silo would change them.</summary>
internal static class StoredRows
{
    /// <param name="key">The grain's, where several have the row.</param>
    public static async Task<byte[]?> ReadAsync(DatabaseOptions database, string row, string? key = null)
    {
        await using var connection = await OpenAsync(database);
        await using var command = Command(connection,
            "SELECT PayloadBinary FROM OrleansStorage WHERE GrainTypeString = @row AND @key IN ('', GrainIdExtensionString)",
            ("@row", row), ("@key", key ?? ""));
        return await command.ExecuteScalarAsync() as byte[];
    }

    public static async Task<IReadOnlyList<string>> NamesAsync(DatabaseOptions database)
    {
        await using var connection = await OpenAsync(database);
        await using var command = Command(connection, "SELECT GrainTypeString FROM OrleansStorage ORDER BY 1");
        await using var reader = await command.ExecuteReaderAsync();
        var names = new List<string>();
        while (await reader.ReadAsync()) names.Add(reader.GetString(0));
        return names;
    }

    /// <summary>Every row that holds something: its name, the grain's key, its length.</summary>
    public static async Task<IReadOnlyList<(string Row, string Key, long Bytes)>> LengthsAsync(DatabaseOptions database)
    {
        await using var connection = await OpenAsync(database);
        var length = database.Provider is DatabaseProvider.SqlServer ? "DATALENGTH" : "length";
        await using var command = Command(connection,
            $"SELECT GrainTypeString, GrainIdExtensionString, {length}(PayloadBinary) "
                + "FROM OrleansStorage WHERE PayloadBinary IS NOT NULL");
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<(string, string, long)>();
        while (await reader.ReadAsync())
        {
            rows.Add((reader.GetString(0), reader.GetString(1), Convert.ToInt64(reader.GetValue(2), null)));
        }
        return rows;
    }

    /// <summary>All there is, as it is.</summary>
    public static async Task<IReadOnlyList<string>> DumpAsync(DatabaseOptions database)
    {
        await using var connection = await OpenAsync(database);
        await using var command = Command(connection,
            "SELECT GrainIdExtensionString, GrainTypeString, Version, PayloadBinary FROM OrleansStorage ORDER BY 1, 2");
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add($"{reader[0]} {reader[1]} {reader[2]} {(reader[3] is byte[] bytes ? Convert.ToHexStringLower(bytes) : "")}");
        }
        return rows;
    }

    /// <param name="key">The session's, where several have the row.</param>
    public static async Task OverwriteAsync(DatabaseOptions database, string row, byte[] bytes, string? key = null)
    {
        await using var connection = await OpenAsync(database);
        await using var command = Command(connection,
            "UPDATE OrleansStorage SET PayloadBinary = @bytes, Version = Version + 1 WHERE GrainTypeString = @row AND (@key = '' "
            + "OR GrainIdExtensionString = @key)",
            ("@row", row), ("@bytes", bytes), ("@key", key ?? ""));
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }

    private static DbCommand Command(DbConnection connection, string sql, params (string Name, object Value)[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            command.Parameters.Add(parameter);
        }
        return command;
    }

    private static async Task<DbConnection> OpenAsync(DatabaseOptions database)
    {
        var connection = DatabaseDialect.Of(database.Provider).Connect(database.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }
}
