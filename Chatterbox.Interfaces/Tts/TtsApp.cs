using System.Text.Json;

namespace Chatterbox;

/// <summary>The text-to-speech app.</summary>
public sealed class TtsApp : AppDefinition<AppState, AppStateChange>
{
    public static readonly SliceDefinition<AppState, Preferences> Preferences = new(TtsSlice.Preferences,
        state => state.Preferences, (state, value) => state with { Preferences = value }, TtsJson.Stored<Preferences>())
    {
        Items = _ => 1, Complete = Completed, Check = Validation.CheckPreferences,
    };

    public static readonly SliceDefinition<AppState, ValueList<WorkSession>> WorkSessions =
        List<WorkSession>(
            TtsSlice.WorkSessions, state => state.WorkSessions, (state, value) => state with { WorkSessions = value });

    public static readonly SliceDefinition<AppState, ValueList<SavedVoice>> SavedVoices =
        List<SavedVoice>(TtsSlice.SavedVoices, state => state.SavedVoices, (state, value) => state with { SavedVoices = value });

    public static readonly SliceDefinition<AppState, ValueList<Chunk>> Chunks =
        List<Chunk>(TtsSlice.Chunks, state => state.Chunks, (state, value) => state with { Chunks = value });

    public static readonly SliceDefinition<AppState, ValueList<BatchItem>> BatchItems =
        List<BatchItem>(TtsSlice.BatchItems, state => state.BatchItems, (state, value) => state with { BatchItems = value });

    public static readonly SliceDefinition<AppState, RuntimeState> Runtime = new(TtsSlice.Runtime,
        state => state.Runtime, (state, value) => state with { Runtime = value }, TtsJson.Stored<RuntimeState>(),
        isStored: false);

    private TtsApp() : base("tts", AppState.Initial, TtsJson.Default.AppStateChange,
        Preferences, WorkSessions, SavedVoices, Chunks, BatchItems, Runtime) { }

    public static TtsApp Instance { get; } = new();

    protected override Rejection? CheckState(AppState state) => Validation.Check(state);

    public override IEnumerable<AudioRef> ClipsOf(AppState state) =>
        state.Chunks.Select(chunk => chunk.Audio).Concat(state.SavedVoices.Select(voice => voice.Prompt)).OfType<AudioRef>();

    public override ValueList<string>? ChosenSlices(AppState state) => state.Preferences.SyncedSlices;

    public override JsonElement ToJson(SessionState state, bool withNulls = false) => withNulls
        ? JsonSerializer.SerializeToElement((AppState)state, TtsJson.Complete.AppState)
        : base.ToJson(state);

    internal override SliceDefinition ChoiceSlice => Preferences;

    internal override IReadOnlyList<(string List, string Kind, string Audio)> AudioInLists { get; } =
        [("chunks", "chunk(s)", "audio"), ("savedVoices", "voice(s)", "prompt")];

    private static SliceDefinition<AppState, ValueList<T>> List<T>(
        string name, Func<AppState, ValueList<T>> get, Func<AppState, ValueList<T>, AppState> with)
        where T : IKeyed =>
        new(name, get, with, TtsJson.Stored<ValueList<T>>())
        {
            Items = list => list.Count,
            Check = list => list.FirstDuplicateId() is { } id ? Rejection.OfText("id", id, "unique") : null,
        };

    // A parameter added by a later version of the engine gets its default wherever it is missing. An unknown engine is left to
    // the check.
    private static Preferences Completed(Preferences stored) => !Enum.IsDefined(stored.Engine) ? stored : stored with
    {
        Parameters = TtsParameters.DefaultsFor(stored.Engine).With(stored.Parameters),
        OtherEngines = Enum.GetValues<TtsEngine>().Aggregate(stored.OtherEngines, (engines, engine) =>
            engines.Of(engine) is { } parameters
                ? engines.With(engine, TtsParameters.DefaultsFor(engine).With(parameters)) : engines),
    };
}
