using System.Buffers;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Chatterbox;

/// <summary>
/// An app: the slices of its state, its changes, and what the engine has to know of both. Sessions, storage, fan-out, clients,
/// gateway and command line work by this alone. One instance each, in a static member.
/// </summary>
public abstract class AppDefinition
{
    private readonly Dictionary<string, SliceDefinition> _byName;

    private protected AppDefinition(string name, SessionState initial, JsonTypeInfo changes, SliceDefinition[] slices)
    {
        (Name, Initial, ChangeJson, Slices) = (name, initial, changes, slices);
        Stored = [.. slices.Where(slice => slice.IsStored)];
        _byName = slices.DistinctBy(slice => slice.Name).ToDictionary(slice => slice.Name, StringComparer.Ordinal);
        for (var index = 0; index < slices.Length; index++) (slices[index].Index, slices[index].App) = (index, this);
    }

    /// <summary>1 to 64 of a–z, 0–9 and '-'.</summary>
    public string Name { get; }

    /// <summary>The slices: the stored ones first, in the order of their rows.</summary>
    public IReadOnlyList<SliceDefinition> Slices { get; }

    public IReadOnlyList<SliceDefinition> Stored { get; }

    /// <summary>The state of a new session.</summary>
    public SessionState Initial { get; }

    /// <summary>The app's changes as JSON, told apart by their <c>type</c>.</summary>
    internal JsonTypeInfo ChangeJson { get; }

    /// <summary>The change types with their names in JSON.</summary>
    internal IEnumerable<JsonDerivedType> ChangeTypes => ChangeJson.PolymorphismOptions?.DerivedTypes ?? [];

    /// <summary>The JSON of everything in the app's state and changes.</summary>
    internal IJsonTypeInfoResolver Json => ChangeJson.OriginatingResolver!;

    /// <summary>Null for a name that the app does not have.</summary>
    public SliceDefinition? FindSlice(string name) => _byName.GetValueOrDefault(name);

    /// <summary>
    /// Applies one change. A change without effect returns the same instance; a refused one returns it with the reason. Never
    /// throws for anything a client can send.
    /// </summary>
    /// <param name="slices">The slices that the state includes; null is all. The others are not checked.</param>
    public ChangeResult Apply(SessionState state, SessionChange change, ValueList<string>? slices = null)
    {
        try
        {
            return change is null ? new(state, Rejection.OfText("change", null, "a change"))
                : !ReferenceEquals(change.Slice.App, this) ? new(state, WrongApp(change))
                : change.CheckAndApply(state, slices);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // A change that cannot be applied must not stop the changes after it.
            var allowed = $"a change that can be applied ({failure.GetType().Name})";
            return new ChangeResult(state, Rejection.OfText("change", change?.GetType().Name, allowed));
        }
    }

    /// <summary>Checks names of slices that a client asks for. Null when they are all the app's.</summary>
    public Rejection? CheckSlices(ValueList<string> slices, string field = "slices") =>
        slices.FirstOrDefault(name => name is null || !_byName.ContainsKey(name)) is { } wrong
            ? Rejection.OfText(field, wrong, $"of {string.Join(' ', _byName.Keys)}")
        : slices.Contains(null!) ? Rejection.OfText(field, null, $"of {string.Join(' ', _byName.Keys)}")
        : slices.Count > Slices.Count ? new(field, $"{slices.Count}", $"at most {Slices.Count} slices")
        : null;

    /// <summary>Checks a whole state, from an import or from storage.</summary>
    public virtual Rejection? Check(SessionState state) => null;

    /// <summary>The audio clips that a state refers to. May name one more than once.</summary>
    public virtual IEnumerable<AudioRef> ClipsOf(SessionState state) => [];

    /// <summary>The slices that the state's user wants on every device; null is all.</summary>
    public virtual ValueList<string>? ChosenSlices(SessionState state) => null;

    /// <summary>The slice that holds <see cref="ChosenSlices"/>: a store that follows the choice always syncs it.</summary>
    internal virtual SliceDefinition? ChoiceSlice => null;

    /// <summary>
    /// The lists of a browser's stored state that hold audio in base64: the list, what its items are, and the member that refers
    /// to the stored clip here.
    /// </summary>
    internal virtual IReadOnlyList<(string List, string Kind, string Audio)> AudioInLists => [];

    /// <summary>The number of items in each stored slice that is a collection.</summary>
    public virtual ValueList<SliceItems> CountItems(SessionState state) =>
        Stored.Where(slice => slice.IsCollection).Select(slice => new SliceItems(slice.Name, slice.Count(slice.Get(state))))
            .ToValueList();

