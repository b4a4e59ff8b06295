using System.Text.Json.Serialization.Metadata;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests.Wire;

/// <summary>The types of which messages on the wire are made.</summary>
internal static class WireTypes
{
    /// <summary>Each object and enum type, in the order in which they are reached.</summary>
    public static IReadOnlyList<Type> All { get; } = Reach(WireSamples.All.Select(sample => sample.Message.GetType()));

    public static JsonTypeInfo Of(Type type) => WireJson.Wire.GetTypeInfo(type);

    public static IEnumerable<JsonPropertyInfo> MembersOf(Type type) =>
        Of(type).Properties.Where(member => !member.IsExtensionData && member.Get is not null);

    public static Type Bare(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    /// <summary>The item's type where this is a list; otherwise null.</summary>
    public static Type? ItemOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueList<>) ? type.GetGenericArguments()[0] : null;

    public static bool IsObject(Type type) => Of(type).Kind is JsonTypeInfoKind.Object;

    /// <summary>The polymorphic type that this is one of; otherwise null.</summary>
    public static Type? FamilyOf(Type type) =>
        type.BaseType is { IsAbstract: true } family && family != typeof(ValueType) ? family : null;

    /// <summary>The types that a polymorphic one stands for: of the changes of all apps, those of each app.</summary>
    public static IEnumerable<Type> MembersOfFamily(Type type) =>
        (Of(type).PolymorphismOptions?.DerivedTypes ?? []).Select(derived => derived.DerivedType)
            .Select(derived => type == typeof(SessionChange) ? derived.BaseType! : derived).Distinct();

    private static List<Type> Reach(IEnumerable<Type> roots)
    {
        var found = new List<Type>();
        var waiting = new Queue<Type>(roots);
        while (waiting.TryDequeue(out var next))
        {
            var type = Bare(next);
            if (ItemOf(type) is { } item) waiting.Enqueue(item);
            if (found.Contains(type) || !(type.IsEnum || IsObject(type))) continue;
            found.Add(type);
            if (type.IsEnum) continue;
            foreach (var member in MembersOfFamily(type)) waiting.Enqueue(member);
            foreach (var member in MembersOf(type)) waiting.Enqueue(member.PropertyType);
        }
        return found;
    }
}
