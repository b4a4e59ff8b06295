namespace Chatterbox;

[GenerateSerializer, Immutable, Alias("chatterbox.UpsertChunk")]
public sealed record UpsertChunk([property: Id(0)] Chunk Chunk) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Chunks;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.Check(Chunk) ?? Validation.CheckRoom("chunks", state.Chunks, Chunk, TtsLimits.Chunks);

    protected internal override AppState Apply(AppState state) => state.With(state.Chunks.Upsert(Chunk));

    protected internal override int Weigh() => UsualWeight + (sizeof(char) * Chunk.Text.Length) + WeightOf(Chunk.Unknown);

    protected internal override void NoteWork(WorkLog work, string client) =>
        NoteWork(work, Target, Chunk.Id, Chunk.Status, client);
}

[GenerateSerializer, Immutable, Alias("chatterbox.RemoveChunk")]
public sealed record RemoveChunk([property: Id(0)] string Id) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Chunks;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.CheckKnown("chunk.id", state.Chunks, Id);

    protected internal override AppState Apply(AppState state) => state.With(Without(state.Chunks, Id));

    protected internal override void NoteWork(WorkLog work, string client) => work.End(Target.Name, Id);
}

/// <summary>Sets a chunk's status to any but completed, and drops its audio, if any.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SetChunkStatus")]
public sealed record SetChunkStatus([property: Id(0)] string Id, [property: Id(1)] WorkStatus Status) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Chunks;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.CheckKnown("chunk.id", state.Chunks, Id) ?? Validation.CheckOpenStatus("chunk.status", Status);

    protected internal override AppState Apply(AppState state) =>
        state.With(state.Chunks.Upsert(state.Chunks.Find(Id)! with { Status = Status, Audio = null }));

    protected internal override void NoteWork(WorkLog work, string client) =>
        NoteWork(work, Target, Id, Status, client);
}

/// <summary>Gives a chunk its audio and with it the status completed.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.CompleteChunk")]
public sealed record CompleteChunk([property: Id(0)] string Id, [property: Id(1)] AudioRef Audio) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Chunks;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.CheckKnown("chunk.id", state.Chunks, Id) ?? Validation.Check("chunk.audio", Audio);

    protected internal override AppState Apply(AppState state) =>
        state.With(state.Chunks.Upsert(state.Chunks.Find(Id)! with { Status = WorkStatus.Completed, Audio = Audio }));

    protected internal override void NoteWork(WorkLog work, string client) => work.End(Target.Name, Id);
}
