namespace Chatterbox;

/// <summary>The status of a session on its silo.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SessionStatus")]
public sealed record SessionStatus
{
    [Id(0)] public required string Session { get; init; }
    [Id(1)] public long Epoch { get; init; }
    [Id(2)] public long Revision { get; init; }
    [Id(3)] public long DurableRevision { get; init; }
    [Id(4)] public required SaveStatus Save { get; init; }

    /// <summary>The schema version in storage; null when nothing is stored.</summary>
    [Id(5)] public int? PersistedVersion { get; init; }

    /// <summary>The reason, when the session is read-only.</summary>
    [Id(6)] public string? ReadOnly { get; init; }

    [Id(7)] public ValueList<string> Notices { get; init; } = [];
    [Id(8)] public ValueList<AttachedClient> Clients { get; init; } = [];

    /// <summary>Rows written since the session was loaded.</summary>
    [Id(9)] public long RowWrites { get; init; }

    /// <summary>Bytes written since the session was loaded.</summary>
    [Id(10)] public long BytesWritten { get; init; }

    /// <summary>Changes applied since the session was loaded.</summary>
    [Id(11)] public long Changes { get; init; }

    [Id(12)] public ValueList<StoredSlice> Slices { get; init; } = [];

    /// <summary>Work in progress when a client or the silo crashed, if it was neither recovered nor dropped.</summary>
    [Id(15)] public CrashInfo? Crash { get; init; }

    /// <summary>The app whose state the session holds.</summary>
    [Id(16)] public string App { get; init; } = "";
}

/// <summary>A slice's row.</summary>
/// <param name="Bytes">Length of the row's payload; 0 when there is none.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.StoredSlice")]
public sealed record StoredSlice(
    [property: Id(0)] string Slice,
    [property: Id(1)] int Items,
    [property: Id(2)] int Bytes);
