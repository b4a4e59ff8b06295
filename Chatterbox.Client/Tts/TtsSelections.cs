namespace Chatterbox.Client;

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

/// <summary>Selections that most text-to-speech apps need.</summary>
public static class TtsSelections
{
    /// <summary>The chunks.</summary>
    public static StoreSelection<ChunkList> Chunks(this ChatterboxStore store) =>
        store.Select(state => new ChunkList(state.Chunks));

    /// <summary>The selected engine's parameters.</summary>
    public static StoreSelection<EngineParameters> Parameters(this ChatterboxStore store) =>
        store.Select(state => new EngineParameters(state.Preferences.Engine, state.Preferences.Parameters));
}
