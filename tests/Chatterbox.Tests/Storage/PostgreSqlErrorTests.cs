using Chatterbox.Silo.Storage;
using Chatterbox.Silo.Storage.GroupCommit;
using Npgsql;

namespace Chatterbox.Tests.Storage;

public sealed class PostgreSqlErrorTests
{
    public static TheoryData<string, string?, string> Errors => new()
    {
        { "40001", null, nameof(BatchFailure.Transient) },
        { "40P01", null, nameof(BatchFailure.Transient) },
        { "55P03", null, nameof(BatchFailure.Locked) },
        { "57014", null, nameof(BatchFailure.Row) },
        { "22021", null, nameof(BatchFailure.Row) },
        { "23505", null, nameof(BatchFailure.Row) },
        { "54000", null, nameof(BatchFailure.Row) },
        { "P0001", null, nameof(BatchFailure.Row) },
        { "XX001", null, nameof(BatchFailure.Row) },
        { "42501", "ExecWithCheckOptions", nameof(BatchFailure.Row) },
        { "42501", "aclcheck_error", nameof(BatchFailure.Unavailable) },
        { "57P05", null, nameof(BatchFailure.Stale) },
        { "26000", null, nameof(BatchFailure.Stale) },
        { "53100", null, nameof(BatchFailure.Unavailable) },
        { "53300", null, nameof(BatchFailure.Unavailable) },
        { "25006", null, nameof(BatchFailure.Unavailable) },
        { "42P01", null, nameof(BatchFailure.Unavailable) },
        { "XX000", null, nameof(BatchFailure.Unavailable) },
        { "57P03", null, nameof(BatchFailure.Unavailable) },
        // Nothing was sent by this store, so a server that ends the connection has not committed anything.
        { "57P01", null, nameof(BatchFailure.Unavailable) },
        { "08006", null, nameof(BatchFailure.Unavailable) },
    };

    [Theory(DisplayName = "[D3] an error of PostgreSQL is its row's, the connection's or the database's")]
    [MemberData(nameof(Errors))]
    public void Classifies(string state, string? routine, string expected)
    {
        using var store = new PostgreSqlRowStore("Host=nowhere", "service", TimeSpan.FromSeconds(1), TimeProvider.System);
        Assert.Equal(expected,
            store.Classify(new PostgresException("message", "ERROR", "ERROR", state, routine: routine)).ToString());
    }

    [Fact(DisplayName = "[D3] what is in the table of errors is in the test of it")]
    public void Covers_the_table() => Assert.All(PostgreSqlErrors.States.Keys, state =>
        Assert.Contains(Errors, error => ((string)error[0]).StartsWith(state, StringComparison.Ordinal) || state is "44"));

    [Fact(DisplayName = "[D1] the user's options stay, ours stand beside them, and nothing of the connection string is lost")]
    public void Keeps_the_users_options()
    {
        var ours = new NpgsqlConnectionStringBuilder(PostgreSqlConnection.ForGroupCommit(
            "Host=h;Database=d;Options=-c search_path=t1 -c statement_timeout=5000;Search Path=t2;SSL "
            + "Mode=Require;Application Name=mine",
            TimeSpan.FromSeconds(10)));

        Assert.Contains("-c search_path=t1", ours.Options, StringComparison.Ordinal);
        Assert.Equal(("t2", SslMode.Require, "mine"), (ours.SearchPath, ours.SslMode, ours.ApplicationName));
        // The last of a setting counts: the user's limit, our plans.
        Assert.True(ours.Options!.LastIndexOf("statement_timeout=5000", StringComparison.Ordinal)
            > ours.Options.IndexOf("statement_timeout=11000", StringComparison.Ordinal));
        Assert.EndsWith("-c lock_timeout=100", ours.Options, StringComparison.Ordinal);
        Assert.False(ours.Pooling);
    }

    [Theory(DisplayName = "[D2] names of generic states are kept as the stock provider keeps them")]
    [InlineData("preferences", "preferences")]
    [InlineData("A.List`1[[System.Int32, mscorlib, Version=4.0.0.0, Culture=neutral]], A, Version=1.0",
        "A.List`1[[System.Int32, mscorlib]]")]
    [InlineData("M`2[[K, a, V=1],[L`1[[V, b, V=2]], c, V=3]]", "M`2[[K, a],[L`1[[V, b]]]]")]
    public void Shortens_generic_names(string name, string expected) =>
        Assert.Equal(expected, RowKey.Of(name, GrainId.Create("grain", "key")).Type);

    [Fact(DisplayName = "[D2] a generic name without its arguments is refused by name")]
    public void Refuses_half_a_generic_name() =>
        Assert.Contains("List`1", Assert.Throws<ArgumentException>(() => GenericName.Shorten("List`1")).Message,
            StringComparison.Ordinal);
}
