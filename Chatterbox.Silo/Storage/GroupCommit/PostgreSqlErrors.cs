using System.Collections.Frozen;
using Npgsql;

namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>
/// Whose failure an error of PostgreSQL is, by its SQLSTATE. The server has answered, so the transaction is rolled back.
/// </summary>
internal static class PostgreSqlErrors
{
    /// <summary>By the whole code, else by its class (the first two characters), else the database's.</summary>
    internal static readonly FrozenDictionary<string, BatchFailure> States = new Dictionary<string, BatchFailure>
    {
        ["40001"] = BatchFailure.Transient, // serialization failure
        ["40P01"] = BatchFailure.Transient, // deadlock
        ["55P03"] = BatchFailure.Locked, // a lock that was not to be had within lock_timeout
        ["57014"] = BatchFailure.Row, // statement_timeout: one row too large, or one that a trigger is slow with
        ["57P05"] = BatchFailure.Stale, // idle_session_timeout: ended before the batch was sent
        ["26000"] = BatchFailure.Stale, // the prepared statement is not there: another server behind the same connection
        ["22"] = BatchFailure.Row, // data exception
        ["23"] = BatchFailure.Row, // constraint
        ["44"] = BatchFailure.Row, // a view's check
        ["54"] = BatchFailure.Row, // program limit exceeded: names too long for an index
        ["P0"] = BatchFailure.Row, // raised in a trigger
        ["XX001"] = BatchFailure.Row, // this row's data is corrupted
        ["42501"] = BatchFailure.Row, // row-level security; see below
    }.ToFrozenDictionary();

    // Sent while the server shuts down, maybe in the middle of a commit.
    private static readonly FrozenSet<string> Endings = ["57P01", "57P02"];

    /// <summary>Null when the connection is lost by it, so that it depends on what was sent.</summary>
    public static BatchFailure? Classify(PostgresException failure)
    {
        if (Endings.Contains(failure.SqlState) || failure.SqlState.StartsWith("08", StringComparison.Ordinal)) return null;
        // The same code for a policy that refuses a row and for a table that none may be written to.
        if (failure is { SqlState: PostgresErrorCodes.InsufficientPrivilege, Routine: "aclcheck_error" })
            return BatchFailure.Unavailable;
        return States.TryGetValue(failure.SqlState, out var kind) || States.TryGetValue(failure.SqlState[..2], out kind)
            ? kind
            : BatchFailure.Unavailable;
    }
}
