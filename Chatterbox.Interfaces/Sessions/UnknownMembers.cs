using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Chatterbox;

/// <summary>
/// JSON members unknown to this version of the code. They are kept and written back, so that a newer version's
/// data survives a round trip through an older one. Immutable: only the JSON reader fills it, and only until it is first read.
/// </summary>
/// <remarks>Equal members have the same names and the same JSON; numbers are compared as text.</remarks>
[SuppressMessage("Naming", "CA1710", Justification = "The name says what it holds.")]
public sealed class UnknownMembers : IReadOnlyDictionary<string, JsonElement>, IDictionary<string, JsonElement>,
    IEquatable<UnknownMembers>
{
    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.Ordinal);
    private bool _isSealed;

    /// <summary>For the JSON reader, which adds members one by one.</summary>
    public UnknownMembers() { }

    public UnknownMembers(IEnumerable<KeyValuePair<string, JsonElement>> members)
    {
        // Cloned: the element's document may be disposed.
        foreach (var (name, value) in members)
        {
            _members[name] = value.ValueKind is JsonValueKind.Undefined ? value : value.Clone();
        }
        _isSealed = true;
    }

    public int Count => Read.Count;

    public IEnumerable<string> Keys => Read.Keys;

    public IEnumerable<JsonElement> Values => Read.Values;

    public JsonElement this[string key] => Read[key];

    private Dictionary<string, JsonElement> Read
    {
        get
        {
            _isSealed = true;
            return _members;
        }
    }

    public bool ContainsKey(string key) => _members.ContainsKey(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out JsonElement value) => Read.TryGetValue(key, out value);

    public IEnumerator<KeyValuePair<string, JsonElement>> GetEnumerator() => Read.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(UnknownMembers? other) =>
        ReferenceEquals(this, other) || (other is not null && Count == other.Count
            && this.All(member => other.TryGetValue(member.Key, out var value) && JsonText.AreEqual(member.Value, value)));

    public override bool Equals(object? obj) => Equals(obj as UnknownMembers);

    public override int GetHashCode() =>
        Keys.Aggregate(Count, (hash, key) => hash ^ StringComparer.Ordinal.GetHashCode(key));

    bool ICollection<KeyValuePair<string, JsonElement>>.IsReadOnly => _isSealed;

    ICollection<string> IDictionary<string, JsonElement>.Keys => Read.Keys;

    ICollection<JsonElement> IDictionary<string, JsonElement>.Values => Read.Values;

    JsonElement IDictionary<string, JsonElement>.this[string key]
    {
        get => Read[key];
        set => Unsealed[key] = value;
    }

    private Dictionary<string, JsonElement> Unsealed =>
        _isSealed ? throw new NotSupportedException("Unknown members cannot be changed.") : _members;

    void IDictionary<string, JsonElement>.Add(string key, JsonElement value) => Unsealed.Add(key, value);

    bool IDictionary<string, JsonElement>.Remove(string key) => Unsealed.Remove(key);

    void ICollection<KeyValuePair<string, JsonElement>>.Add(KeyValuePair<string, JsonElement> item) =>
        Unsealed.Add(item.Key, item.Value);

    void ICollection<KeyValuePair<string, JsonElement>>.Clear() => Unsealed.Clear();

    bool ICollection<KeyValuePair<string, JsonElement>>.Contains(KeyValuePair<string, JsonElement> item) =>
        TryGetValue(item.Key, out var value) && JsonText.AreEqual(item.Value, value);

    void ICollection<KeyValuePair<string, JsonElement>>.CopyTo(KeyValuePair<string, JsonElement>[] array, int arrayIndex) =>
        ((ICollection<KeyValuePair<string, JsonElement>>)Read).CopyTo(array, arrayIndex);

    bool ICollection<KeyValuePair<string, JsonElement>>.Remove(KeyValuePair<string, JsonElement> item) =>
        Unsealed.Remove(item.Key);
}

/// <summary>Serializes <see cref="UnknownMembers"/> as the JSON that it was read from.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.UnknownMembers")]
public struct UnknownMembersSurrogate
{
    [Id(0)]
    public string Json { get; set; }
}

[RegisterConverter]
public sealed class UnknownMembersConverter : IConverter<UnknownMembers, UnknownMembersSurrogate>
{
    public UnknownMembers ConvertFromSurrogate(in UnknownMembersSurrogate surrogate) =>
        JsonSerializer.Deserialize(surrogate.Json, ChatterboxJson.Default.UnknownMembers)!;

    public UnknownMembersSurrogate ConvertToSurrogate(in UnknownMembers value) =>
        new() { Json = JsonSerializer.Serialize(value, ChatterboxJson.Default.UnknownMembers) };
}
