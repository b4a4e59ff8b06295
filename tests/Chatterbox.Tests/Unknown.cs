using System.Text.Json;

namespace Chatterbox.Tests;

/// <summary>Members that no version knows.</summary>
internal static class Unknown
{
    public static UnknownMembers Of(string name, string json) => Of((name, json));

    public static UnknownMembers Of(params (string Name, string Json)[] members) =>
        new(members.Select(member => KeyValuePair.Create(member.Name, JsonDocument.Parse(member.Json).RootElement)));
}
