namespace Chatterbox.Client;

/// <summary>A part of a store's state, to read, listen to or watch.</summary>
/// <param name="comparer">What counts as the same.</param>
public sealed class StoreSelection<T>(ChatterboxStore store, Func<AppState, T> selector, IEqualityComparer<T>? comparer = null)
{
    /// <summary>Its current value.</summary>
    public T Value => selector(store.State);

    /// <summary>Calls the listener with the new and the previous value after each change, on a listener thread.</summary>
    public IDisposable Subscribe(Action<T, T> listener) => store.Subscribe(selector, listener, comparer);

    /// <summary>Its value now, then each new one. Ends when the store is closed.</summary>
    public IAsyncEnumerable<T> Watch(CancellationToken cancellationToken = default) =>
        store.Watch(selector, comparer, cancellationToken);
}

/// <summary>The chunks, as an app shows them. Equal when the chunks are.</summary>
public sealed record ChunkList(ValueList<Chunk> All)
{
    public int Count => All.Count;

    /// <summary>The chunks that have audio.</summary>
    public IEnumerable<Chunk> Completed => Of(WorkStatus.Completed);

    public IEnumerable<Chunk> Pending => Of(WorkStatus.Pending);

    public IEnumerable<Chunk> Generating => Of(WorkStatus.Generating);

    public IEnumerable<Chunk> Failed => Of(WorkStatus.Error);

    /// <summary>The chunks interrupted by a crash, ready to run again.</summary>
    public IEnumerable<Chunk> Interrupted => Of(WorkStatus.Interrupted);

    /// <summary>The chunk of this id; null for an unknown id.</summary>
    public Chunk? this[string id] => All.Find(id);

    public IEnumerable<Chunk> Of(WorkStatus status) => All.Where(chunk => chunk.Status == status);
}

/// <summary>The selected engine's parameters, with their ranges.</summary>
public sealed record EngineParameters(TtsEngine Engine, TtsParameters Values)
{
    /// <summary>The engine's parameters in the model's order, without those it ignores, as a settings panel needs them.</summary>
    public IEnumerable<ParameterValue> All => TtsParameterSpec.For(Engine).Where(spec => !spec.Ignored)
        .Select(spec => new ParameterValue(spec, TtsParameterSpec.Named(Values).First(each => each.Name == spec.Name).Value));

    /// <summary>By the model's name, such as <c>cfg_weight</c>; null when the engine has no such parameter.</summary>
    public ParameterValue? this[string name] => All.FirstOrDefault(each => each.Spec.Name == name);
}

/// <summary>A parameter's value and range.</summary>
public sealed record ParameterValue(TtsParameterSpec Spec, object? Value);

/// <summary>Selections that most apps need.</summary>
public static class StoreSelections
{
    /// <summary>A part of the state.</summary>
    /// <param name="comparer">What counts as the same; by default equality.</param>
    public static StoreSelection<T> Select<T>(this ChatterboxStore store, Func<AppState, T> selector,
        IEqualityComparer<T>? comparer = null) =>
        new(store, selector, comparer);

    /// <summary>The chunks.</summary>
    public static StoreSelection<ChunkList> Chunks(this ChatterboxStore store) => new(store, state => new(state.Chunks));

    /// <summary>The selected engine's parameters.</summary>
    public static StoreSelection<EngineParameters> Parameters(this ChatterboxStore store) =>
        new(store, state => new(state.Preferences.Engine, state.Preferences.Parameters));
}
