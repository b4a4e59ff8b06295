using Chatterbox.Silo.Settings;

namespace Chatterbox.Silo.Storage;

public enum DatabaseProvider
{
    Sqlite,
    PostgreSql,
    SqlServer,
}

/// <summary>Which grain storage writes the rows. Both keep the same tables, hashes and etags.</summary>
public enum StorageWriter
{
    /// <summary>Orleans' own ADO.NET provider: one round trip for each row.</summary>
    Stock,
}

/// <summary><c>Chatterbox__Database__…</c></summary>
public sealed class DatabaseOptions
{
    internal const string ConnectionStringSetting = "Chatterbox:Database:ConnectionString";

    /// <summary>Default <see cref="DatabaseProvider.Sqlite"/>, which needs no set-up and serves one silo.</summary>
    public DatabaseProvider Provider { get; set; }

    /// <summary>
    /// In the provider's own words. SQLite may leave it out: the file is then <c>chatterbox/chatterbox.db</c> in the user's
    /// local application data folder.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>Default <see cref="StorageWriter.Stock"/>.</summary>
    public StorageWriter Writer { get; set; }

    /// <summary>Fills in what was left out, and refuses what cannot be a connection string of this provider.</summary>
    /// <exception cref="SettingsException"/>
    internal DatabaseOptions Resolve()
    {
        ConnectionString = DatabaseDialect.Of(Provider).Resolve(ConnectionString);
        return this;
    }
}
