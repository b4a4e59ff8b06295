namespace Chatterbox;

[GenerateSerializer, Immutable, Alias("chatterbox.UpsertBatchItem")]
public sealed record UpsertBatchItem([property: Id(0)] BatchItem Item) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.BatchItems;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.Check(Item) ?? Validation.CheckRoom("batchItems", state.BatchItems, Item, TtsLimits.BatchItems);

    protected internal override AppState Apply(AppState state) => state.With(state.BatchItems.Upsert(Item));

    protected internal override int Weigh() => UsualWeight + WeightOf(Item.ChunkIds) + WeightOf(Item.Unknown);

    protected internal override void NoteWork(WorkLog work, string client) =>
        NoteWork(work, Target, Item.Id, Item.Status, client);
}

[GenerateSerializer, Immutable, Alias("chatterbox.RemoveBatchItem")]
public sealed record RemoveBatchItem([property: Id(0)] string Id) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.BatchItems;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.CheckKnown("batchItem.id", state.BatchItems, Id);

    protected internal override AppState Apply(AppState state) => state.With(Without(state.BatchItems, Id));

    protected internal override void NoteWork(WorkLog work, string client) => work.End(Target.Name, Id);
}

[GenerateSerializer, Immutable, Alias("chatterbox.SetBatchItemStatus")]
public sealed record SetBatchItemStatus([property: Id(0)] string Id, [property: Id(1)] WorkStatus Status) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.BatchItems;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.CheckKnown("batchItem.id", state.BatchItems, Id) ?? Validation.CheckStatus("batchItem.status", Status);

    protected internal override AppState Apply(AppState state) =>
        state.With(state.BatchItems.Upsert(state.BatchItems.Find(Id)! with { Status = Status }));

    protected internal override void NoteWork(WorkLog work, string client) =>
        NoteWork(work, Target, Id, Status, client);
}
