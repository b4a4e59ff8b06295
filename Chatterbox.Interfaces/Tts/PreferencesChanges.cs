namespace Chatterbox;

/// <summary>Selects an engine. The parameters of the previous one are kept.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SelectEngine")]
public sealed record SelectEngine([property: Id(0)] TtsEngine Engine) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Preferences;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.CheckEngine(Engine);

    protected internal override AppState Apply(AppState state)
    {
        var before = state.Preferences;
        return state.With(before with
        {
            Engine = Engine,
            Parameters = before.ParametersOf(Engine),
            OtherEngines = before.OtherEngines.With(before.Engine, before.Parameters).With(Engine, null),
        });
    }

    protected internal override int? MostBytes() => 128;
}

/// <summary>
/// Sets the parameters that <paramref name="Patch"/> names; the others stay, so that edits of two clients merge.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.UpdateParameters")]
public sealed record UpdateParameters([property: Id(0)] TtsEngine Engine, [property: Id(1)] TtsParameters Patch) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Preferences;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Validation.CheckParameters("parameters", Engine, Patch, whole: false);

    protected internal override AppState Apply(AppState state)
    {
        var preferences = state.Preferences;
        var before = preferences.ParametersOf(Engine);
        var after = before.With(Patch);
        if (after == before) return state;
        return state with
        {
            Preferences = Engine == preferences.Engine
                ? preferences with { Parameters = after }
                : preferences with { OtherEngines = preferences.OtherEngines.With(Engine, after) },
        };
    }

    protected internal override int? MostBytes() => Patch is { Unknown: null, LanguageId: null } ? 512 : null;
}

[GenerateSerializer, Immutable, Alias("chatterbox.SetStreaming")]
public sealed record SetStreaming([property: Id(0)] bool UseStreaming) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Preferences;

    protected internal override AppState Apply(AppState state) =>
        state.With(state.Preferences with { UseStreaming = UseStreaming });

    protected internal override int? MostBytes() => 128;
}

/// <summary>Makes a work session the current one; null selects none.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SelectWorkSession")]
public sealed record SelectWorkSession([property: Id(0)] string? Id) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Preferences;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Id is null ? null
        : slices?.Contains(TtsApp.WorkSessions.Name) is false ? Text.CheckId("workSession.id", Id)
        : Validation.CheckKnown("workSession.id", state.WorkSessions, Id);

    protected internal override AppState Apply(AppState state) => state.With(state.Preferences with { CurrentSessionId = Id });
}

/// <summary>The user's choice of slices to sync to every device, by name; null is all.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SetSyncedSlices")]
public sealed record SetSyncedSlices([property: Id(0)] ValueList<string>? Slices) : AppStateChange
{
    protected override SliceDefinition Target => TtsApp.Preferences;

    protected internal override Rejection? Check(AppState state, ValueList<string>? slices) =>
        Slices is null ? null : Validation.CheckSlices(Slices);

    protected internal override AppState Apply(AppState state) => state.With(state.Preferences with { SyncedSlices = Slices });
}
