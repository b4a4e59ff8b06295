using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests.Wire;

public sealed class WireTests
{
    [Fact(DisplayName = "[W3] the JSON of every message is pinned and read back as the same message")]
    public void Json_is_pinned()
    {
        var file = new StringBuilder("{\n");
        foreach (var (name, message) in WireSamples.All)
        {
            var type = message.GetType();
            var json = JsonSerializer.Serialize(message, WireTypes.Of(type));
            Assert.Equal(message, JsonSerializer.Deserialize(json, type, PageJson.Options));
            var last = name == WireSamples.All[^1].Name;
            file.Append($"  {JsonSerializer.Serialize(name)}: {json}{(last ? "" : ",")}\n");
        }
        Pinned.Equal(file.Append("}\n").ToString(), "tests/fixtures/web/messages.json");
    }

    [Fact(DisplayName = "[W3] every member of every message is in a pinned sample")]
    public void Every_member_is_pinned()
    {
        var seen = new HashSet<(Type, string)>();
        foreach (var (_, message) in WireSamples.All) Visit(message, seen);
        var missing = WireTypes.All.Where(type => !type.IsEnum)
            .SelectMany(type => WireTypes.MembersOf(type).Select(member => (type, member.Name)))
            .Where(member => !seen.Contains(member));
        Assert.Empty(missing);
    }

    [Fact(DisplayName = "[W3] 64-bit numbers on the wire are of kinds that stay below 2^53")]
    public void Numbers_are_safe()
    {
        string[] small =
        [
            "epoch", "revision", "durableRevision", "fromRevision", "toRevision", "seenRevision", "sequence", "nextSequence",
            "after", "seed", "length", "changes", "writes", "rowWrites",
        ];
        var other = WireTypes.All.Where(type => !type.IsEnum)
            .SelectMany(type => WireTypes.MembersOf(type))
            .Where(member => WireTypes.Bare(member.PropertyType) is var type && (type == typeof(long) || type == typeof(ulong)))
            .Select(member => member.Name)
            .Where(name => !small.Contains(name) && !name.EndsWith("Bytes", StringComparison.OrdinalIgnoreCase)
                && name is not "bytesWritten")
            .Distinct();
        Assert.Empty(other);
    }

    [Fact(DisplayName = "[M3] members that this version does not know survive a browser, whatever their numbers")]
    public void Unknown_members_are_text()
    {
        var json = JsonSerializer.Serialize(WireSamples.State.BatchItems[0], WireJson.Of<BatchItem>());
        Assert.Contains("\"unknown\":\"{\\u0022pitch\\u0022:[1.0,12345678901234567890]}\"", json, StringComparison.Ordinal);

        var newer = JsonSerializer.Deserialize(
            """{"tempo":2,"id":"b1","unknown":"{\"pitch\":[1.0]}","name":"n"}""", WireJson.Of<BatchItem>())!;
        Assert.Equal(["pitch", "tempo"], newer.Unknown!.Keys.Order());
        Assert.Equal("[1.0]", newer.Unknown!["pitch"].GetRawText());
    }

    [Theory(DisplayName = "[X2] a text of unknown members that is no JSON object is refused")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{")]
    public void Unknown_members_are_an_object(string text)
    {
        var json = $$"""{"id":"b1","name":"n","unknown":{{JsonSerializer.Serialize(text)}}}""";
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(json, WireJson.Of<BatchItem>()));
    }

    private static void Visit(object value, HashSet<(Type, string)> seen)
    {
        var type = value.GetType();
        if (WireTypes.ItemOf(type) is not null)
        {
            foreach (var item in (System.Collections.IEnumerable)value) Visit(item, seen);
            return;
        }
        if (type.IsEnum || WireTypes.Of(type).Kind is not JsonTypeInfoKind.Object) return;
        foreach (var member in WireTypes.MembersOf(type))
        {
            if (member.Get!(value) is not { } held) continue;
            seen.Add((type, member.Name));
            Visit(held, seen);
        }
        // A polymorphic type has no members of its own.
        if (WireTypes.FamilyOf(type) is { } family)
            seen.UnionWith(WireTypes.MembersOf(family).Select(member => (family, member.Name)));
    }
}
