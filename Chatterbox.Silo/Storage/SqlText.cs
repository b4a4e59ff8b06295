using System.Globalization;

namespace Chatterbox.Silo.Storage;

/// <summary>The SQL that is embedded in this assembly.</summary>
internal static class SqlText
{
    private const string Folder = "Chatterbox.Silo.Sql.";

    /// <summary>The schema scripts of a dialect, oldest first.</summary>
    public static IEnumerable<(string Name, string Text)> Versions(string dialect) =>
        from resource in typeof(SqlText).Assembly.GetManifestResourceNames()
        where resource.StartsWith(Folder + dialect + ".", StringComparison.Ordinal)
        let name = resource[Folder.Length..]
        let version = name.Split('.') is [_, var number, _] ? int.Parse(number, CultureInfo.InvariantCulture) : 1
        orderby version
        select (name, Read(name));

    public static string Read(string name)
    {
        using var stream = typeof(SqlText).Assembly.GetManifestResourceStream(Folder + name)
            ?? throw new InvalidOperationException($"{name} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>The statement below <c>-- name: …</c> in a file of several.</summary>
    public static string Statement(string file, string name) =>
        Find(Read(file), name) ?? throw new InvalidOperationException($"{file} has no statement {name}.");

    /// <summary>The same in a text, which may have been embedded on Windows; null if there is none of that name.</summary>
    internal static string? Find(string text, string name)
    {
        var lines = text.ReplaceLineEndings("\n");
        var heading = $"-- name: {name}\n";
        var start = lines.IndexOf(heading, StringComparison.Ordinal);
        if (start < 0)
            return null;
        start += heading.Length;
        var end = lines.IndexOf("-- name:", start, StringComparison.Ordinal);
        return lines[start..(end < 0 ? lines.Length : end)].Trim();
    }
}
