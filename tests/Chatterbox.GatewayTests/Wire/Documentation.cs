using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Chatterbox.GatewayTests.Wire;

/// <summary>The summaries in the contracts' source, as comments for TypeScript.</summary>
internal sealed partial class Documentation(params Assembly[] assemblies)
{
    private const int Widest = 120;

    private readonly Dictionary<string, XElement> _members = assemblies
        .SelectMany(assembly => XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member"))
        .ToDictionary(member => member.Attribute("name")!.Value);

    public string Of(Type type, string indent) => Comment(Find($"T:{type.FullName}")?.Element("summary"), indent);

    public string Of(FieldInfo constant, string indent) =>
        Comment(Find($"F:{constant.DeclaringType!.FullName}.{constant.Name}")?.Element("summary"), indent);

    /// <param name="json">The member's name in JSON.</param>
    public string Of(Type type, string json, string indent)
    {
        var property = type.GetProperties().First(each => JsonNamingPolicy.CamelCase.ConvertName(each.Name) == json);
        return Comment(
            Find($"P:{property.DeclaringType!.FullName}.{property.Name}")?.Element("summary")
                ?? Find($"T:{type.FullName}")?.Elements("param")
                    .FirstOrDefault(each => each.Attribute("name")?.Value == property.Name),
            indent);
    }

    private XElement? Find(string id) => _members.GetValueOrDefault(id);

    private static string Comment(XElement? text, string indent)
    {
        if (text is null) return "";
        var words = Space().Replace(string.Concat(text.Nodes().Select(Plain)), " ").Trim();
        if (words.Length == 0) return "";
        if (indent.Length + words.Length + 7 <= Widest) return $"{indent}/** {words} */\n";
        var lines = new List<string> { "" };
        foreach (var word in words.Split(' '))
        {
            if (indent.Length + 3 + lines[^1].Length + 1 + word.Length > Widest) lines.Add("");
            lines[^1] += $" {word}";
        }
        return $"{indent}/**\n{string.Concat(lines.Select(line => $"{indent} *{line}\n"))}{indent} */\n";
    }

    private static string Plain(XNode node) => node switch
    {
        XElement { Name.LocalName: "see" } see => LastName(see.Attribute("cref")!.Value),
        XElement { Name.LocalName: "paramref" } parameter =>
            JsonNamingPolicy.CamelCase.ConvertName(parameter.Attribute("name")!.Value),
        XElement other => other.Value,
        _ => $"{node}",
    };

    // Of T:Chatterbox.Chunk the type, of P:Chatterbox.Chunk.Status its member in JSON.
    private static string LastName(string cref)
    {
        var name = cref[(cref.LastIndexOf('.') + 1)..];
        return cref[0] is 'T' ? name : JsonNamingPolicy.CamelCase.ConvertName(name);
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
