using System.Text.Json;

namespace Chatterbox;

/// <summary>
/// JSON members that this version of the code does not know. They are kept and written back, so that a newer version's
/// data survives a round trip through an older one.
/// </summary>
public sealed class UnknownMembers : Dictionary<string, JsonElement>, IEquatable<UnknownMembers>
{
    public UnknownMembers() : base(StringComparer.Ordinal) { }

    public bool Equals(UnknownMembers? other) =>
        ReferenceEquals(this, other) || (other is not null && Count == other.Count
            && this.All(member => other.TryGetValue(member.Key, out var value) && JsonElement.DeepEquals(member.Value, value)));

    public override bool Equals(object? obj) => Equals(obj as UnknownMembers);

    public override int GetHashCode() => Keys.Aggregate(Count, (hash, key) => hash ^ StringComparer.Ordinal.GetHashCode(key));
}

/// <summary>How <see cref="UnknownMembers"/> travels: as the JSON it came from.</summary>
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
