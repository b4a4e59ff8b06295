using System.Collections.Concurrent;
using System.Text.Json.Serialization;

namespace Chatterbox.Tests.Apps;

/// <summary>An app that the test makes: as many slices as its seed says, some of them never stored.</summary>
internal sealed class RandomApp : AppDefinition<RandomState, RandomChange>
{
    private static readonly ConcurrentDictionary<int, RandomApp> All = new();

    private RandomApp(int seed) : base($"random-{seed}", StateOf(seed), RandomJson.Default.RandomChange, [.. SlicesOf(seed)]) { }

    public static RandomApp Of(int seed) => All.GetOrAdd(seed, each => new(each));

    private static RandomState StateOf(int seed) =>
        new(seed, Enumerable.Repeat(ValueList<RandomItem>.Empty, CountOf(seed)).ToValueList());

    private static int CountOf(int seed) => new Random(seed).Next(1, 12);

    private static IEnumerable<SliceDefinition> SlicesOf(int seed)
    {
        var count = CountOf(seed);
        var stored = new Random(seed + 1).Next(1, count + 1);
        return Enumerable.Range(0, count).Select(index => new SliceDefinition<RandomState, ValueList<RandomItem>>(
            $"s{new Random(seed + index).Next(1000)}-{index}", state => state.Slots[index],
            (state, value) => state with { Slots = state.Slots.SetItem(index, value) }, RandomJson.Default.ValueListRandomItem,
            isStored: index < stored));
    }
}

[GenerateSerializer, Immutable, Alias("test.RandomItem")]
internal sealed record RandomItem([property: Id(0)] string Id, [property: Id(1)] int Number) : IKeyed;

[GenerateSerializer, Immutable, Alias("test.RandomState")]
internal sealed record RandomState([property: Id(0)] int Seed, [property: Id(1)] ValueList<ValueList<RandomItem>> Slots)
    : SessionState
{
    protected override AppDefinition Definition => RandomApp.Of(Seed);
}

[GenerateSerializer, Immutable, Alias("test.RandomChange")]
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(PutItem), "testPutItem")]
[JsonDerivedType(typeof(DropItem), "testDropItem")]
internal abstract record RandomChange([property: Id(0)] int Seed, [property: Id(1)] int Slot) : Change<RandomState>
{
    protected override SliceDefinition Target => RandomApp.Of(Seed).Slices[Slot];

    protected static RandomState With(RandomState state, int slot, ValueList<RandomItem> items) =>
        ReferenceEquals(items, state.Slots[slot]) ? state : state with { Slots = state.Slots.SetItem(slot, items) };
}

[GenerateSerializer, Immutable, Alias("test.PutItem")]
internal sealed record PutItem(int Seed, int Slot, [property: Id(0)] RandomItem Item) : RandomChange(Seed, Slot)
{
    protected internal override RandomState Apply(RandomState state) =>
        With(state, Slot, state.Slots[Slot].Upsert(Item));
}

[GenerateSerializer, Immutable, Alias("test.DropItem")]
internal sealed record DropItem(int Seed, int Slot, [property: Id(0)] string Id) : RandomChange(Seed, Slot)
{
    protected internal override RandomState Apply(RandomState state) => state.Slots[Slot].IndexOf(Id) is >= 0 and var index
        ? With(state, Slot, state.Slots[Slot].RemoveAt(index))
        : state;
}

[JsonSerializable(typeof(RandomChange))]
[JsonSerializable(typeof(ValueList<RandomItem>))]
[JsonSerializable(typeof(RandomItem))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, AllowOutOfOrderMetadataProperties = true)]
internal sealed partial class RandomJson : JsonSerializerContext;
