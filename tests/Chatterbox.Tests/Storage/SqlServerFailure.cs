using System.Reflection;
using Microsoft.Data.SqlClient;

namespace Chatterbox.Tests.Storage;

/// <summary>The driver's exceptions as a server's answer makes them; it has no public constructor for them.</summary>
internal static class SqlServerFailure
{
    private const BindingFlags Hidden = BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    /// <param name="severity">Up to 19 the connection goes on; from 20 on the server has ended it.</param>
    public static SqlException With(int number, byte severity = 16, string message = "made by the test", Exception? inner = null)
    {
        var error = typeof(SqlError).GetConstructor(Hidden,
                [typeof(int), typeof(byte), typeof(byte), typeof(string), typeof(string), typeof(string),
                    typeof(int), typeof(Exception)])!
            .Invoke([number, (byte)1, severity, "server", message, "", 1, inner]);
        var errors = (SqlErrorCollection)typeof(SqlErrorCollection).GetConstructor(Hidden, [])!.Invoke([]);
        typeof(SqlErrorCollection).GetMethod("Add", Hidden)!.Invoke(errors, [error]);
        return (SqlException)typeof(SqlException)
            .GetMethod("CreateException", Hidden, [typeof(SqlErrorCollection), typeof(string), typeof(Guid), typeof(Exception)])!
            .Invoke(null, [errors, "16.0", Guid.Empty, inner])!;
    }
}
