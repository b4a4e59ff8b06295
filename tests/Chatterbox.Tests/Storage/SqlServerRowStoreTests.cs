using Chatterbox.Silo.Storage.GroupCommit;

namespace Chatterbox.Tests.Storage;

public sealed class SqlServerRowStoreTests
{
    [Fact(DisplayName = "[D3] every batch for SQL Server locks its rows in the order of their keys, in whatever order they were written")]
    public void Rows_are_sorted()
    {
        RowKey[] keys =
        [
            new(-5, 0, 0, 1, "a", "x"), new(-5, 0, 0, 2, "a", "x"), new(3, 0, 0, 1, "a", null), new(3, 0, 0, 1, "a", "B"), new(3, 0, 0, 1, "a", "a"),
            new(3, 0, 0, 1, "b", "a"), new(3, 0, 1, 1, "a", "a"), new(3, 1, 0, 1, "a", "a"), new(9, 0, 0, 0, "a", "a"),
        ];

        foreach (var seed in Enumerable.Range(1, 20))
        {
            var rows = keys.Select(key => new RowRead(key)).ToArray();
            new Random(seed).Shuffle(rows);
            Assert.Equal(keys, RowKey.Sorted([.. rows]).Select(row => row.Key));
        }
    }
}
