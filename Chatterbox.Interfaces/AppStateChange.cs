using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>
/// The changes of an <see cref="AppState"/>: a closed set, each of exactly one slice. Applied by
/// <see cref="AppStateReducer"/>. Members are only ever appended; their bytes are pinned by tests.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.AppStateChange")]
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(SelectEngine), "selectEngine")]
[JsonDerivedType(typeof(UpdateParameters), "updateParameters")]
[JsonDerivedType(typeof(SetStreaming), "setStreaming")]
[JsonDerivedType(typeof(SelectWorkSession), "selectWorkSession")]
[JsonDerivedType(typeof(SetSyncedSlices), "setSyncedSlices")]
[JsonDerivedType(typeof(UpsertWorkSession), "upsertWorkSession")]
[JsonDerivedType(typeof(RemoveWorkSession), "removeWorkSession")]
[JsonDerivedType(typeof(UpsertVoice), "upsertVoice")]
[JsonDerivedType(typeof(RemoveVoice), "removeVoice")]
[JsonDerivedType(typeof(UpsertChunk), "upsertChunk")]
[JsonDerivedType(typeof(RemoveChunk), "removeChunk")]
[JsonDerivedType(typeof(SetChunkStatus), "setChunkStatus")]
[JsonDerivedType(typeof(CompleteChunk), "completeChunk")]
[JsonDerivedType(typeof(UpsertBatchItem), "upsertBatchItem")]
[JsonDerivedType(typeof(RemoveBatchItem), "removeBatchItem")]
[JsonDerivedType(typeof(SetBatchItemStatus), "setBatchItemStatus")]
[JsonDerivedType(typeof(SetGenerating), "setGenerating")]
[JsonDerivedType(typeof(SetSystemStatus), "setSystemStatus")]
[JsonDerivedType(typeof(ReportError), "reportError")]
[JsonDerivedType(typeof(DismissError), "dismissError")]
[JsonDerivedType(typeof(SetVoiceUpload), "setVoiceUpload")]
public abstract record AppStateChange
{
    private protected AppStateChange() { }

    /// <summary>The one slice that the change touches.</summary>
    [JsonIgnore]
    public Slice Slice => this switch
    {
        SelectEngine or UpdateParameters or SetStreaming or SelectWorkSession or SetSyncedSlices => Slice.Preferences,
        UpsertWorkSession or RemoveWorkSession => Slice.WorkSessions,
        UpsertVoice or RemoveVoice => Slice.SavedVoices,
        UpsertChunk or RemoveChunk or SetChunkStatus or CompleteChunk => Slice.Chunks,
        UpsertBatchItem or RemoveBatchItem or SetBatchItemStatus => Slice.BatchItems,
        SetGenerating or SetSystemStatus or ReportError or DismissError or SetVoiceUpload => Slice.Runtime,
        _ => throw new InvalidOperationException($"{GetType().Name} is not one of the closed set of changes."),
    };
}

/// <summary>Selects an engine. The parameters of the previous one are kept.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SelectEngine")]
public sealed record SelectEngine([property: Id(0)] TtsEngine Engine) : AppStateChange;

/// <summary>
/// Sets the parameters that <paramref name="Patch"/> names; the others stay, so that edits of two clients merge.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.UpdateParameters")]
public sealed record UpdateParameters([property: Id(0)] TtsEngine Engine, [property: Id(1)] TtsParameters Patch) : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.SetStreaming")]
public sealed record SetStreaming([property: Id(0)] bool UseStreaming) : AppStateChange;

/// <summary>Makes a work session the current one; null selects none.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SelectWorkSession")]
public sealed record SelectWorkSession([property: Id(0)] string? Id) : AppStateChange;

/// <summary>The user's choice of slices to sync to every device; null is all.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SetSyncedSlices")]
public sealed record SetSyncedSlices([property: Id(0)] ValueList<Slice>? Slices) : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.UpsertWorkSession")]
public sealed record UpsertWorkSession([property: Id(0)] WorkSession WorkSession) : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.RemoveWorkSession")]
public sealed record RemoveWorkSession([property: Id(0)] string Id) : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.UpsertVoice")]
public sealed record UpsertVoice([property: Id(0)] SavedVoice Voice) : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.RemoveVoice")]
public sealed record RemoveVoice([property: Id(0)] string Id) : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.UpsertChunk")]
public sealed record UpsertChunk([property: Id(0)] Chunk Chunk) : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.RemoveChunk")]
public sealed record RemoveChunk([property: Id(0)] string Id) : AppStateChange;

/// <summary>Sets a chunk's status to any but completed, and drops its audio, if any.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SetChunkStatus")]
public sealed record SetChunkStatus([property: Id(0)] string Id, [property: Id(1)] WorkStatus Status) : AppStateChange;

/// <summary>Gives a chunk its audio and with it the status completed.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.CompleteChunk")]
public sealed record CompleteChunk([property: Id(0)] string Id, [property: Id(1)] AudioRef Audio) : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.UpsertBatchItem")]
public sealed record UpsertBatchItem([property: Id(0)] BatchItem Item) : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.RemoveBatchItem")]
public sealed record RemoveBatchItem([property: Id(0)] string Id) : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.SetBatchItemStatus")]
public sealed record SetBatchItemStatus([property: Id(0)] string Id, [property: Id(1)] WorkStatus Status) : AppStateChange;

/// <summary>Sets whether a generation is running, and of which chunk.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SetGenerating")]
public sealed record SetGenerating([property: Id(0)] bool IsGenerating, [property: Id(1)] string? CurrentGeneratingId)
    : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.SetSystemStatus")]
public sealed record SetSystemStatus([property: Id(0)] string? Status) : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.ReportError")]
public sealed record ReportError([property: Id(0)] TransientError Error) : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.DismissError")]
public sealed record DismissError([property: Id(0)] string Id) : AppStateChange;

[GenerateSerializer, Immutable, Alias("chatterbox.SetVoiceUpload")]
public sealed record SetVoiceUpload([property: Id(0)] string? Name) : AppStateChange;
