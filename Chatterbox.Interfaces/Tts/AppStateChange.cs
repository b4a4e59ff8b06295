using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>
/// The changes of an <see cref="AppState"/>: a closed set, each of exactly one slice. Members are only ever appended; their
/// bytes are pinned by tests.
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
public abstract record AppStateChange : Change<AppState>
{
    private protected AppStateChange() { }

    private protected static int WeightOf(ValueList<string> ids)
    {
        var size = 0;
        foreach (var id in ids.AsSpan()) size += 32 + sizeof(char) * id.Length;
        return size;
    }

    private protected static int WeightOf(UnknownMembers? unknown) => unknown is null ? 0 : UsualWeight * unknown.Count;

    private protected static void NoteWork(WorkLog work, SliceDefinition slice, string id, WorkStatus status, string client)
    {
        if (status.IsUnfinished()) work.Begin(slice.Name, id, client);
        else work.End(slice.Name, id);
    }

    private protected static ValueList<T> Without<T>(ValueList<T> list, string id) where T : class, IKeyed =>
        list.RemoveAt(list.IndexOf(id));
}
