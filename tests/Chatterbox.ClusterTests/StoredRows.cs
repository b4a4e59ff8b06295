using Microsoft.Data.Sqlite;

namespace Chatterbox.ClusterTests;

/// <summary>The rows behind the silo's back, as a defect, an operator or another silo would change them.</summary>
internal static class StoredRows
{
    public static async Task<byte[]?> ReadAsync(string file, string row)
    {
        await using var connection = await OpenAsync(file);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT PayloadBinary FROM OrleansStorage WHERE GrainTypeString = $row";
        command.Parameters.AddWithValue("$row", row);
        return await command.ExecuteScalarAsync() as byte[];
    }

    public static async Task<IReadOnlyList<string>> NamesAsync(string file)
    {
        await using var connection = await OpenAsync(file);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT GrainTypeString FROM OrleansStorage ORDER BY 1";
        await using var reader = await command.ExecuteReaderAsync();
        var names = new List<string>();
        while (await reader.ReadAsync()) names.Add(reader.GetString(0));
        return names;
    }

    public static async Task OverwriteAsync(string file, string row, byte[] bytes)
    {
        await using var connection = await OpenAsync(file);
        await using var command = connection.CreateCommand();
        command.CommandText = "UPDATE OrleansStorage SET PayloadBinary = $bytes, Version = Version + 1 WHERE GrainTypeString = $row";
        command.Parameters.AddWithValue("$row", row);
        command.Parameters.AddWithValue("$bytes", bytes);
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }

    private static async Task<SqliteConnection> OpenAsync(string file)
    {
        var connection = new SqliteConnection($"Data Source={file}");
        await connection.OpenAsync();
        return connection;
    }
}
