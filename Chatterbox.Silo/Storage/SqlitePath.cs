using Chatterbox.Silo.Settings;
using Microsoft.Data.Sqlite;

namespace Chatterbox.Silo.Storage;

/// <summary>
/// Which file a data source names: a path, absolute or relative to the working folder; <c>~/…</c> in the user's home folder; or a
/// <c>file:</c> URI. All spellings of one file give one path, symbolic links included.
/// </summary>
internal static class SqlitePath
{
    /// <exception cref="SettingsException">It names no file on disk, or one that is only to be read.</exception>
    public static string Of(SqliteConnectionStringBuilder connection)
    {
        var source = connection.DataSource;
        if (connection.Mode is SqliteOpenMode.Memory || source.StartsWith(':')
            || source.Contains("mode=memory", StringComparison.OrdinalIgnoreCase))
            throw Refused("a file; an in-memory database loses everything when the silo stops");
        if (connection.Mode is SqliteOpenMode.ReadOnly)
            throw Refused("a file that can be written; Mode=ReadOnly cannot");
        if (source.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
            source = OfUri(source);
        else if (source is "~" || source.StartsWith("~/", StringComparison.Ordinal))
            source = Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), source[1..]);
        else if (source.StartsWith('~'))
            throw Refused("an absolute path, or ~/… for a file in this user's home folder");
        if (Directory.Exists(source) || source.EndsWith(Path.DirectorySeparatorChar))
            throw Refused("a file; this is a folder");
        return WithoutLinks(Path.GetFullPath(source));

        string OfUri(string uri)
        {
            if (uri.Contains('?', StringComparison.Ordinal) || uri.Contains('#', StringComparison.Ordinal))
                throw Refused("a file: URI without parameters");
            var path = uri["file:".Length..];
            if (path.StartsWith("//", StringComparison.Ordinal))
            {
                var host = path.IndexOf('/', 2) is >= 0 and var end ? path[2..end] : path[2..];
                if (host is not ("" or "localhost"))
                    throw Refused("a file: URI without a host, such as file:///var/lib/chatterbox.db");
                path = path[(2 + host.Length)..];
            }
            if (path is "")
                throw Refused("a file: URI with a path, such as file:///var/lib/chatterbox.db");
            return Uri.UnescapeDataString(path);
        }

        SettingsException Refused(string allowed) => SettingsException.For(
            DatabaseOptions.ConnectionStringSetting, $"Data Source={connection.DataSource}", allowed);
    }

    /// <summary>The path with every symbolic link on it followed; what does not exist yet stays as it is.</summary>
    private static string WithoutLinks(string path)
    {
        const int MostLinks = 40;
        var root = Path.GetPathRoot(path)!;
        var rest = new Stack<string>(Parts(path, root));
        var real = root;
        for (var links = 0; rest.TryPop(out var part);)
        {
            var next = part is ".." ? Path.GetDirectoryName(real) ?? root : Path.Join(real, part);
            if (new FileInfo(next).LinkTarget is not { } target || links++ > MostLinks)
            {
                real = next;
                continue;
            }
            if (Path.IsPathRooted(target))
                real = root = Path.GetPathRoot(target)!;
            foreach (var step in Parts(target, Path.IsPathRooted(target) ? root : ""))
                rest.Push(step);
        }
        return real;

        static IEnumerable<string> Parts(string of, string root) => of[root.Length..]
            .Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Where(part => part is not ".").Reverse();
    }
}
