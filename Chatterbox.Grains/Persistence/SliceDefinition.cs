using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Chatterbox.Grains.Persistence;

/// <summary>The persistence of a slice: its place in the state, and its serialization.</summary>
internal abstract class SliceDefinition(Slice slice)
{
    /// <summary>
    /// The JSON of <see cref="ChatterboxJson"/>, by reflection: source-generated code passes the members of a record as boxed
    /// constructor arguments, which takes 50 % longer and allocates a third more.
    /// </summary>
    protected static JsonSerializerOptions Json { get; } = ByReflection();

    /// <summary>The persisted slices, indexed by their number.</summary>
    public static IReadOnlyList<SliceDefinition> All { get; } =
    [
        new SliceDefinition<Preferences>(Slice.Preferences, state => state.Preferences,
            (state, value) => state with { Preferences = value }, _ => 1, Complete, Validation.CheckPreferences),
        List(Slice.WorkSessions, state => state.WorkSessions,
            (state, value) => state with { WorkSessions = value }),
        List(Slice.SavedVoices, state => state.SavedVoices,
            (state, value) => state with { SavedVoices = value }),
        List(Slice.Chunks, state => state.Chunks,
            (state, value) => state with { Chunks = value }),
        List(Slice.BatchItems, state => state.BatchItems,
            (state, value) => state with { BatchItems = value }),
    ];

    public Slice Slice { get; } = slice;

    /// <summary>The name in JSON and of the row.</summary>
    public string Name { get; } = JsonNamingPolicy.CamelCase.ConvertName(slice.ToString());

    public abstract object Get(AppState state);

    public abstract AppState With(AppState state, object value);

    public abstract int Count(object value);

    public abstract void Write(Utf8JsonWriter writer, object value);

    /// <summary>Bytes of JSON.</summary>
    public long Measure(object value)
    {
        using var json = new Utf8JsonWriter(Stream.Null);
        Write(json, value);
        return json.BytesCommitted + json.BytesPending;
    }

    /// <exception cref="JsonException">The JSON is not the slice.</exception>
    public abstract object Read(ref Utf8JsonReader reader);

    /// <exception cref="JsonException">The JSON is not the slice.</exception>
    public abstract object Read(JsonNode node);

    private static JsonSerializerOptions ByReflection()
    {
        var options = new JsonSerializerOptions(ChatterboxJson.Default.Options)
        {
            TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
            Converters = { new JsonStringEnumConverter() },
        };
        // Otherwise converters called before the serializer's first use would find no members: a silo reads before it writes.
        options.MakeReadOnly();
        return options;
    }

    private static SliceDefinition<ValueList<T>> List<T>(
        Slice slice, Func<AppState, ValueList<T>> get, Func<AppState, ValueList<T>, AppState> with)
        where T : IKeyed =>
        new(slice, get, with, list => list.Count, list => list, list => list.FirstDuplicateId() is { } id
            ? Rejection.OfText("id", id, "unique")
            : null);

    // A parameter added by a later version of the engine gets its default wherever it is missing. An unknown engine is left to
    // the check.
    private static Preferences Complete(Preferences stored) => !Enum.IsDefined(stored.Engine) ? stored : stored with
    {
        Parameters = TtsParameters.DefaultsFor(stored.Engine).With(stored.Parameters),
        OtherEngines = Enum.GetValues<TtsEngine>().Aggregate(stored.OtherEngines, (engines, engine) =>
            engines.Of(engine) is { } parameters
                ? engines.With(engine, TtsParameters.DefaultsFor(engine).With(parameters)) : engines),
    };
}

/// <param name="complete">Fills in members unknown to an older writer.</param>
/// <param name="check">Finds content that a slice must not hold, however it got into storage.</param>
internal sealed class SliceDefinition<T>(
    Slice slice, Func<AppState, T> get, Func<AppState, T, AppState> with,
    Func<T, int> count, Func<T, T> complete, Func<T, Rejection?> check) : SliceDefinition(slice)
    where T : class
{
    private readonly JsonTypeInfo<T> json = (JsonTypeInfo<T>)Json.GetTypeInfo(typeof(T));

    public override object Get(AppState state) => get(state);

    public override AppState With(AppState state, object value) => with(state, (T)value);

    public override int Count(object value) => count((T)value);

    public override void Write(Utf8JsonWriter writer, object value) => JsonSerializer.Serialize(writer, (T)value, json);

    public override object Read(ref Utf8JsonReader reader) => Finish(reader.ReadValue(json));

    public override object Read(JsonNode node) => Finish(node.Deserialize(json));

    private T Finish(T? read)
    {
        var value = complete(read ?? throw new JsonException($"The {Name} are null."));
        return check(value) is { } wrong ? throw new SliceRejectedException(wrong) : value;
    }
}

/// <summary>The JSON is the slice, but its content is invalid.</summary>
internal sealed class SliceRejectedException(Rejection why) : JsonException(why.Message)
{
    public Rejection Why => why;
}
