namespace Chatterbox.Grains.Persistence;

/// <param name="Key">The key of the grain whose row it is.</param>
/// <param name="Name">The row's name.</param>
public sealed record NamedRow(string Key, string Name, byte[] Bytes);

/// <param name="Next">Where the next page begins; null when there is none.</param>
/// <param name="Progress">How much of the database lies before that, 0 to 1.</param>
public sealed record NamedRowPage(IReadOnlyList<NamedRow> Rows, int? Next, double Progress);

/// <summary>
/// The rows of all grains as they are stored, for reading only. Provided by the host, which knows the database.
/// </summary>
public interface IStoredRows
{
    /// <summary>
    /// A page of the rows of these names, in the order of a hash of their keys. All rows of a key are on the same page.
    /// </summary>
    /// <param name="after">The page before's <see cref="NamedRowPage.Next"/>, or any number; null begins.</param>
    /// <param name="rows">A page has a few more when the last key's rows go on.</param>
    Task<NamedRowPage> ReadAsync(IReadOnlyList<string> names, int? after, int rows, CancellationToken cancellationToken);
}
