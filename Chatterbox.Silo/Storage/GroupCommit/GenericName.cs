using System.Globalization;

namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>
/// The names under which Orleans' ADO.NET storage keeps states of generic types: without versions of assemblies.
/// </summary>
internal static class GenericName
{
    /// <summary>
    /// <c>List`1[[System.Int32, mscorlib, Version=4.0.0.0, …]], …</c> is <c>List`1[[System.Int32, mscorlib]]</c>.
    /// </summary>
    /// <exception cref="ArgumentException">The name has fewer arguments than it says.</exception>
    public static string Shorten(string name)
    {
        var pieces = name.Split('[', ']').Where(piece => piece.Length > 1 && piece[0] != ',').Select(WithoutVersion).ToArray();
        var at = 0;
        return Next();

        string Next()
        {
            if (at == pieces.Length)
                throw new ArgumentException($"state name: must have the arguments of a generic type that it names, was {name}",
                    nameof(name));
            var piece = pieces[at++];
            var tick = piece.IndexOf('`', StringComparison.Ordinal);
            if (tick < 0 || !int.TryParse(piece.AsSpan(tick + 1), CultureInfo.InvariantCulture, out var arguments))
                return piece;
            return $"{piece}[{string.Join(',', Enumerable.Range(0, arguments).Select(_ => $"[{Next()}]"))}]";
        }
    }

    // The stock provider keeps an assembly's name only where a version follows it.
    private static string WithoutVersion(string piece)
    {
        var assembly = piece.IndexOf(',', StringComparison.Ordinal);
        if (assembly < 0) return piece;
        var version = piece.IndexOf(',', assembly + 1);
        return piece[..(version < 0 ? assembly : version)];
    }
}
