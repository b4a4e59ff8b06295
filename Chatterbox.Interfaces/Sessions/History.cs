namespace Chatterbox;

/// <summary>An entry of a session's history: rows kept beside its state.</summary>
/// <param name="Id">Identifies the entry: 16 hexadecimal digits.</param>
/// <param name="Reason">
/// <c>lastGood</c> (a copy, at most a day older than the last change), <c>beforeClear</c>, <c>beforeImport</c>,
/// <c>beforeRestore</c>, <c>beforeCleanUp</c>, <c>beforeMigration</c>, <c>expired</c>, <c>unreadable</c>, or <c>overtaken</c>:
/// rows of another activation or the fallback file that the session did not adopt.
/// </param>
/// <param name="Detail">The reason in words.</param>
/// <param name="Slices">Names of the slices it holds.</param>
/// <param name="Length">Bytes, as stored.</param>
/// <param name="SchemaVersion">The schema version of the silo that kept it.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.HistoryItem")]
public sealed record HistoryItem(
    [property: Id(0)] string Id,
    [property: Id(1)] string Reason,
    [property: Id(2)] string Detail,
    [property: Id(3)] ValueList<string> Slices,
    [property: Id(4)] DateTimeOffset At,
    [property: Id(5)] int Length,
    [property: Id(6)] int SchemaVersion);

/// <summary>An entry of the history with its content.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.HistoryContent")]
public sealed record HistoryContent([property: Id(0)] HistoryItem Item, [property: Id(1)] ValueList<HistoryRow> Rows);

/// <summary>A slice in an entry.</summary>
/// <param name="Bytes">As stored.</param>
/// <param name="Json">The stored JSON, as UTF-8; null when the bytes cannot be decoded.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.HistoryRow")]
public sealed record HistoryRow(
    [property: Id(0)] string Slice,
    [property: Id(1)] byte[] Bytes,
    [property: Id(2)] byte[]? Json);
