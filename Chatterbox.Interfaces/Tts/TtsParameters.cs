using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>The Chatterbox text-to-speech models.</summary>
[GenerateSerializer, Alias("chatterbox.TtsEngine")]
public enum TtsEngine
{
    [JsonStringEnumMemberName("chatterbox")] Chatterbox = 0,
    [JsonStringEnumMemberName("multilingual")] Multilingual = 1,
    [JsonStringEnumMemberName("turbo")] Turbo = 2,
}

/// <summary>
/// The generation parameters of a model. Ranges and defaults are the model's own and differ per engine:
/// <see cref="TtsParameterSpec"/>. A null is a parameter that the engine does not have, or ignores.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.TtsParameters")]
public sealed record TtsParameters
{
    /// <summary>0.25 to 2, step 0.05; default 0.5. Turbo ignores it.</summary>
    [Id(0)] public double? Exaggeration { get; init; }

    /// <summary>0 to 1, step 0.05; default 0.5. Turbo ignores it.</summary>
    [Id(1)] public double? CfgWeight { get; init; }

    /// <summary>0.05 to 5 (turbo: 2), step 0.05; default 0.8.</summary>
    [Id(2)] public double? Temperature { get; init; }

    /// <summary>0 to 1, step 0.01; 0 disables; default 0.05. Turbo ignores it.</summary>
    [Id(3)] public double? MinP { get; init; }

    /// <summary>0 to 1, step 0.01; 1 disables; default 1 (turbo: 0.95).</summary>
    [Id(4)] public double? TopP { get; init; }

    /// <summary>Turbo only: 0 to 1000, step 10; default 1000.</summary>
    [Id(5)] public int? TopK { get; init; }

    /// <summary>1 to 2, step 0.1; default 1.2.</summary>
    [Id(6)] public double? RepetitionPenalty { get; init; }

    /// <summary>Turbo only; default true.</summary>
    [Id(7)] public bool? NormLoudness { get; init; }

    /// <summary>Multilingual only, required there: a language the model speaks; default en.</summary>
    [Id(8)] public string? LanguageId { get; init; }

    /// <summary>0 to 4,294,967,295; 0, the default, is random.</summary>
    [Id(9)] public long? Seed { get; init; }

    [Id(10), JsonExtensionData] public UnknownMembers? Unknown { get; set; }

    /// <summary>The engine's own defaults.</summary>
    public static TtsParameters DefaultsFor(TtsEngine engine) => engine switch
    {
        TtsEngine.Chatterbox => Classic,
        TtsEngine.Multilingual => Classic with { LanguageId = "en" },
        TtsEngine.Turbo => new()
        {
            Temperature = 0.8, TopP = 0.95, TopK = 1000, RepetitionPenalty = 1.2, NormLoudness = true, Seed = 0,
        },
        _ => throw new ArgumentOutOfRangeException(nameof(engine), engine, null),
    };

    private static TtsParameters Classic { get; } = new()
    {
        Exaggeration = 0.5, CfgWeight = 0.5, Temperature = 0.8, MinP = 0.05, TopP = 1, RepetitionPenalty = 1.2, Seed = 0,
    };

    /// <summary>These parameters, with those in the patch replaced.</summary>
    public TtsParameters With(TtsParameters patch) => new()
    {
        Exaggeration = patch.Exaggeration ?? Exaggeration,
        CfgWeight = patch.CfgWeight ?? CfgWeight,
        Temperature = patch.Temperature ?? Temperature,
        MinP = patch.MinP ?? MinP,
        TopP = patch.TopP ?? TopP,
        TopK = patch.TopK ?? TopK,
        RepetitionPenalty = patch.RepetitionPenalty ?? RepetitionPenalty,
        NormLoudness = patch.NormLoudness ?? NormLoudness,
        LanguageId = patch.LanguageId ?? LanguageId,
        Seed = patch.Seed ?? Seed,
        Unknown = patch.Unknown ?? Unknown,
    };

    /// <summary>
    /// The patch that turns <paramref name="before"/> into this: only the differences, so that edits of two clients merge.
    /// </summary>
    public TtsParameters DifferenceFrom(TtsParameters before) => new()
    {
        Exaggeration = Exaggeration == before.Exaggeration ? null : Exaggeration,
        CfgWeight = CfgWeight == before.CfgWeight ? null : CfgWeight,
        Temperature = Temperature == before.Temperature ? null : Temperature,
        MinP = MinP == before.MinP ? null : MinP,
        TopP = TopP == before.TopP ? null : TopP,
        TopK = TopK == before.TopK ? null : TopK,
        RepetitionPenalty = RepetitionPenalty == before.RepetitionPenalty ? null : RepetitionPenalty,
        NormLoudness = NormLoudness == before.NormLoudness ? null : NormLoudness,
        LanguageId = LanguageId == before.LanguageId ? null : LanguageId,
        Seed = Seed == before.Seed ? null : Seed,
    };
}
