using System.Globalization;
using Chatterbox.Silo.Settings;

namespace Chatterbox.Silo.Storage;

/// <summary>
/// One process per SQLite file: <c>&lt;database&gt;.lock</c>, locked by the operating system, which releases it when the process
/// ends,
/// however it ends. The file itself stays. Beside it, <c>.lock.owner</c> says which process has it.
/// </summary>
internal sealed class SqliteFileLock : IDisposable
{
    private readonly FileStream _locked;

    private SqliteFileLock(FileStream locked) => _locked = locked;

    /// <param name="path">Without links, so that all spellings of a file share a lock: see <see cref="SqlitePath"/>.</param>
    /// <exception cref="SettingsException">Another process has the file.</exception>
    public static SqliteFileLock Take(string path)
    {
        var name = path + ".lock";
        FileStream locked;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            locked = new FileStream(name, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw SettingsException.For(DatabaseOptions.ConnectionStringSetting, path,
                $"a SQLite file in a folder that this user can write to ({e.Message})", e);
        }
        catch (IOException e)
        {
            throw SettingsException.For(DatabaseOptions.ConnectionStringSetting, path,
                $"a SQLite file that no other process uses: {Owner(name)} ({e.Message})", e);
        }
        Try(() => File.WriteAllText(OwnerOf(name),
            string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId} on {Environment.MachineName}")));
        return new(locked);
    }

    public void Dispose()
    {
        Try(() => File.Delete(OwnerOf(_locked.Name)));
        _locked.Dispose();
    }

    private static string OwnerOf(string name) => name + ".owner";

    private static string Owner(string name)
    {
        var owner = "";
        Try(() => owner = File.ReadAllText(OwnerOf(name)));
        return owner is "" ? $"{name} is locked" : $"process {owner} has locked {name}";
    }

    // The name of the owner is for people; the lock works without it.
    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
