using System.Security.Authentication;
using Chatterbox.Silo.Storage;
using Chatterbox.Silo.Storage.GroupCommit;

namespace Chatterbox.Tests.Storage;

public sealed class SqlServerErrorTests
{
    [Theory(DisplayName = "[D3] whose failure an error of SQL Server is, is decided by its number and severity")]
    [InlineData(2601, 14, "Transient")] // another first write was faster
    [InlineData(2627, 14, "Transient")]
    [InlineData(1205, 13, "Transient")] // deadlock
    [InlineData(1222, 16, "Locked")] // locked
    [InlineData(8152, 16, "Row")] // too long
    [InlineData(2628, 16, "Row")]
    [InlineData(8115, 16, "Row")] // version overflow
    [InlineData(1946, 16, "Row")] // index key too wide
    [InlineData(547, 16, "Row")]
    [InlineData(515, 16, "Row")]
    [InlineData(33504, 16, "Row")] // security policy
    [InlineData(3609, 16, "Row")] // trigger
    [InlineData(50000, 16, "Row")] // RAISERROR or THROW in a trigger
    [InlineData(50000, 20, "Unavailable")] // which ended the connection
    [InlineData(229, 14, "Unavailable")] // right missing
    [InlineData(208, 16, "Unavailable")] // object missing
    [InlineData(3906, 16, "Unavailable")] // read-only
    [InlineData(1105, 17, "Unavailable")] // disk full
    [InlineData(9002, 17, "Unavailable")] // log full
    [InlineData(4060, 11, "Unavailable")]
    [InlineData(18456, 14, "Unavailable")]
    [InlineData(10054, 20, "Unavailable")] // connection lost before anything was sent
    [InlineData(-2, 11, "Unavailable")]
    public void Each_error_is_somebodys(int number, byte severity, string expected)
    {
        using var store = new SqlServerRowStore("Server=none;Database=none", "service", TimeSpan.FromSeconds(1));

        Assert.Equal(expected, store.Classify(SqlServerFailure.With(number, severity)).ToString());
    }

    [Fact(DisplayName = "[D3] what the driver would not send is the row's failure")]
    public void What_was_not_sent()
    {
        using var store = new SqlServerRowStore("Server=none;Database=none", "service", TimeSpan.FromSeconds(1));

        Assert.Equal(BatchFailure.Row, store.Classify(new ArgumentException("key: must be at most 512 characters")));
    }

    [Theory(DisplayName = "[D5] a silo that SQL Server refuses says the reason and what helps")]
    [InlineData(4060, false, "Run 'Chatterbox.Silo --migrate-database'")]
    [InlineData(911, false, "Run 'Chatterbox.Silo --migrate-database'")] // as other servers that speak TDS say it
    [InlineData(4060, true, "CREATE USER")]
    [InlineData(262, true, "READ_COMMITTED_SNAPSHOT ON")]
    [InlineData(229, false, "EXECUTE on the type ChatterboxStorageRows")]
    [InlineData(2715, false, "EXECUTE on the type ChatterboxStorageRows")]
    [InlineData(208, false, "default schema")]
    [InlineData(207, false, "default schema")]
    public void Says_what_helps(int number, bool isMigration, string expected)
    {
        var refusal = SqlServerErrors.Refusal(SqlServerFailure.With(number, message: "The server's words."),
            "server/database", isMigration);

        Assert.Contains("Chatterbox__Database__ConnectionString", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("server/database", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("The server's words.", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[D5] a failed encryption is reported with its innermost reason and the options that decide it")]
    public void Says_why_encryption_failed()
    {
        var cause = new AuthenticationException("The remote certificate is invalid: PartialChain.");
        var failure =
            SqlServerFailure.With(20, 20, "An internal exception was caught", new InvalidOperationException("wrapped", cause));

        var message = SqlServerErrors.Refusal(failure, "server/database", isMigration: false).Message;

        Assert.Contains("PartialChain", message, StringComparison.Ordinal);
        Assert.Contains("TrustServerCertificate=True", message, StringComparison.Ordinal);
        Assert.Contains("Encrypt=", message, StringComparison.Ordinal);
    }
}
