namespace Chatterbox;

/// <summary>Sets whether a generation is running, and of which chunk.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SetGenerating")]
public sealed record SetGenerating([property: Id(0)] bool IsGenerating, [property: Id(1)] string? CurrentGeneratingId)
    : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Runtime;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        CurrentGeneratingId is null ? null : Text.CheckId("currentGeneratingId", CurrentGeneratingId);

    protected internal override AppState Apply(AppState state) =>
        state.With(state.Runtime with { IsGenerating = IsGenerating, CurrentGeneratingId = CurrentGeneratingId });

    protected internal override void NoteWork(WorkLog work, string client)
    {
        // Several clients may generate at once; the first that ends ends it for all.
        if (IsGenerating) work.Begin(Target.Name, client, client);
        else work.EndAll(Target.Name);
    }
}

[GenerateSerializer, Immutable, Alias("chatterbox.SetSystemStatus")]
public sealed record SetSystemStatus([property: Id(0)] string? Status) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Runtime;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Status is null ? null : Text.CheckText("systemStatus", Status, 0, TtsLimits.MessageLength);

    protected internal override AppState Apply(AppState state) => state.With(state.Runtime with { SystemStatus = Status });
}

[GenerateSerializer, Immutable, Alias("chatterbox.ReportError")]
public sealed record ReportError([property: Id(0)] TransientError Error) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Runtime;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Error is null
            ? Rejection.OfText("error", null, "an error")
            : Text.CheckId("error.id", Error.Id) ?? Text.CheckText("error.message", Error.Message, 1, TtsLimits.MessageLength);

    protected internal override AppState Apply(AppState state)
    {
        // The oldest are dropped: an app that keeps failing does not fill the session.
        var added = state.Runtime.Errors.Upsert(Error);
        if (added.Count > TtsLimits.TransientErrors) added = added.RemoveAt(0);
        return state.With(state.Runtime with { Errors = added });
    }

    protected internal override int Weigh() => sizeof(char) * TtsLimits.MessageLength;
}

[GenerateSerializer, Immutable, Alias("chatterbox.DismissError")]
public sealed record DismissError([property: Id(0)] string Id) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Runtime;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.CheckKnown("error.id", state.Runtime.Errors, Id);

    protected internal override AppState Apply(AppState state) =>
        state.With(state.Runtime with { Errors = Without(state.Runtime.Errors, Id) });
}

[GenerateSerializer, Immutable, Alias("chatterbox.SetVoiceUpload")]
public sealed record SetVoiceUpload([property: Id(0)] string? Name) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Runtime;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Name is null ? null : Text.CheckName("voiceUpload", Name);

    protected internal override AppState Apply(AppState state) => state.With(state.Runtime with { VoiceUpload = Name });
}
