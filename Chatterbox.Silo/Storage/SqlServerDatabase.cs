using System.Globalization;
using Microsoft.Data.SqlClient;

namespace Chatterbox.Silo.Storage;

/// <summary>What the migration does to a SQL Server before there is a schema, each over a connection of its own.</summary>
internal static class SqlServerDatabase
{
    private const int Tries = 20;

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CreationTimeout = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Opens a connection outside the pool, and tries once. The pool remembers that a database is missing, and the driver waits
    /// ten
    /// seconds before it looks again.
    /// </summary>
    public static SqlConnection Open(string connectionString, string? database = null)
    {
        var builder = new SqlConnectionStringBuilder(connectionString) { Pooling = false, ConnectRetryCount = 0 };
        builder.InitialCatalog = database ?? builder.InitialCatalog;
        var connection = new SqlConnection(builder.ConnectionString);
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Creates the database, or waits until another program has. Returns once it can be opened.</summary>
    public static void Create(string connectionString)
    {
        var name = new SqlConnectionStringBuilder(connectionString).InitialCatalog;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                CreateOnce(connectionString, name);
                Open(connectionString).Dispose();
                break;
            }
            catch (SqlException e) when (attempt < Tries && e.Number
                is SqlServerErrors.NoSuchDatabase or SqlServerErrors.UnknownDatabase or SqlServerErrors.DatabaseExists
                    or SqlServerErrors.TemplateInUse)
            {
                Task.Delay(Random.Shared.NextDouble() * LongestPause, TimeProvider.System).Wait();
            }
        }
        // What the pool remembers of the time before.
        using var pooled = new SqlConnection(connectionString);
        SqlConnection.ClearPool(pooled);
    }

    /// <summary>The statement with which reads see the last committed version of a row instead of waiting for the next.</summary>
    public static string EnableSnapshots(string database) => $"ALTER DATABASE {Quote(database)} SET READ_COMMITTED_SNAPSHOT ON";

    /// <summary>Takes a lock that ends with the connection.</summary>
    /// <exception cref="SqlException">Others have held it for longer than the timeout.</exception>
    public static void Lock(SqlConnection connection, string resource, TimeSpan timeout)
    {
        using var command = connection.CreateCommand();
        command.CommandText = string.Create(CultureInfo.InvariantCulture,
            $"""
            DECLARE @result INT;
            EXEC @result = sp_getapplock @Resource = @name, @LockMode = 'Exclusive', @LockOwner = 'Session',
              @LockTimeout = {(int)timeout.TotalMilliseconds};
            IF @result < 0 THROW 50000, 'Another migration is taking too long.', 1;
            """);
        command.CommandTimeout = (int)(timeout + TimeSpan.FromSeconds(10)).TotalSeconds;
        command.Parameters.AddWithValue("@name", resource);
        command.ExecuteNonQuery();
    }

    private static void CreateOnce(string connectionString, string name)
    {
        using var master = Open(connectionString, "master");
        // Others wait here, so that nobody opens the database before its options are set.
        Lock(master, "chatterbox creation", CreationTimeout);
        using var command = master.CreateCommand();
        command.CommandTimeout = (int)CreationTimeout.TotalSeconds;
        command.CommandText = "SELECT DB_ID(@name)";
        command.Parameters.AddWithValue("@name", name);
        if (command.ExecuteScalar() is not (null or DBNull))
            return;
        command.Parameters.Clear();
        command.CommandText = $"CREATE DATABASE {Quote(name)}";
        command.ExecuteNonQuery();
        try
        {
            command.CommandText = EnableSnapshots(name) + " WITH NO_WAIT";
            command.ExecuteNonQuery();
        }
        catch (SqlException)
        {
            // Somebody has opened it all the same. It works without, and a silo says so when it starts.
        }
    }

    private static string Quote(string name) => $"[{name.Replace("]", "]]", StringComparison.Ordinal)}]";
}
