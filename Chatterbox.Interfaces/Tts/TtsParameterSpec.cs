using System.Globalization;

namespace Chatterbox;

/// <summary>One parameter of an engine under the model's own name, with the range it may have.</summary>
/// <param name="Name">The model's name, for example <c>cfg_weight</c>.</param>
/// <param name="Step">The step a slider would take. Values between steps are allowed.</param>
/// <param name="Choices">For text parameters: every value allowed.</param>
/// <param name="Ignored">The engine accepts the parameter and ignores it.</param>
public sealed record TtsParameterSpec(
    string Name, double Min, double Max, double Step, IReadOnlyList<string>? Choices = null, bool Ignored = false,
    bool IsInteger = false)
{
    public static IReadOnlyList<string> Languages { get; } =
        "ar da de el en es fi fr he hi it ja ko ms nl no pl pt ru sv sw tr zh".Split(' ');

    private static readonly TtsParameterSpec Seed = new("seed", 0, uint.MaxValue, 1, IsInteger: true);
    private static readonly TtsParameterSpec TopP = new("top_p", 0, 1, 0.01);
    private static readonly TtsParameterSpec RepetitionPenalty = new("repetition_penalty", 1, 2, 0.1);

    private static readonly TtsParameterSpec[] Classic =
    [
        new("exaggeration", 0.25, 2, 0.05), new("cfg_weight", 0, 1, 0.05), new("temperature", 0.05, 5, 0.05),
        new("min_p", 0, 1, 0.01), TopP, RepetitionPenalty, Seed,
    ];

    private static readonly TtsParameterSpec[] Multilingual = [.. Classic, new("language_id", 0, 0, 0, Languages)];

    private static readonly TtsParameterSpec[] Turbo =
    [
        new("exaggeration", 0.25, 2, 0.05, Ignored: true), new("cfg_weight", 0, 1, 0.05, Ignored: true),
        new("temperature", 0.05, 2, 0.05), new("min_p", 0, 1, 0.01, Ignored: true), TopP,
        new("top_k", 0, 1000, 10, IsInteger: true), RepetitionPenalty, new("norm_loudness", 0, 1, 1, ["false", "true"]), Seed,
    ];

    /// <summary>The engine's parameters.</summary>
    public static IReadOnlyList<TtsParameterSpec> For(TtsEngine engine) => engine switch
    {
        TtsEngine.Chatterbox => Classic,
        TtsEngine.Multilingual => Multilingual,
        TtsEngine.Turbo => Turbo,
        _ => throw new ArgumentOutOfRangeException(nameof(engine), engine, null),
    };

    /// <summary>The allowed values, in words.</summary>
    public string Allowed => Choices is null
        ? string.Create(CultureInfo.InvariantCulture, $"{(IsInteger ? "a whole number from " : "")}{Min} to {Max}")
        : $"one of {string.Join(' ', Choices)}";

    /// <summary>Null when the engine has every given parameter and each is in its range.</summary>
    /// <param name="whole">Whether all of the engine's required parameters must be present; false for a patch.</param>
    public static Rejection? Check(TtsEngine engine, TtsParameters parameters, bool whole = true)
    {
        if (!Enum.IsDefined(engine))
        {
            return Rejection.OfText("engine", engine.ToString(), "chatterbox, multilingual or turbo");
        }
        var specs = For(engine);
        foreach (var (name, value) in Named(parameters))
        {
            // A patch has few parameters, and each change is checked in several places.
            if (value is null && !whole) continue;
            var spec = specs.FirstOrDefault(each => each.Name == name);
            if (value is null)
            {
                if (spec is { Ignored: false }) return Rejection.OfText(name, null, spec.Allowed);
                continue;
            }
            if (spec is null)
            {
                return new(name, Show(value),
                    $"absent ({EngineName(engine)} takes {string.Join(' ', specs.Select(s => s.Name))})");
            }
            if (!spec.Admits(value)) return new(name, Show(value), $"{spec.Allowed} ({EngineName(engine)})");
        }
        return null;
    }

    /// <summary>The parameters with the model's names, in the model's order.</summary>
    public static IEnumerable<(string Name, object? Value)> Named(TtsParameters parameters) =>
    [
        ("exaggeration", parameters.Exaggeration), ("cfg_weight", parameters.CfgWeight), ("temperature", parameters.Temperature),
        ("min_p", parameters.MinP), ("top_p", parameters.TopP), ("top_k", parameters.TopK),
        ("repetition_penalty", parameters.RepetitionPenalty), ("norm_loudness", parameters.NormLoudness),
        ("language_id", parameters.LanguageId), ("seed", parameters.Seed),
    ];

    private bool Admits(object value) => value switch
    {
        string text => Choices?.Contains(text) ?? false,
        bool => true,
        _ => Convert.ToDouble(value, CultureInfo.InvariantCulture) is var number && number >= Min && number <= Max,
    };

    private static string EngineName(TtsEngine engine) => engine.ToString().ToLowerInvariant();

    private static string Show(object value) => value is string text
        ? $"'{(text.Length > 40 ? text[..40] + "…" : text)}'"
        : Convert.ToString(value, CultureInfo.InvariantCulture)!;
}
