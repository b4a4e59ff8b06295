namespace Chatterbox;

[GenerateSerializer, Immutable, Alias("chatterbox.UpsertWorkSession")]
public sealed record UpsertWorkSession([property: Id(0)] WorkSession WorkSession) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.WorkSessions;

    protected override bool MayOutgrowStore => true;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.Check(WorkSession) ?? Validation.CheckRoom("workSessions", state.WorkSessions, WorkSession,
            TtsLimits.WorkSessions);

    protected internal override AppState Apply(AppState state) => state.With(state.WorkSessions.Upsert(WorkSession));

    protected internal override int Weigh() => UsualWeight + WeightOf(WorkSession.ChunkIds) + WeightOf(WorkSession.Unknown);
}

[GenerateSerializer, Immutable, Alias("chatterbox.RemoveWorkSession")]
public sealed record RemoveWorkSession([property: Id(0)] string Id) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.WorkSessions;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.CheckKnown("workSession.id", state.WorkSessions, Id);

    protected internal override AppState Apply(AppState state) => state.With(Without(state.WorkSessions, Id));
}

[GenerateSerializer, Immutable, Alias("chatterbox.UpsertVoice")]
public sealed record UpsertVoice([property: Id(0)] SavedVoice Voice) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.SavedVoices;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.Check(Voice) ?? Validation.CheckRoom("savedVoices", state.SavedVoices, Voice, TtsLimits.SavedVoices);

    protected internal override AppState Apply(AppState state) => state.With(state.SavedVoices.Upsert(Voice));

    protected internal override int Weigh() => UsualWeight + WeightOf(Voice.Unknown);
}

[GenerateSerializer, Immutable, Alias("chatterbox.RemoveVoice")]
public sealed record RemoveVoice([property: Id(0)] string Id) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.SavedVoices;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.CheckKnown("voice.id", state.SavedVoices, Id);

    protected internal override AppState Apply(AppState state) => state.With(Without(state.SavedVoices, Id));
}
