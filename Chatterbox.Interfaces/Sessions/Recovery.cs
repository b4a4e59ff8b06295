namespace Chatterbox;

/// <summary>Unfinished work of clients that disconnected without detaching.</summary>
/// <param name="Chunks">Ids of chunks that were waiting or being generated.</param>
/// <param name="BatchItems">Ids of batch items that were.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.CrashInfo")]
public sealed record CrashInfo(
    [property: Id(0)] ValueList<string> Chunks,
    [property: Id(1)] ValueList<string> BatchItems,
    [property: Id(2)] bool WasGenerating);

/// <summary>The result of a recovery from a crash or a clear. Empty when there was nothing to recover.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.RecoveryReport")]
public sealed record RecoveryReport
{
    /// <summary>The reason, when nothing was done.</summary>
    [Id(0)] public Rejection? Refused { get; init; }

    /// <summary>Chunks marked as interrupted, ready to run again.</summary>
    [Id(1)] public ValueList<string> Chunks { get; init; } = [];

    /// <summary>Batch items marked as interrupted.</summary>
    [Id(2)] public ValueList<string> BatchItems { get; init; } = [];

    /// <summary>The entries restored from the history, with their times.</summary>
    [Id(3)] public ValueList<string> Restored { get; init; } = [];

    /// <summary>The reason, when it is done but not saved yet; saving is retried.</summary>
    [Id(4)] public string? Unsaved { get; init; }
}
