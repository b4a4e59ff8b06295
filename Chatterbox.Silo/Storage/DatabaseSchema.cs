using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage.Fallback;
using DbUp.Engine;

namespace Chatterbox.Silo.Storage;

/// <summary>
/// Brings the tables to the version this program knows. The scripts are embedded (<c>Sql/</c>): <c>Sqlite.sql</c> is version 1,
/// a later change is <c>Sqlite.2.sql</c> and so on; a released script is never edited, since databases out there have run it.
/// </summary>
public static class DatabaseSchema
{
    /// <summary>Makes the silo's program bring the schema up to date and end, instead of starting a silo.</summary>
    public const string MigrateArgument = "--migrate-database";

    /// <summary>Creates or upgrades the tables. Does nothing when they are up to date; never touches a newer schema.</summary>
    /// <exception cref="SettingsException">The database cannot be reached or written, or its schema is newer.</exception>
    public static void Migrate(DatabaseOptions options)
    {
        var (dialect, engine) = Open(options, create: true);
        using var turn = dialect.AcquireMigrationLock(options.ConnectionString);
        RefuseNewer(dialect, engine);
        var result = engine.PerformUpgrade();
        if (!result.Successful)
            throw new SettingsException($"The database could not be brought up to date: script {result.ErrorScript?.Name}: "
                + result.Error.Message, result.Error);
    }

    /// <summary>
    /// What a silo does before it starts: SQLite is migrated, elsewhere the schema has to be the one this program knows.
    /// </summary>
    internal static void Ensure(DatabaseOptions options)
    {
        if (options.HasFallback)
            FallbackFile.EnsureWritable(options.Fallback);
        if (DatabaseDialect.Of(options.Provider).MigratesAtStart)
        {
            Migrate(options);
            return;
        }
        var (dialect, engine) = Open(options, create: false);
        RefuseNewer(dialect, engine);
        if (engine.IsUpgradeRequired())
            throw new SettingsException(
                $"The database schema is older than this program: run 'Chatterbox.Silo {MigrateArgument}' "
                + "with the same settings first. Missing: "
                + string.Join(", ", engine.GetScriptsToExecute().Select(script => script.Name)) + ".");
        dialect.CheckAccess(options);
    }

    /// <summary>See <see cref="DatabaseDialect.Warnings"/>.</summary>
    internal static IReadOnlyList<string> Warnings(DatabaseOptions options) =>
        DatabaseDialect.Of(options.Provider).Warnings(options.Resolve().ConnectionString);

    private static (DatabaseDialect, UpgradeEngine) Open(DatabaseOptions options, bool create)
    {
        var dialect = DatabaseDialect.Of(options.Provider);
        var connectionString = options.Resolve().ConnectionString;
        dialect.Prepare(connectionString, create);
        var engine = dialect.Upgrade(connectionString)
            .WithScripts(Scripts(dialect))
            .WithTransaction()
            // '$' is SQL here, not the start of a variable.
            .WithVariablesDisabled()
            .LogToNowhere()
            .Build();
        return (dialect, engine);
    }

    private static void RefuseNewer(DatabaseDialect dialect, UpgradeEngine engine)
    {
        var unknown = engine.GetExecutedButNotDiscoveredScripts();
        if (unknown.Count > 0)
            throw new SettingsException(
                $"The {dialect.ScriptPrefix} schema is newer than this program ({string.Join(", ", unknown)}): "
                + "start the Chatterbox.Silo that made it, or a later one.");
    }

    private static IEnumerable<SqlScript> Scripts(DatabaseDialect dialect) =>
        SqlText.Versions(dialect.ScriptPrefix).Select(script => new SqlScript(script.Name, script.Text));
}
