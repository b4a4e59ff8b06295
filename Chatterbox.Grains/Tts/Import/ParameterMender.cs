using Chatterbox.Grains.Import;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Chatterbox.Grains.Tts.Import;

/// <summary>Repairs an engine and its parameters in an object of a document.</summary>
internal sealed class ParameterMender(ImportNotes notes)
{
    private static readonly TtsEngine[] Engines = Enum.GetValues<TtsEngine>();

    private static readonly Dictionary<string, TtsParameterSpec> Known =
        Engines.SelectMany(TtsParameterSpec.For).DistinctBy(spec => spec.Name)
            .ToDictionary(spec => JsonName(spec.Name), StringComparer.Ordinal);

    /// <summary>The names in JSON of all parameters of all engines.</summary>
    public static IEnumerable<string> Names => Known.Keys;

    private static readonly string EngineNames = string.Join(", ", Engines.Select(NameOf));

    /// <summary>The engine that a member names, or null if it names none.</summary>
    public TtsEngine? MendEngine(JsonObject item, string place)
    {
        if (!item.Remove("engine", out var found) || found is null) return null;
        if (found.GetValueKind() is JsonValueKind.String && found.GetValue<string>() is var name)
        {
            foreach (var engine in Engines)
            {
                if (!NameOf(engine).Equals(name.Trim(), StringComparison.OrdinalIgnoreCase)) continue;
                if (NameOf(engine) != name) notes.Mend(place, ImportNotes.Show(found), EngineNames, $"taken as {NameOf(engine)}");
                return engine;
            }
        }
        notes.Mend(place, ImportNotes.Show(found), EngineNames, "the engine that its parameters fit is taken");
        return null;
    }

    /// <summary>
    /// Makes the parameters valid and returns their engine: the stated one, unless they belong to another; if none is stated, the
    /// expected one or else the first one that they fit unchanged.
    /// </summary>
    /// <param name="place">The place of the parameters.</param>
    /// <param name="isFixed">Whether the stated engine is kept regardless of the parameters.</param>
    public TtsEngine Mend(JsonObject parameters, string place, TtsEngine? stated, TtsEngine expected, bool isFixed = false)
    {
        foreach (var (name, spec) in Known) MendType(parameters, name, spec, $"{place}.{name}");
        var engine = isFixed ? stated!.Value : Choose(parameters, place, stated, expected);
        foreach (var (name, spec) in Problems(parameters, engine)) MendValue(parameters, name, spec, engine, $"{place}.{name}");
        return engine;
    }

    public static string NameOf(TtsEngine engine) => engine.ToString().ToLowerInvariant();

    private TtsEngine Choose(JsonObject parameters, string place, TtsEngine? stated, TtsEngine expected)
    {
        var engine = stated ?? expected;
        var problems = Problems(parameters, engine);
        // A value outside the stated engine's range is an invalid value; an unknown parameter indicates another engine.
        if (problems.Count == 0 || (stated is not null && problems.All(problem => problem.Spec is not null))) return engine;
        foreach (var other in Engines.Where(other => Problems(parameters, other).Count == 0))
        {
            var (name, spec) = problems[0];
            notes.Mend($"{place}.{name}", ImportNotes.Show(parameters[name]), Allowed(spec, engine),
                $"the parameters are taken as those of {NameOf(other)}, where they are valid");
            return other;
        }
        return stated ?? Engines.OrderBy(each => Problems(parameters, each).Count).ThenBy(each => each == expected ? 0 : 1)
            .First();
    }

    private static List<(string Name, TtsParameterSpec? Spec)> Problems(JsonObject parameters, TtsEngine engine)
    {
        var problems = new List<(string, TtsParameterSpec?)>();
        foreach (var name in Known.Keys)
        {
            if (parameters[name] is not JsonValue value) continue;
            var spec = TtsParameterSpec.For(engine).FirstOrDefault(each => JsonName(each.Name) == name);
            if (spec is null || !Admits(spec, value)) problems.Add((name, spec));
        }
        return problems;
    }

