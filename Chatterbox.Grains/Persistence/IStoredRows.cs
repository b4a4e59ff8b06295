namespace Chatterbox.Grains.Persistence;

/// <param name="Key">The key of the row's grain.</param>
/// <param name="Name">The row's name.</param>
public sealed record NamedRow(string Key, string Name, byte[] Bytes);

/// <param name="Next">The start of the next page; null when there is none.</param>
/// <param name="Progress">The fraction of the database before it, 0 to 1.</param>
public sealed record NamedRowPage(IReadOnlyList<NamedRow> Rows, int? Next, double Progress);

/// <summary>
/// The stored rows of all grains, read-only. Provided by the host, which knows the database.
/// </summary>
public interface IStoredRows
{
    /// <summary>
    /// A page of the rows of these names, in the order of a hash of their keys. All rows of a key are on the same page.
    /// </summary>
    /// <param name="after">The previous page's <see cref="NamedRowPage.Next"/>, or any number; null starts.</param>
    /// <param name="rows">The page size; a page may have a few more to include all rows of the last key.</param>
    Task<NamedRowPage> ReadAsync(IReadOnlyList<string> names, int? after, int rows, CancellationToken cancellationToken);
}
