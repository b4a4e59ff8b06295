using System.Security.Authentication;
using Chatterbox.Silo.Settings;
using Microsoft.Data.SqlClient;

namespace Chatterbox.Silo.Storage;

/// <summary>The errors that an operator can do something about before a silo runs, in his words.</summary>
internal static class SqlServerErrors
{
    public const int NoSuchDatabase = 4060;

    /// <summary>The same, as other servers that speak TDS say it.</summary>
    public const int UnknownDatabase = 911;

    public const int DatabaseExists = 1801;

    /// <summary>Another database is being created at this moment: the two need the same template.</summary>
    public const int TemplateInUse = 1807;

    private const int MayNotCreate = 262;

    public static SettingsException Refusal(SqlException failure, string database, bool isMigration) =>
        SettingsException.For(DatabaseOptions.ConnectionStringSetting, database,
            $"a SQL Server and database that can be reached and used ({Reason(failure)}{Hint(failure, isMigration)})", failure);

    /// <summary>The driver's own message often says no more than that an error occurred; the cause is the innermost.</summary>
    internal static string Reason(SqlException failure)
    {
        Exception cause = failure;
        while (cause.InnerException is { } inner) cause = inner;
        return cause == failure || failure.Message.Contains(cause.Message, StringComparison.Ordinal)
            ? failure.Message
            : $"{failure.Message} {cause.Message}";
    }

    private static string Hint(SqlException failure, bool isMigration)
    {
        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
            if (cause is AuthenticationException)
                return " The server's certificate is not trusted: have this machine trust it, or, on a network that is, "
                    + "set TrustServerCertificate=True or Encrypt=Optional in the connection string.";
        return failure.Number switch
        {
            NoSuchDatabase or UnknownDatabase when isMigration =>
                " The database exists, but this login has no user in it: run CREATE USER there.",
            NoSuchDatabase or UnknownDatabase =>
                $" Run 'Chatterbox.Silo {DatabaseSchema.MigrateArgument}' with the same settings to create the database; "
                + "if it exists, give this login a user in it.",
            MayNotCreate =>
                $" Have it created by somebody who may (CREATE DATABASE, and READ_COMMITTED_SNAPSHOT ON), give this login a user "
                + $"in it, and run 'Chatterbox.Silo {DatabaseSchema.MigrateArgument}' again.",
            229 or 230 => " Rights that a silo needs: SELECT, INSERT, UPDATE and DELETE on the tables, "
                + "EXECUTE on the type ChatterboxStorageRows.",
            207 or 208 or 2715 =>
                " The objects that this login finds are not those of this program: look at its default schema, and at "
                + "its rights: EXECUTE on the type ChatterboxStorageRows, SELECT on the tables.",
            _ => "",
        };
    }
}
