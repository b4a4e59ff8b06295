using Chatterbox.Silo.Storage;

namespace Chatterbox.Tests.Storage;

public sealed class SqlTextTests
{
    [Theory(DisplayName = "[D2] a statement is found in a file with the line ends of Unix or of Windows")]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void Line_ends_do_not_matter(string end)
    {
        var file = string.Join(end, "-- About it.", "", "-- name: Read", "SELECT 1", "FROM t;", "",
            "-- name: Write", "DELETE FROM t;", "");

        Assert.Equal("SELECT 1\nFROM t;", SqlText.Find(file, "Read"));
        Assert.Equal("DELETE FROM t;", SqlText.Find(file, "Write"));
        Assert.Null(SqlText.Find(file, "Rea"));
    }
}
