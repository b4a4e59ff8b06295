namespace Chatterbox;

/// <summary>Work that was in hand when a client or its silo died.</summary>
/// <param name="Chunks">Ids of chunks that were waiting or being generated.</param>
/// <param name="BatchItems">Ids of batch items that were.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.CrashInfo")]
public sealed record CrashInfo(
    [property: Id(0)] ValueList<string> Chunks,
    [property: Id(1)] ValueList<string> BatchItems,
    [property: Id(2)] bool WasGenerating);

/// <summary>What coming back from a crash, or from a clear, has done. Empty when there was nothing to come back to.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.RecoveryReport")]
public sealed record RecoveryReport
{
    /// <summary>Set when nothing was done, and why.</summary>
    [Id(0)] public Rejection? Refused { get; init; }

    /// <summary>Chunks put back as interrupted, ready to run again.</summary>
    [Id(1)] public ValueList<string> Chunks { get; init; } = [];

    /// <summary>Batch items put back as interrupted.</summary>
    [Id(2)] public ValueList<string> BatchItems { get; init; } = [];

    /// <summary>What was put back from a kept copy, and from when it is.</summary>
    [Id(3)] public ValueList<string> Restored { get; init; } = [];

    /// <summary>Set when it is done but not saved yet; saving goes on.</summary>
    [Id(4)] public string? Unsaved { get; init; }
}

/// <summary>Bytes of a session that were set aside because they could not be read, or before something replaced them.</summary>
/// <param name="Id">Names the bytes; the same bytes are kept once.</param>
/// <param name="Kind">unreadable, migrated, or overtaken: the database did not take it in time, and held something later when it could.</param>
/// <param name="Length">Bytes.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.QuarantineItem")]
public sealed record QuarantineItem(
    [property: Id(0)] string Id,
    [property: Id(1)] string Slice,
    [property: Id(2)] string Kind,
    [property: Id(3)] string Reason,
    [property: Id(4)] DateTimeOffset At,
    [property: Id(5)] int Length);
