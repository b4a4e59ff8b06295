using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Microsoft.Data.Sqlite;

namespace Chatterbox.Tests.Storage;

public sealed class SqlitePathTests : IDisposable
{
    private readonly string folder = SqlitePath.Of(new()
    {
        DataSource = System.IO.Path.Combine(Directory.CreateTempSubdirectory("chatterbox-").FullName, "x"),
    })[..^2];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact(DisplayName = "[D1] every spelling of one SQLite file gives one path")]
    public void Spellings_of_one_file()
    {
        var file = System.IO.Path.Combine(folder, "data", "a b.db");
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        File.WriteAllText(file, "");
        Directory.CreateSymbolicLink(System.IO.Path.Combine(folder, "linked"), System.IO.Path.Combine(folder, "data"));
        File.CreateSymbolicLink(System.IO.Path.Combine(folder, "link.db"), "linked/../data/a b.db");

        foreach (var source in new[]
        {
            file, System.IO.Path.Combine(folder, "data", ".", "a b.db"),
            System.IO.Path.Combine(folder, "x", "..", "data", "a b.db"),
            System.IO.Path.GetRelativePath(Environment.CurrentDirectory, file),
            System.IO.Path.Combine(folder, "linked", "a b.db"), System.IO.Path.Combine(folder, "link.db"),
            $"file:{file}", $"file://{file}", $"file://localhost{file}",
            $"file:{file.Replace(" ", "%20", StringComparison.Ordinal)}",
        })
            Assert.Equal(file, Path(source));
        Assert.Equal(Path(System.IO.Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "c.db")),
            Path("~/c.db"));
    }

    [Theory(DisplayName = "[D1] a data source that names no writable file is refused by name")]
    [InlineData(":memory:", "an in-memory database loses everything")]
    [InlineData("file::memory:?cache=shared&mode=memory", "an in-memory database loses everything")]
    [InlineData("file:x?mode=memory", "an in-memory database loses everything")]
    [InlineData("file:x.db?cache=private", "a file: URI without parameters")]
    [InlineData("file://server/x.db", "a file: URI without a host")]
    [InlineData("file:", "a file: URI with a path")]
    [InlineData("~other/x.db", "an absolute path")]
    [InlineData("/", "this is a folder")]
    public void Refuses(string source, string allowed)
    {
        var refusal = Assert.Throws<SettingsException>(() => Path(source));
        Assert.Contains(allowed, refusal.Message);
        Assert.Contains(source, refusal.Message);
    }

    [Fact(DisplayName = "[D1] Mode=Memory and Mode=ReadOnly are refused")]
    public void Refuses_modes()
    {
        foreach (var mode in new[] { SqliteOpenMode.Memory, SqliteOpenMode.ReadOnly })
            Assert.Throws<SettingsException>(() => SqlitePath.Of(new() { DataSource = "x.db", Mode = mode }));
    }

    [Fact(DisplayName = "[D1] one SQLite file is locked once, whatever it is called, until it is released")]
    public void One_lock_per_file()
    {
        var file = System.IO.Path.Combine(folder, "a.db");
        File.WriteAllText(file, "");
        File.CreateSymbolicLink(System.IO.Path.Combine(folder, "b.db"), file);
        using (SqliteFileLock.Take(Path(file)))
        {
            var refusal =
                Assert.Throws<SettingsException>(() => SqliteFileLock.Take(Path(System.IO.Path.Combine(folder, "b.db"))));
            Assert.Contains($"process {Environment.ProcessId} on {Environment.MachineName}", refusal.Message);
        }
        SqliteFileLock.Take(Path(file)).Dispose();
    }

    private static string Path(string source) => SqlitePath.Of(new() { DataSource = source });
}
