using System.Globalization;
using Chatterbox.Silo.Settings;
using DbUp;
using Npgsql;

namespace Chatterbox.Silo.Storage;

/// <summary>
/// What has to be right about a PostgreSQL database before a silo uses it, each with a message that says what to change.
/// </summary>
internal static class PostgreSqlDatabase
{
    /// <summary>The migrations that have run, in the schema in use.</summary>
    public const string Journal = "chatterboxschema";

    private const string Tables = "orleansstorage, orleansquery, orleansmembershiptable, orleansmembershipversiontable";

    /// <summary>Creates the database, and the schema that the connection string names first, where they are missing.</summary>
    public static void Create(string connectionString)
    {
        try
        {
            using var connection = Open(connectionString);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidCatalogName)
        {
            CreateDatabase(connectionString);
        }
        using var created = Open(connectionString);
        if (Ask(created, "SELECT current_schema()") is null && FirstSchema(created) is { } schema)
            Ask(created, $"CREATE SCHEMA IF NOT EXISTS {new NpgsqlCommandBuilder().QuoteIdentifier(schema)}");
    }

    /// <exception cref="SettingsException">The database cannot hold what a silo stores.</exception>
    public static void Check(string connectionString, bool create)
    {
        using var connection = Open(connectionString);
        if (Ask(connection, "SHOW server_encoding") is string encoding and not "UTF8")
            throw new SettingsException(
                $"The database {connection.Database} has the encoding {encoding}; it must be UTF8, since ids and texts "
                + "are Unicode: create one with ENCODING 'UTF8' TEMPLATE template0.");
        if (Ask(connection, "SELECT current_schema()") is null)
            throw new SettingsException(
                $"The search path '{Ask(connection, "SHOW search_path")}' of the connection string names no schema that "
                + $"exists: create it, or run 'Chatterbox.Silo {DatabaseSchema.MigrateArgument}', which does.");
        if (create) return;
        // Read before the tables are looked at.
        if (Ask(connection, $"SELECT to_regclass('{Journal}')::text") is not null)
            RequireRight(connection, "SELECT", Journal);
        RefusePooler(connectionString, connection);
    }

    /// <summary>Whether group commit's own connection gets its settings, finds the tables and may use them.</summary>
    public static void CheckAccess(string connectionString, TimeSpan timeout)
    {
        using var connection = Open(PostgreSqlConnection.ForGroupCommit(connectionString, timeout));
        if (Ask(connection, "SHOW enable_seqscan") is not "off")
            throw new SettingsException(
                "The server does not take the settings of the connection (Options): a pooler in between ignores them. "
                + "Connect to PostgreSQL itself.");
        foreach (var table in Tables.Split(", "))
        {
            if (Ask(connection, $"SELECT to_regclass('{table}')::text") is null)
                throw new SettingsException(
                    $"The table {table} is not in the search path '{Ask(connection, "SHOW search_path")}'.");
            foreach (var right in (string[])["SELECT", "INSERT", "UPDATE", "DELETE"])
            {
                if (table == "orleansquery" && right != "SELECT") continue;
                RequireRight(connection, right, table);
            }
        }
        if (Ask(connection, "SHOW transaction_read_only") is "on")
            throw new SettingsException(
                "The database is read-only: connect to the primary (Target Session Attributes=read-write).");
    }

    /// <summary>The schema in which unqualified names are created, where the tables and their journal are.</summary>
    public static string SchemaInUse(string connectionString)
    {
        using var connection = Open(connectionString);
        return Ask(connection, "SELECT current_schema()") as string ?? "public";
    }

    public static string Hint(Exception failure) => failure switch
    {
        PostgresException { SqlState: PostgresErrorCodes.ProtocolViolation } e when e.MessageText.Contains("startup parameter",
            StringComparison.Ordinal) =>
            " A pooler such as PgBouncer is in between: connect to PostgreSQL itself.",
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } =>
            " Have an owner of the database grant the right.",
        PostgresException { SqlState: PostgresErrorCodes.TooManyConnections } =>
            " Each silo has up to five connections for its storage, and some more for clustering and health.",
        _ => "",
    };

    /// <summary>
    /// With a pooler that changes servers between transactions, settings and prepared statements of one client turn up at
    /// another. A
    /// setting that one connection leaves behind and another finds tells.
    /// </summary>
    private static void RefusePooler(string connectionString, NpgsqlConnection first)
    {
        var mark = Guid.NewGuid().ToString("N");
        Ask(first, $"SELECT set_config('chatterbox.probe', '{mark}', false)");
        using var second = Open(connectionString);
        var seen = Ask(second, "SELECT current_setting('chatterbox.probe', true)") as string;
        if (seen == mark || Ask(first, "SELECT current_setting('chatterbox.probe', true)") as string != mark)
            throw new SettingsException(
                "A pooler in transaction mode is between this silo and PostgreSQL, and hands one connection's settings and "
                + "prepared statements to another: connect to PostgreSQL itself, or set the pooler's pool_mode to session.");
    }

    private static void RequireRight(NpgsqlConnection connection, string right, string table)
    {
        if (Ask(connection, $"SELECT has_table_privilege('{table}', '{right}')") is true) return;
        // Not the user of the connection string: it may leave that out.
        var user = Ask(connection, "SELECT quote_ident(current_user)");
        throw new SettingsException($"The user {user} has no right to {right} on {table}: "
            + $"GRANT {(table == Journal ? "SELECT" : "SELECT, INSERT, UPDATE, DELETE")} ON {table} TO {user}.");
    }

    private static void CreateDatabase(string connectionString)
    {
        try
        {
            EnsureDatabase.For.PostgresqlDatabase(connectionString, new DbUp.Engine.Output.NoOpUpgradeLog());
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DuplicateDatabase
            or PostgresErrorCodes.UniqueViolation)
        {
            // Another program, starting at the same time, was faster.
        }
    }

    private static string? FirstSchema(NpgsqlConnection connection) =>
        Ask(connection, "SHOW search_path") is string path && path.Split(',')[0].Trim().Trim('"') is { Length: > 0 } first
            && first != "$user"
            ? first
            : null;

    private static NpgsqlConnection Open(string connectionString)
    {
        // Not pooled: what is asked here must not linger on a connection that others use.
        var connection =
            new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
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

    private static object? Ask(NpgsqlConnection connection, string question)
    {
        using var command = new NpgsqlCommand(question, connection);
        return command.ExecuteScalar() switch
        {
            DBNull => null,
            IConvertible answer and not (string or bool) => Convert.ToString(answer, CultureInfo.InvariantCulture),
            var answer => answer,
        };
    }
}
