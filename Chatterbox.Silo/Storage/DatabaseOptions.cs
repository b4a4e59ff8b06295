using System.ComponentModel.DataAnnotations;
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

    /// <summary>What all grains of the silo have due goes as one batch in one transaction.</summary>
    GroupCommit,
}

/// <summary><c>Chatterbox__Database__…</c></summary>
public sealed class DatabaseOptions
{
    private const string NoFallback = "none";

    internal const long DefaultFallbackBytes = 1L << 30;
    internal const long MinFallbackBytes = 1L << 20;
    internal const long MaxFallbackBytes = 1L << 40;

    internal const string ConnectionStringSetting = "Chatterbox:Database:ConnectionString";

    /// <summary>Default <see cref="DatabaseProvider.Sqlite"/>, which needs no set-up and serves one silo.</summary>
    public DatabaseProvider Provider { get; set; }

    /// <summary>
    /// In the provider's own words. SQLite: <c>Data Source=</c> and a path, <c>~/…</c> or a <c>file:</c> URI; left out, the file
    /// is
    /// <c>chatterbox/chatterbox.db</c> in the user's local application data folder.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>Default <see cref="StorageWriter.GroupCommit"/>.</summary>
    public StorageWriter Writer { get; set; } = StorageWriter.GroupCommit;

    /// <summary>Group commit: the most rows in one transaction. Default 512; 1 to 10,000.</summary>
    [Range(1, 10_000)]
    public int BatchRows { get; set; } = 512;

    /// <summary>Group commit: a batch takes no further row once it holds this many bytes. Default 8 MiB; 1 to 1 GiB.</summary>
    [Range(1, 1 << 30)]
    public int BatchBytes { get; set; } = 8 << 20;

    /// <summary>Group commit: rows that may wait before a writer has to wait for room. Default 10,000; 1 to 1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int QueueRows { get; set; } = 10_000;

    /// <summary>Group commit: how long the database may take for a batch. Default 10 seconds; 1 second to 10 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The local file that keeps unsaved rows while the database is unavailable. Default <c>chatterbox/fallback-&lt;silo
    /// port&gt;.db</c> in the user's
    /// local application data folder; <c>none</c> turns it off. Each silo needs a file of its own.
    /// </summary>
    public string Fallback { get; set; } = "";

    /// <summary>
    /// How large <see cref="Fallback"/> may become, in bytes. A row that does not fit is not kept, which health, log and metrics
    /// say;
    /// those in the file stay, and the database takes the row once it is available. Room of rows that were replayed is used
    /// again, but the
    /// file does not shrink. Its log beside it (<c>-wal</c>) comes on top: as large as the largest row, and 4 MiB.
    /// Default 1 GiB; 1 MiB to 1 TiB. A file that is larger already keeps its size.
    /// </summary>
    [Range((double)MinFallbackBytes, (double)MaxFallbackBytes)]
    public long FallbackBytes { get; set; } = DefaultFallbackBytes;

    internal bool HasFallback => Fallback is not ("" or NoFallback);

    /// <summary>A test's storage has no fallback unless it asks for one; a silo's has.</summary>
    internal void ResolveFallback(int siloPort)
    {
        if (Fallback == "")
            Fallback = Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData,
                    Environment.SpecialFolderOption.DoNotVerify),
                "chatterbox", $"fallback-{siloPort}.db");
    }

    /// <summary>Fills in what was left out, and refuses what cannot be a connection string of this provider.</summary>
    /// <exception cref="SettingsException"/>
    internal DatabaseOptions Resolve()
    {
        ConnectionString = DatabaseDialect.Of(Provider).Resolve(ConnectionString, Timeout);
        return this;
    }
}
