using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Microsoft.Extensions.Configuration;

namespace Chatterbox.Tests.Storage;

public class SiloSettingsTests
{
    [Fact(DisplayName =
        "[D1] without a setting: one silo on SQLite, in the user's data folder, with group commit and a fallback file")]
    public void Defaults()
    {
        var settings = Read();

        Assert.Equal(DatabaseProvider.Sqlite, settings.Database.Provider);
        Assert.Equal(StorageWriter.GroupCommit, settings.Database.Writer);
        Assert.Contains(Path.Combine("chatterbox", "chatterbox.db"), settings.Database.ConnectionString);
        Assert.True(settings.Database.HasFallback);
        Assert.Equal((11111, 30000), (settings.Silo.Port, settings.Gateway.Port));
    }

    [Theory(DisplayName = "[X2] a wrong setting is refused with its name, its value and what is allowed")]
    [InlineData("Database:Provider", "Oracle", "Sqlite, PostgreSql, SqlServer")]
    [InlineData("Database:Provider", "1", "Sqlite, PostgreSql, SqlServer")]
    [InlineData("Database:Writer", "Fast", "Stock, GroupCommit")]
    [InlineData("Database:BatchRows", "0", "from 1 to 10000")]
    [InlineData("Database:Timeout", "soon", "a duration such as 00:00:30 from 00:00:01 to 00:10:00")]
    [InlineData("Database:Timeout", "01:00:00", "from 00:00:01 to 00:10:00")]
    [InlineData("Database:ConnectionString", "Data Source=:memory:", "a file; an in-memory database")]
    [InlineData("Database:FallbackBytes", "1000", "from 1048576 to 1099511627776")]
    [InlineData("Cluster:Mode", "AdoNet", "Localhost while Chatterbox__Database__Provider is Sqlite")]
    [InlineData("Cluster:ServiceId", "", "1 to 150 characters")]
    [InlineData("Cluster:ProbeTimeout", "00:00:00", "from 00:00:00.100 to 00:01:00")]
    [InlineData("Cluster:MissedProbes", "0", "from 1 to 20")]
    [InlineData("Cluster:Votes", "11", "from 1 to 10")]
    [InlineData("Session:Stores:app-state:QuotaBytes", "0", "a whole number from 1 to 1125899906842624")]
    [InlineData("Silo:Port", "65536", "a whole number from 1 to 65535")]
    [InlineData("Silo:Port", "abc", "a whole number from 1 to 65535")]
    [InlineData("Silo:Address", "nowhere", "an IP address")]
    [InlineData("Gateway:Port", "11111", "a port other than")]
    public void Refuses(string setting, string value, string allowed)
    {
        var refusal = Assert.Throws<SettingsException>(() => Read((setting, value)));

        Assert.Contains($"Chatterbox__{setting.Replace(":", "__", StringComparison.Ordinal)}", refusal.Message);
        Assert.Contains($"'{value}'", refusal.Message);
        Assert.Contains(allowed, refusal.Message);
    }

    [Fact(DisplayName = "[X2] unknown settings are refused, all at once, with the ones that are known")]
    public void Refuses_unknown_settings()
    {
        var refusal = Assert.Throws<SettingsException>(() => Read(("Databse:Provider", "Sqlite"), ("Silo:Prot", "1")));

        Assert.Contains("Chatterbox__Databse is not a setting; known here: Database", refusal.Message);
        Assert.Contains("Chatterbox__Silo__Prot is not a setting; known here: Port", refusal.Message);
    }

    [Fact(DisplayName = "[X2] a connection string with a password is not repeated when it is refused")]
    public void Keeps_secrets()
    {
        var refusal = Assert.Throws<SettingsException>(() => Read(
            ("Database:Provider", "PostgreSql"), ("Database:ConnectionString", "Hst=db;Password=hunter2")));

        Assert.DoesNotContain("hunter2", refusal.Message);
    }

    [Theory(DisplayName = "[X2] an unreadable SQLite connection string is not repeated when it is refused")]
    [InlineData("Sauce=x;Password=hunter2", "a connection string such as 'Data Source=")]
    public void Keeps_secrets_of_sqlite(string value, string allowed)
    {
        var refusal = Assert.Throws<SettingsException>(() => Read(("Database:ConnectionString", value)));

        Assert.Contains(allowed, refusal.Message);
        Assert.DoesNotContain("hunter2", refusal.Message);
    }

    [Fact(DisplayName = "[D1] one silo on SQLite may be reached from other machines")]
    public void One_silo_may_have_any_address() =>
        Assert.False(System.Net.IPAddress.IsLoopback(Read(("Silo:Address", "192.0.2.1")).Silo.Advertised));

    private static SiloSettings Read(params (string Key, string Value)[] settings) => SiloSettings.Read(
        new ConfigurationBuilder()
            .AddInMemoryCollection(
                settings.Select(setting => KeyValuePair.Create($"Chatterbox:{setting.Key}", (string?)setting.Value)))
            .Build());
}
