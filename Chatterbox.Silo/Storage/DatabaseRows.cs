using System.Data.Common;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage.GroupCommit;

namespace Chatterbox.Silo.Storage;

/// <summary>
/// Rows of all grains, read from the lowest hash of a grain's key to the highest: the index is in that order, concurrent writes
/// do not move anything, and the place reached says how much is left.
/// </summary>
internal sealed class DatabaseRows(DatabaseOptions options, string serviceId) : IStoredRows
{
    private static readonly GrainId AnyGrain = GrainId.Create("any", "any");

    private readonly DatabaseDialect _dialect = DatabaseDialect.Of(options.Provider);

    // On another thread than the caller's, which may be a silo's: SQLite's driver does not wait, it blocks.
    public Task<NamedRowPage> ReadAsync(IReadOnlyList<string> names, int? after, int rows, CancellationToken cancellationToken) =>
        Task.Run(() => ReadPageAsync(names, after, rows, cancellationToken), cancellationToken);

    private async Task<NamedRowPage> ReadPageAsync(
        IReadOnlyList<string> names, int? after, int count, CancellationToken cancellationToken)
    {
        await using var connection = _dialect.ConnectToRead(options.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = SqlText.Statement($"StoredRows.{_dialect.ScriptPrefix}.sql", "Page");
        command.CommandTimeout = (int)Math.Ceiling(options.Timeout.TotalSeconds);
        Bind(command, "serviceId", serviceId);
        Bind(command, "after", after is { } hash ? hash : long.MinValue);
        Bind(command, "rows", count);
        BindList(command, "names", names);
        BindList(command, "typeHashes", [.. names.Select(name => RowKey.Of(name, AnyGrain).TypeHash)]);

        var rows = new List<NamedRow>();
        int? last = null;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            last = reader.GetInt32(0);
            var extension = await reader.IsDBNullAsync(3, cancellationToken) ? null : reader.GetString(3);
            rows.Add(new(KeyOf(reader.GetInt64(1), reader.GetInt64(2), extension),
                reader.GetString(4), (byte[])reader.GetValue(5)));
        }
        return new(rows, last, last is { } reached ? ((double)reached - int.MinValue) / uint.MaxValue : 1);
    }

    // The way back from GroupCommit.RowKey: a key that begins like a GUID or an integer has that in the number columns.
    private static string KeyOf(long n0, long n1, string? extension)
    {
        if (n0 == 0 && n1 == 0) return extension ?? "";
        byte[] guid = [.. BitConverter.GetBytes(n0), .. BitConverter.GetBytes(n1)];
        return (n0 == 0
            ? GrainIdKeyExtensions.CreateIntegerKey(n1, extension)
            : GrainIdKeyExtensions.CreateGuidKey(new Guid(guid), extension)).ToString()!;
    }

    private static void BindList<T>(DbCommand command, string name, IReadOnlyList<T> values) where T : notnull
    {
        var list = string.Join(", ", values.Select((_, at) => $"@{name}{at}"));
        command.CommandText = command.CommandText.Replace($"@{name}", list, StringComparison.Ordinal);
        for (var at = 0; at < values.Count; at++) Bind(command, $"{name}{at}", values[at]);
    }

    private static void Bind(DbCommand command, string name, object value)
    {
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.Value) = (name, value);
        command.Parameters.Add(parameter);
    }
}
