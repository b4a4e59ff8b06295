namespace Chatterbox;

/// <summary>A session's stored sizes and save statistics.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.StorageInfo")]
public sealed record StorageInfo
{
    [Id(0)] public required string Session { get; init; }
    [Id(1)] public ValueList<SliceStorage> Slices { get; init; } = [];
    [Id(2)] public required AudioStorage Audio { get; init; }

    /// <summary>Bytes of slices, history and audio together: the part that counts against the quota.</summary>
    [Id(3)] public long UsedBytes { get; init; }

    [Id(4)] public long QuotaBytes { get; init; }

    /// <summary>Bytes of the slices before compression for each byte stored; 1 when nothing is stored.</summary>
    [Id(5)] public double CompressionRatio { get; init; }

    /// <summary>Changes since the session was loaded.</summary>
    [Id(6)] public long Changes { get; init; }

    /// <summary>Rows written since the session was loaded.</summary>
    [Id(7)] public long Writes { get; init; }

    /// <summary>Changes for each row written since the session was loaded; 0 before the first write.</summary>
    [Id(8)] public double ChangesPerWrite { get; init; }

    /// <summary>The time of the session's last write since it was loaded; null if none.</summary>
    [Id(9)] public DateTimeOffset? LastSaved { get; init; }

    /// <summary>Entries of the session's history.</summary>
    [Id(10)] public int HistoryEntries { get; init; }

    /// <summary>Bytes of the history's entries, as stored.</summary>
    [Id(11)] public long HistoryBytes { get; init; }
}

/// <summary>A slice in storage.</summary>
/// <param name="StoredBytes">Length of the row; 0 when there is none.</param>
/// <param name="Bytes">The slice's length before compression.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.SliceStorage")]
public sealed record SliceStorage(
    [property: Id(0)] string Slice,
    [property: Id(1)] int Items,
    [property: Id(2)] long StoredBytes,
    [property: Id(3)] long Bytes);

/// <summary>A session's audio clips by the reason why they are kept. Each clip counts once.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.AudioStorage")]
public sealed record AudioStorage
{
    /// <summary>Clips that the session refers to.</summary>
    [Id(0)] public int ReferencedClips { get; init; }

    [Id(1)] public long ReferencedBytes { get; init; }

    /// <summary>Uploads, complete or not, that nothing refers to yet.</summary>
    [Id(2)] public int PendingClips { get; init; }

    [Id(3)] public long PendingBytes { get; init; }

    /// <summary>Clips that nothing refers to any more, kept for a while.</summary>
    [Id(4)] public int UnreferencedClips { get; init; }

    [Id(5)] public long UnreferencedBytes { get; init; }

    public long TotalBytes => ReferencedBytes + PendingBytes + UnreferencedBytes;
}
