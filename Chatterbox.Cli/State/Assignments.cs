using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.State;

/// <summary>The assignments <c>name=value…</c> of a command line, checked as a whole.</summary>
internal sealed record Assignments(TtsEngine Engine, TtsParameters Parameters, bool? UseStreaming, bool ChangesEngine)
{
    private const string EngineName = "engine";
    private const string StreamingName = "streaming";

    /// <param name="selected">The engine that parameters are for, unless <c>engine=</c> is among the assignments.</param>
    /// <exception cref="WrongRequestException">A name is unknown or given twice, or a value is not allowed.</exception>
    public static Assignments Parse(IEnumerable<string> texts, TtsEngine selected, bool withSettings = true)
    {
        var pairs = texts.Select(Split).ToArray();
        if (pairs.GroupBy(pair => ModelName.ToSnakeCase(pair.Name)).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw Wrong(twice.Key, twice.Last().Value, "given once");
        }
        var engine = pairs.Where(pair => pair.Name == EngineName).Select(pair => ParseEngine(pair.Value)).Cast<TtsEngine?>()
            .SingleOrDefault();
        bool? streaming = null;
        var patch = new JsonObject();
        foreach (var (name, value) in pairs)
        {
            if (name == EngineName) continue;
            if (withSettings && name == StreamingName) streaming = ParseBoolean(name, value);
            else Assign(patch, engine ?? selected, name, value, withSettings);
        }
        return new(engine ?? selected, patch.Deserialize(TtsJson.Default.TtsParameters)!, streaming, engine is not null);
    }

    public IEnumerable<SessionChange> Changes()
    {
        if (ChangesEngine) yield return new SelectEngine(Engine);
        if (Parameters != new TtsParameters()) yield return new UpdateParameters(Engine, Parameters);
        if (UseStreaming is { } streaming) yield return new SetStreaming(streaming);
    }

    private static (string Name, string Value) Split(string text) => text.IndexOf('=') is > 0 and var at
        ? (text[..at], text[(at + 1)..])
        : throw WrongRequestException.For(Rejection.OfText("assignment", text, "name=value, such as temperature=0.9"));

    private static void Assign(JsonObject patch, TtsEngine engine, string name, string value, bool withSettings)
    {
        var specs = TtsParameterSpec.For(engine);
        if (specs.FirstOrDefault(each => each.Name == ModelName.ToSnakeCase(name)) is not { } spec)
        {
            string[] settings = withSettings ? [EngineName, StreamingName] : [EngineName];
            throw Wrong("name", name,
                $"one of {string.Join(' ', specs.Select(each => each.Name))} (parameters of {Name(engine)}) "
                + string.Join(' ', settings));
        }
        patch[ModelName.ToCamelCase(spec.Name)] = Parse(spec, engine, value);
    }

    private static JsonNode Parse(TtsParameterSpec spec, TtsEngine engine, string value)
    {
        if (spec.Choices is { } choices)
        {
            if (!choices.Contains(value)) throw Wrong(spec.Name, value, spec.Allowed);
            return bool.TryParse(value, out var truth) ? truth : value;
        }
        var allowed = $"{(spec.IsInteger ? "" : "a number from ")}{spec.Allowed} ({Name(engine)})";
        if (spec.IsInteger)
        {
            return long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
                && whole >= spec.Min && whole <= spec.Max ? whole : throw Wrong(spec.Name, value, allowed);
        }
        return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && number >= spec.Min && number <= spec.Max ? number : throw Wrong(spec.Name, value, allowed);
    }

    private static TtsEngine ParseEngine(string value) =>
        Enum.GetValues<TtsEngine>().Where(engine => Name(engine) == value).Cast<TtsEngine?>().SingleOrDefault()
        ?? throw Wrong(EngineName, value, "chatterbox, multilingual or turbo");

    private static bool ParseBoolean(string name, string value) =>
        value switch { "true" => true, "false" => false, _ => throw Wrong(name, value, "true or false") };

    private static string Name(TtsEngine engine) => engine.ToString().ToLowerInvariant();

    private static WrongRequestException Wrong(string field, string value, string allowed) =>
        WrongRequestException.For(Rejection.OfText(field, value, allowed));
}
