using System.Data.Common;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Silo.Storage;

/// <summary>
/// The sessions' rows, read through from the lowest hash of a grain's key to the highest: the index is in that order, whatever is
/// written meanwhile does not move anything, and how far it has come says how much is left.
/// </summary>
/// <param name="rowsPerPage">A page has a few more when the last session's rows go on.</param>
internal sealed class StoredSlices(DatabaseOptions options, string serviceId, int rowsPerPage = 200) : IStoredSlices
{
    private readonly DatabaseDialect _dialect = DatabaseDialect.Of(options.Provider);

    // Away from the caller's thread, which may be a silo's: SQLite's driver does not wait, it blocks.
    public Task<StoredSlicePage> ReadAsync(int? after, CancellationToken cancellationToken) =>
        Task.Run(() => ReadPageAsync(after, cancellationToken), cancellationToken);

    private async Task<StoredSlicePage> ReadPageAsync(int? after, CancellationToken cancellationToken)
    {
        await using var connection = _dialect.ConnectToRead(options.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = SqlText.Statement($"SessionCheck.{_dialect.ScriptPrefix}.sql", "Page");
        command.CommandTimeout = (int)Math.Ceiling(options.Timeout.TotalSeconds);
        Bind(command, "serviceId", serviceId);
        Bind(command, "after", after is { } hash ? hash : long.MinValue);
        Bind(command, "rows", rowsPerPage);

        var rows = new List<StoredSliceRow>();
        int? last = null;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            last = reader.GetInt32(0);
            rows.Add(new(KeyOf(reader.GetInt64(1), reader.GetInt64(2), await reader.IsDBNullAsync(3, cancellationToken) ? null : reader.GetString(3)),
                reader.GetString(4), (byte[])reader.GetValue(5)));
        }
        return new(rows, last, last is { } reached ? ((double)reached - int.MinValue) / uint.MaxValue : 1);
    }

    // The way back from GroupCommit.RowKey: a key that begins like a GUID or an integer has that in the number columns.
    private static string KeyOf(long n0, long n1, string? extension)
    {
        if (n0 == 0 && n1 == 0) return extension ?? "";
        byte[] guid = [.. BitConverter.GetBytes(n0), .. BitConverter.GetBytes(n1)];
        return (n0 == 0 ? GrainIdKeyExtensions.CreateIntegerKey(n1, extension) : GrainIdKeyExtensions.CreateGuidKey(new Guid(guid), extension)).ToString()!;
    }

    private static void Bind(DbCommand command, string name, object value)
    {
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.Value) = (name, value);
        command.Parameters.Add(parameter);
    }
}
