namespace Chatterbox;

/// <summary>Unfinished work of clients that disconnected without detaching.</summary>
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

    /// <summary>What was restored from the history, and from when it is.</summary>
    [Id(3)] public ValueList<string> Restored { get; init; } = [];

    /// <summary>Set when it is done but not saved yet; saving goes on.</summary>
    [Id(4)] public string? Unsaved { get; init; }
}
