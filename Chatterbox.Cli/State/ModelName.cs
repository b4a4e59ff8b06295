using System.Text.Json;

namespace Chatterbox.Cli.State;

/// <summary>Converts the model's names (<c>cfg_weight</c>) to those of the state's JSON (<c>cfgWeight</c>).</summary>
internal static class ModelName
{
    public static string ToCamelCase(string name)
    {
        var words = name.Split('_');
        return words[0]
            + string.Concat(words.Skip(1).Select(word => word.Length == 0 ? "_" : char.ToUpperInvariant(word[0]) + word[1..]));
    }

    public static string ToSnakeCase(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
}