    private static bool Admits(TtsParameterSpec spec, JsonValue value) => value.GetValueKind() switch
    {
        JsonValueKind.String => spec.Choices!.Contains(value.GetValue<string>()),
        JsonValueKind.Number when ToDouble(value) is var number => number >= spec.Min && number <= spec.Max,
        _ => true,
    };

    // Converts to the parameter's type: a number, a whole number, a boolean or a text.
    private void MendType(JsonObject parameters, string name, TtsParameterSpec spec, string place)
    {
        if (!parameters.TryGetPropertyValue(name, out var found)) return;
        if (found is null)
        {
            parameters.Remove(name);
            return;
        }
        var (value, isAsFound) = spec.Choices is null ? Number(found, spec.IsInteger)
            : spec.Choices.Contains("true") ? Truth(found) : Choice(found, spec.Choices);
        if (value is null) parameters.Remove(name);
        else parameters[name] = value;
        if (isAsFound) return;
        notes.Mend(place, ImportNotes.Show(found), Allowed(spec, null),
            value is null ? "left out" : $"taken as {ImportNotes.Show(value)}");
    }

    private void MendValue(JsonObject parameters, string name, TtsParameterSpec? spec, TtsEngine engine, string place)
    {
        var found = parameters[name];
        parameters.Remove(name);
        if (spec is null or { Choices: not null })
        {
            notes.Mend(place, ImportNotes.Show(found), Allowed(spec, engine), "left out");
            return;
        }
        var nearest = Math.Clamp(ToDouble(found!), spec.Min, spec.Max);
        parameters[name] = spec.IsInteger ? JsonValue.Create((long)nearest) : JsonValue.Create(nearest);
        notes.Mend(place, ImportNotes.Show(found), Allowed(spec, engine), $"taken as {ImportNotes.Show(parameters[name])}");
    }

    private static (JsonNode? Value, bool IsAsFound) Number(JsonNode found, bool isInteger)
    {
        var isNumber = found.GetValueKind() is JsonValueKind.Number;
        var text = isNumber ? found.ToJsonString() : found.GetValueKind() is JsonValueKind.String ? found.GetValue<string>()
            .Trim() : "";
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            || double.IsNaN(number)) return (null, false);
        // No parameter's range comes near these.
        var finite = Math.Clamp(number, -1e15, 1e15);
        var value = isInteger ? Math.Round(finite) : finite;
        var isAsFound = isNumber && value == number;
        return (isAsFound && !isInteger ? found.DeepClone() : isInteger ? JsonValue.Create((long)value)
            : JsonValue.Create(value), isAsFound);
    }

    private static (JsonNode? Value, bool IsAsFound) Truth(JsonNode found) => found.GetValueKind() switch
    {
        JsonValueKind.True or JsonValueKind.False => (found.DeepClone(), true),
        JsonValueKind.String when bool.TryParse(found.GetValue<string>(), out var truth) => (JsonValue.Create(truth), false),
        JsonValueKind.Number when found.ToJsonString() is "0" or "1" => (JsonValue.Create(found.ToJsonString() is "1"), false),
        _ => (null, false),
    };

    private static (JsonNode? Value, bool IsAsFound) Choice(JsonNode found, IReadOnlyList<string> choices)
    {
        if (found.GetValueKind() is not JsonValueKind.String) return (null, false);
        var text = found.GetValue<string>();
        var known = choices.FirstOrDefault(choice => choice.Equals(text.Trim(), StringComparison.OrdinalIgnoreCase));
        return (JsonValue.Create(known ?? text), known is null || known == text);
    }

    // A node returns its number only as the type that it was created with.
    private static double ToDouble(JsonNode number) =>
        double.Parse(number.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture);

    private static string Allowed(TtsParameterSpec? spec, TtsEngine? engine) =>
        spec is null ? $"nothing: {NameOf(engine!.Value)} does not have it"
        : engine is { } of ? $"{spec.Allowed} ({NameOf(of)})"
        : spec.Allowed;

    // cfg_weight is cfgWeight in JSON.
    private static string JsonName(string name)
    {
        var words = name.Split('_');
        return words[0] + string.Concat(words.Skip(1).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }
}
