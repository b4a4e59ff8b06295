using System.Collections;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Chatterbox;

/// <summary>An item identified by its id in a list.</summary>
public interface IKeyed
{
    string Id { get; }
}

/// <summary>An immutable list with value equality: equal when the items are, in order. JSON: an array.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.ValueList`1")]
[JsonConverter(typeof(ValueListJsonConverterFactory))]
[CollectionBuilder(typeof(ValueList), nameof(ValueList.Create))]
public sealed class ValueList<T> : IReadOnlyList<T>, IEquatable<ValueList<T>>
{
    [Id(0)]
    private readonly T[] _items;

    internal ValueList(T[] items) => _items = items;

    internal static ValueList<T> Empty { get; } = new([]);

    public int Count => _items.Length;

    public T this[int index] => _items[index];

    public ReadOnlySpan<T> AsSpan() => _items;

    public ValueList<T> Add(T item) => new([.. _items, item]);

    public ValueList<T> SetItem(int index, T item)
    {
        var items = (T[])_items.Clone();
        items[index] = item;
        return new(items);
    }

    public ValueList<T> RemoveAt(int index) => new([.. _items.AsSpan(0, index), .. _items.AsSpan(index + 1)]);

    public bool Equals(ValueList<T>? other) =>
        ReferenceEquals(this, other) || (other is not null && _items.AsSpan().SequenceEqual(other._items));

    public override bool Equals(object? obj) => Equals(obj as ValueList<T>);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var item in _items) hash.Add(item);
        return hash.ToHashCode();
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>Creates value lists, and uses them as collections keyed by id.</summary>
public static class ValueList
{
    public static ValueList<T> Create<T>(ReadOnlySpan<T> items) => items.IsEmpty ? ValueList<T>.Empty : new(items.ToArray());

    public static ValueList<T> ToValueList<T>(this IEnumerable<T> items) => Create<T>(items.ToArray());

    public static int IndexOf<T>(this ValueList<T> list, string? id) where T : IKeyed
    {
        var items = list.AsSpan();
        for (var index = 0; index < items.Length; index++)
        {
            if (string.Equals(items[index].Id, id, StringComparison.Ordinal)) return index;
        }
        return -1;
    }

    public static T? Find<T>(this ValueList<T> list, string? id) where T : class, IKeyed =>
        list.IndexOf(id) is >= 0 and var index ? list[index] : null;

    /// <summary>
    /// Replaces the item of this id in place, or adds it at the end. Returns the same list when nothing changes.
    /// </summary>
    public static ValueList<T> Upsert<T>(this ValueList<T> list, T item) where T : class, IKeyed =>
        list.IndexOf(item.Id) switch
        {
            < 0 => list.Add(item),
            var index when list[index].Equals(item) => list,
            var index => list.SetItem(index, item),
        };

    /// <summary>The first id that two items share, or null.</summary>
    public static string? FirstDuplicateId<T>(this ValueList<T> list) where T : IKeyed
    {
        var seen = new HashSet<string>(list.Count, StringComparer.Ordinal);
        foreach (var item in list)
        {
            if (!seen.Add(item.Id)) return item.Id;
        }
        return null;
    }
}

/// <summary>Reads and writes value lists of any item. Public for the JSON source generator of other apps.</summary>
public sealed class ValueListJsonConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) =>
        typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(ValueList<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(Converter<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;

    private sealed class Converter<T> : JsonConverter<ValueList<T>>
    {
        public override ValueList<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException("An array is expected.");
            var item = (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
            var items = new List<T>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                items.Add(reader.ReadValue(item) ?? throw new JsonException("An item of an array is null."));
            }
            return items.ToValueList();
        }

        public override void Write(Utf8JsonWriter writer, ValueList<T> value, JsonSerializerOptions options)
        {
            var item = (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
            writer.WriteStartArray();
            foreach (var each in value) JsonSerializer.Serialize(writer, each, item);
            writer.WriteEndArray();
        }
    }
}
