using System.Collections;
using System.Reflection;
using System.Text;
using Chatterbox.Grains;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Chatterbox.Tests.Contracts;

/// <summary>
/// Silos and clients of different versions speak to each other. Members and their ids are only ever appended: a line of
/// <c>wire.txt</c> that changes breaks a rolling deployment.
/// </summary>
public sealed class WireTests
{
    private static readonly Serializer Serializer =
        new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();

    /// <summary>What clients and silos, and silos among themselves, send each other.</summary>
    private static IEnumerable<Type> ContractTypes =>
        ((Assembly[])[typeof(AppState).Assembly, typeof(ChatterboxOptions).Assembly])
            .SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.GetCustomAttribute<GenerateSerializerAttribute>() is not null);

    [Fact(DisplayName = "[S2] every contract type has an alias, and every member that travels an id of its own")]
    public void Contracts_are_named()
    {
        foreach (var type in ContractTypes)
        {
            Assert.True(type.GetCustomAttributes<AliasAttribute>(inherit: false).Any(), $"{type} has no [Alias].");
            var ids = type.GetMembers(BindingFlags.Instance | BindingFlags.Public
                | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                .Select(member => member.GetCustomAttribute<IdAttribute>()).OfType<IdAttribute>().Select(id => id.Id).ToArray();
            Assert.True(ids.Distinct().Count() == ids.Length, $"{type} uses an id twice.");
        }
    }

    [Fact(DisplayName =
        "[S2] every contract type is among those whose bytes are pinned, and every member of it has a value there")]
    public void Contracts_are_pinned()
    {
        var pinned = new Pinned();
        foreach (var (_, value) in WireValues.All) pinned.Visit(value);
        var missing = string.Join(", ", ContractTypes.SelectMany(pinned.Missing));
        Assert.True(missing.Length == 0, $"Not pinned yet: {missing}");
    }

    [Fact(DisplayName = "[S2] the bytes of state, changes and messages are those that were released")]
    public void Bytes_are_pinned()
    {
        var now = new StringBuilder();
        foreach (var (name, value) in WireValues.All)
        {
            var bytes = Serializer.SerializeToArray(value);
            Assert.Equal(bytes, Serializer.SerializeToArray(Serializer.Deserialize<object>(bytes)));
            now.Append(name).Append(' ').AppendLine(Convert.ToHexStringLower(bytes));
        }
        var file = Path.Combine(AppContext.BaseDirectory, "Contracts", "wire.txt");
        var released = File.Exists(file) ? File.ReadAllLines(file) : [];
        var lines = now.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var received = Path.Combine(Path.GetTempPath(), "chatterbox-wire.txt");
        var changed = released.Except(lines).Select(line => line.Split(' ')[0]).ToArray();
        if (changed.Length > 0 || released.Length != lines.Length) File.WriteAllLines(received, lines);
        Assert.True(changed.Length == 0,
            $"The bytes of {string.Join(", ", changed)} are not those released; ids are only ever appended. Now: {received}");
        Assert.True(released.Length == lines.Length,
            $"{lines.Length - released.Length} contract(s) are not pinned yet. Now: {received}");
    }

    /// <summary>The types and members that occur in values, with something else than what they would have anyway.</summary>
    private sealed class Pinned
    {
        private const BindingFlags Members = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

        private readonly HashSet<Type> _types = [];
        private readonly HashSet<(Type, string)> _members = [];

        public void Visit(object? value)
        {
            if (value is null) return;
            // This travels as another.
            if (value is UnknownMembers members) Visit(new UnknownMembersConverter().ConvertToSurrogate(members));
            var type = value.GetType();
            _types.Add(Definition(type));
            if (value is IEnumerable items and not (string or UnknownMembers))
            {
                foreach (var item in items) Visit(item);
            }
            if (type.GetCustomAttribute<GenerateSerializerAttribute>() is null || type.IsEnum) return;
            foreach (var member in Travelling(type))
            {
                var held = member is PropertyInfo property ? property.GetValue(value) : ((FieldInfo)member).GetValue(value);
                if (held is not null && !(held.GetType().IsValueType && held.Equals(Activator.CreateInstance(held.GetType()))))
                    _members.Add((Definition(member.DeclaringType!), member.Name));
                Visit(held);
            }
        }

        public IEnumerable<string> Missing(Type type)
        {
            if (!type.IsAbstract && !_types.Contains(type)) yield return type.Name;
            else if (!type.IsEnum)
            {
                foreach (var member in Travelling(type)
                    .Where(member => member.DeclaringType == type && !_members.Contains((type, member.Name))))
                    yield return $"{type.Name}.{member.Name}";
            }
        }

        private static IEnumerable<MemberInfo> Travelling(Type type) =>
            type.GetMembers(Members).Where(member => member.GetCustomAttribute<IdAttribute>() is not null);

        private static Type Definition(Type type) => type.IsGenericType ? type.GetGenericTypeDefinition() : type;
    }
}