    /// <summary>A state as JSON for people and scripts: an object with a member for each slice.</summary>
    /// <param name="withNulls">With the members that have no value, so that a path to one is valid.</param>
    public virtual JsonElement ToJson(SessionState state, bool withNulls = false)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes)) WriteState(json, state);
        var reader = new Utf8JsonReader(bytes.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }

    /// <summary>A change as JSON, with its <c>type</c>.</summary>
    public JsonElement ToJson(SessionChange change) => JsonSerializer.SerializeToElement(change, ChangeJson);

    internal void WriteChange(Utf8JsonWriter json, SessionChange change) => JsonSerializer.Serialize(json, change, ChangeJson);

    internal byte[] EncodeChange(SessionChange change) => JsonSerializer.SerializeToUtf8Bytes(change, ChangeJson);

    /// <exception cref="JsonException">It is no change of this app.</exception>
    internal SessionChange ReadChange(JsonElement json) =>
        (SessionChange?)json.Deserialize(ChangeJson) ?? throw new JsonException("There is no change.");

    /// <summary>Writes the slices as an object, those that are not stored only on demand.</summary>
    internal virtual void WriteState(Utf8JsonWriter json, SessionState state, bool all = true)
    {
        json.WriteStartObject();
        foreach (var slice in all ? Slices : Stored)
        {
            json.WritePropertyName(slice.Name);
            slice.Write(json, slice.Get(state));
        }
        json.WriteEndObject();
    }

    /// <summary>The state with the slices of another one where they are never stored.</summary>
    internal SessionState WithUnstored(SessionState state, SessionState other)
    {
        for (var index = Stored.Count; index < Slices.Count; index++) state = Slices[index].With(state, Slices[index].Get(other));
        return state;
    }

    /// <summary>The mistakes in the definition, in words. Checked when a silo or a client starts with it.</summary>
    internal virtual IEnumerable<string> Problems
    {
        get
        {
            if (Text.CheckStore(Name) is { } name) yield return $"name: must be {name.Allowed}, was {name.Value}";
            if (Slices.Count == 0) yield return "slices: must be 1 or more, was 0";
            foreach (var slice in Slices)
            {
                if (!IsName(slice.Name))
                    yield return $"slice '{slice.Name}': must be named by 1 to {Limits.StoreLength} ASCII letters, digits or "
                        + "'-', a letter first";
                if (slice.Name is "recovery" or "history" || slice.Name.StartsWith("history-", StringComparison.Ordinal))
                    yield return $"slice '{slice.Name}': must have a name that no row of the engine has";
                if (slice.StateType != Initial.GetType())
                    yield return $"slice '{slice.Name}': must be of {Initial.GetType().Name}, was of {slice.StateType.Name}";
                if (!ReferenceEquals(slice.App, this))
                    yield return $"slice '{slice.Name}': must be of one app, was also of another";
            }
            foreach (var twice in Twice(Slices.Select(slice => slice.Name)))
                yield return $"slice '{twice}': must be unique, was defined twice";
            if (!Slices.Take(Stored.Count).SequenceEqual(Stored))
                yield return "slices: must begin with those that are stored";
            foreach (var problem in Aliases([Initial.GetType(), .. ChangeTypes.Select(change => change.DerivedType)]))
                yield return problem;
            if (!ChangeTypes.Any()) yield return "changes: must be 1 or more [JsonDerivedType] of the app's change, was 0";
            foreach (var change in ChangeTypes.Where(change => change.TypeDiscriminator is not string { Length: > 0 }))
                yield return $"change {change.DerivedType.Name}: must have a name in JSON, had none";
            foreach (var twice in Twice(ChangeTypes.Select(change => change.TypeDiscriminator as string ?? "")))
                yield return $"change '{twice}': must be unique, was defined twice";
        }
    }

    /// <exception cref="InvalidOperationException">The definition has a mistake; the message names all of them.</exception>
    internal void EnsureValid()
    {
        if (Problems.ToArray() is { Length: > 0 } problems)
            throw new InvalidOperationException($"app {Name}: {string.Join("; ", problems)}");
    }

    private static IEnumerable<string> Aliases(Type[] types)
    {
        foreach (var type in types)
        {
            if (!type.IsDefined(typeof(GenerateSerializerAttribute), inherit: false))
                yield return $"{type.Name}: must have [GenerateSerializer], had none";
            if (AliasOf(type) is null) yield return $"{type.Name}: must have an [Alias], had none";
        }
    }

    private static string? AliasOf(Type type) =>
        type.GetCustomAttributes<AliasAttribute>(inherit: false).FirstOrDefault()?.Alias;

    private static IEnumerable<string> Twice(IEnumerable<string> names) =>
        names.GroupBy(name => name, StringComparer.Ordinal).Where(same => same.Skip(1).Any()).Select(same => same.Key);

    private static bool IsName(string? name) => name is { Length: > 0 and <= Limits.StoreLength } && char.IsAsciiLetter(name[0])
        && name.All(character => char.IsAsciiLetterOrDigit(character) || character == '-');

    private Rejection WrongApp(SessionChange change) =>
        Rejection.OfText("change", change.GetType().Name, $"a change of the app '{Name}'");
}

/// <summary>An app with a state of type <typeparamref name="TState"/> and changes derived from
/// <typeparamref name="TChange"/>.</summary>
/// <param name="changes">JSON of the changes: <typeparamref name="TChange"/> has <c>[JsonPolymorphic]</c> with the name
/// <c>type</c>, and a <c>[JsonDerivedType]</c> for each.</param>
/// <param name="slices">The stored ones first. The order is that of the rows and may change.</param>
public abstract class AppDefinition<TState, TChange>(
    string name, TState initial, JsonTypeInfo<TChange> changes, params SliceDefinition[] slices)
    : AppDefinition(name, initial, changes, slices)
    where TState : SessionState
    where TChange : Change<TState>
{
    public new TState Initial { get; } = initial;

    public sealed override Rejection? Check(SessionState state) => CheckState((TState)state);

    public sealed override IEnumerable<AudioRef> ClipsOf(SessionState state) => ClipsOf((TState)state);

    public sealed override ValueList<string>? ChosenSlices(SessionState state) => ChosenSlices((TState)state);

    /// <inheritdoc cref="AppDefinition.Check(SessionState)"/>
    protected virtual Rejection? CheckState(TState state) => null;

    /// <inheritdoc cref="AppDefinition.ClipsOf(SessionState)"/>
    public virtual IEnumerable<AudioRef> ClipsOf(TState state) => [];

    /// <inheritdoc cref="AppDefinition.ChosenSlices(SessionState)"/>
    public virtual ValueList<string>? ChosenSlices(TState state) => null;
}
