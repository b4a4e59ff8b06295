using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Chatterbox;

/// <summary>
/// A slice of an app: a part of its state that is stored, sent and subscribed to on its own. Rows and messages name it; its index
/// is private to the definition.
/// </summary>
public abstract class SliceDefinition
{
    private protected SliceDefinition(string name, bool isStored) => (Name, IsStored) = (name, isStored);

    /// <summary>The name in JSON, in messages and of the row.</summary>
    public string Name { get; }

    /// <summary>Whether it is ever stored. A slice that is not stored is work in progress, sent to every client.</summary>
    public bool IsStored { get; }

    /// <summary>Its position among the slices of its app.</summary>
    internal int Index { get; set; } = -1;

    internal AppDefinition? App { get; set; }

    internal abstract Type StateType { get; }

    /// <summary>Whether it holds a number of items, rather than one value.</summary>
    internal abstract bool IsCollection { get; }

    internal abstract object Get(SessionState state);

    internal abstract SessionState With(SessionState state, object value);

    /// <summary>The number of items in it.</summary>
    internal abstract int Count(object value);

    internal abstract void Write(Utf8JsonWriter writer, object value);

    /// <exception cref="JsonException">The JSON is not the slice.</exception>
    internal abstract object Read(ref Utf8JsonReader reader);

    /// <exception cref="JsonException">The JSON is not the slice.</exception>
    internal abstract object Read(JsonNode node);

    /// <summary>Bytes of JSON.</summary>
    internal long Measure(object value)
    {
        using var json = new Utf8JsonWriter(Stream.Null);
        Write(json, value);
        return json.BytesCommitted + json.BytesPending;
    }

    public override string ToString() => Name;
}

/// <param name="json">How the slice is stored and exported.</param>
public sealed class SliceDefinition<TState, T>(
    string name, Func<TState, T> get, Func<TState, T, TState> with, JsonTypeInfo<T> json, bool isStored = true)
    : SliceDefinition(name, isStored)
    where TState : SessionState
    where T : class
{
    /// <summary>The number of items that status and storage information show; by default those of a collection, or 1.</summary>
    public Func<T, int> Items { get; init; } = value => value is System.Collections.ICollection items ? items.Count
        : value is IReadOnlyCollection<object> list ? list.Count
        : 1;

    /// <summary>Fills in members unknown to an older writer.</summary>
    public Func<T, T> Complete { get; init; } = value => value;

    /// <summary>Finds content that the slice must not hold, however it got into storage.</summary>
    public Func<T, Rejection?> Check { get; init; } = _ => null;

    internal override Type StateType => typeof(TState);

    internal override bool IsCollection { get; } = typeof(System.Collections.IEnumerable).IsAssignableFrom(typeof(T));

    internal override object Get(SessionState state) => get((TState)state);

    internal override SessionState With(SessionState state, object value) => with((TState)state, (T)value);

    internal override int Count(object value) => Items((T)value);

    internal override void Write(Utf8JsonWriter writer, object value) => JsonSerializer.Serialize(writer, (T)value, json);

    internal override object Read(ref Utf8JsonReader reader) => Finish(reader.ReadValue(json));

    internal override object Read(JsonNode node) => Finish(node.Deserialize(json));

    private T Finish(T? read)
    {
        var value = Complete(read ?? throw new JsonException($"The {Name} are null."));
        return Check(value) is { } wrong ? throw new SliceRejectedException(wrong) : value;
    }
}

/// <summary>The JSON is the slice, but its content is invalid.</summary>
internal sealed class SliceRejectedException(Rejection why) : JsonException(why.Message)
{
    public Rejection Why => why;
}
