using System.Globalization;
using Microsoft.Data.SqlClient;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>
/// The SQL Server that the environment names, with databases of the tests' own on it. The login has to be allowed to create them.
/// </summary>
public static class SqlServerInstance
{
    public const string Variable = "CHATTERBOX_TEST_SQLSERVER";

    private static int _databases;

    /// <summary>Why there is none here; null if there is.</summary>
    public static string? Missing { get; } =
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable))
            ? $"{Variable} holds no connection string of a SQL Server"
            : null;

    /// <summary>Names of databases that do not exist yet.</summary>
    public static string NewName() =>
        string.Create(CultureInfo.InvariantCulture,
            $"chatterbox_test_{Environment.ProcessId}_{Interlocked.Increment(ref _databases)}");

    public static string ConnectionString(string database, int? port = null)
    {
        var builder = new SqlConnectionStringBuilder(Environment.GetEnvironmentVariable(Variable)) { InitialCatalog = database };
        if (port is not null) builder.DataSource = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1,{port}");
        return builder.ConnectionString;
    }

    /// <summary>What stands between the server and a silo.</summary>
    public static TcpProxy StartProxy()
    {
        var source = new SqlConnectionStringBuilder(Environment.GetEnvironmentVariable(Variable)).DataSource.Split(',');
        var port = source.Length > 1 ? int.Parse(source[1], CultureInfo.InvariantCulture) : 1433;
        return new TcpProxy(port, source[0].Replace("tcp:", "", StringComparison.Ordinal));
    }

    public static async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = await OpenAsync(database);
        await using var command = new SqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public static async Task<object?> QueryAsync(string database, string sql)
    {
        await using var connection = await OpenAsync(database);
        await using var command = new SqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Waits for connections that are still being closed.</summary>
    public static async Task DropAsync(string database)
    {
        for (var attempt = 1; ; attempt++)
        {
            SqlConnection.ClearAllPools();
            try
            {
                await ExecuteAsync("master", $"IF DB_ID('{database}') IS NOT NULL DROP DATABASE [{database}]");
                return;
            }
            catch (SqlException) when (attempt < 100)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
            }
        }
    }

    private static async Task<SqlConnection> OpenAsync(string database)
    {
        var connection = new SqlConnection(ConnectionString(database) + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }
}
