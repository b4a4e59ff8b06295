using Chatterbox.Silo.Storage.GroupCommit;

namespace Chatterbox.Tests.Storage;

public sealed class SqlServerRowStoreTests
{
    [Theory(DisplayName =
        "[I3] names that a column or the index of SQL Server does not take are refused with the limit and their length")]
    [InlineData(512, 319, null)]
    [InlineData(512, 320,
        "service id, state name and grain key: must be at most 838 UTF-16 units together on SQL Server, was 839")]
    [InlineData(513, 1, "state name and grain key: must be at most 512 UTF-16 units each, were 513 and 1")]
    [InlineData(1, 600, "state name and grain key: must be at most 512 UTF-16 units each, were 1 and 600")]
    public void Lengths_of_names(int name, int key, string? refusal)
    {
        using var store = new SqlServerRowStore("Server=none;Database=none", "service", TimeSpan.FromSeconds(1));
        var row = new RowKey(0, 0, 0, 0, new string('n', name), new string('k', key));

        Assert.Equal(refusal, Record.Exception(() => store.RequireLengths(row))?.Message);
    }

    [Theory(DisplayName = "[I3] a name may have 512 characters, whether they take one UTF-16 unit or two")]
    [InlineData("x", 512, null)]
    [InlineData("\ud83d\ude00", 512, null)]
    [InlineData("x", 513, "grain key: must be at most 512 characters, was 513")]
    [InlineData("\ud83d\ude00", 600, "grain key: must be at most 512 characters, was 600")]
    public void Lengths_of_keys(string character, int count, string? refusal)
    {
        var row = new RowKey(0, 0, 0, 0, "name", string.Concat(Enumerable.Repeat(character, count)));

        Assert.Equal(refusal, Record.Exception(row.RequireLengths)?.Message);
    }

    [Fact(DisplayName =
        "[D3] every batch for SQL Server locks its rows in the order of their keys, in whatever order they were written")]
    public void Rows_are_sorted()
    {
        RowKey[] keys =
        [
            new(-5, 0, 0, 1, "a", "x"), new(-5, 0, 0, 2, "a", "x"), new(3, 0, 0, 1, "a", null),
            new(3, 0, 0, 1, "a", "B"), new(3, 0, 0, 1, "a", "a"),
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
