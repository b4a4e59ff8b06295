using System.Data.Common;
using Chatterbox.Silo.Settings;
using DbUp.Builder;

namespace Chatterbox.Silo.Storage;

/// <summary>What differs between the databases, apart from their SQL, which is in <c>Sql/</c>, a file for each.</summary>
internal abstract class DatabaseDialect
{
    public static DatabaseDialect Of(DatabaseProvider provider) => provider switch
    {
        DatabaseProvider.Sqlite => new SqliteDialect(),
        _ => throw SettingsException.For("Chatterbox:Database:Provider", $"{provider}", "Sqlite"),
    };

    /// <summary>The start of the name of this dialect's scripts.</summary>
    public abstract string ScriptPrefix { get; }

    /// <summary>Orleans' name for the driver.</summary>
    public abstract string Invariant { get; }

    /// <summary>True where a silo brings the schema up to date by itself, since no other silo can be using it.</summary>
    public abstract bool MigratesAtStart { get; }

    /// <summary>A complete connection string, without touching the database.</summary>
    public abstract string Resolve(string connectionString);

    /// <summary>Where the data is, for people: no secrets.</summary>
    public abstract string Describe(string connectionString);

    public abstract DbConnection Connect(string connectionString);

    public abstract UpgradeEngineBuilder Upgrade(string connectionString);

    /// <summary>Makes sure that the database is there and takes writes.</summary>
    public abstract void Prepare(string connectionString);
}
