namespace Chatterbox.Tests.State;

public sealed class ParameterTests
{
    public static TheoryData<TtsEngine, string, double, double> Ranges => new()
    {
        { TtsEngine.Chatterbox, "exaggeration", 0.25, 2 }, { TtsEngine.Chatterbox, "cfg_weight", 0, 1 },
        { TtsEngine.Chatterbox, "temperature", 0.05, 5 },
        { TtsEngine.Chatterbox, "min_p", 0, 1 }, { TtsEngine.Chatterbox, "top_p", 0, 1 },
        { TtsEngine.Chatterbox, "repetition_penalty", 1, 2 },
        { TtsEngine.Multilingual, "exaggeration", 0.25, 2 }, { TtsEngine.Multilingual, "temperature", 0.05, 5 },
        { TtsEngine.Turbo, "temperature", 0.05, 2 }, { TtsEngine.Turbo, "top_p", 0, 1 },
        { TtsEngine.Turbo, "repetition_penalty", 1, 2 },
        { TtsEngine.Turbo, "exaggeration", 0.25, 2 },
    };

    [Theory(DisplayName = "[S3] a parameter takes its range to the ends, and nothing beyond")]
    [MemberData(nameof(Ranges))]
    public void Range(TtsEngine engine, string name, double min, double max)
    {
        foreach (var inside in (double[])[min, max, (min + max) / 2]) Assert.Null(Check(engine, name, inside));
        foreach (var outside in (double[])[Math.BitDecrement(min), Math.BitIncrement(max), double.NaN,
            double.PositiveInfinity, double.NegativeInfinity])
        {
            Assert.Equal(name, Check(engine, name, outside)?.Field);
        }
    }

    [Fact(DisplayName = "[S3] whole numbers, languages and switches are checked per engine")]
    public void Others()
    {
        Assert.Null(Check(TtsEngine.Turbo, new() { TopK = 1000, NormLoudness = false }));
        Assert.Equal("top_k", Check(TtsEngine.Turbo, new() { TopK = 1001 })!.Field);
        Assert.Equal("top_k", Check(TtsEngine.Chatterbox, new() { TopK = 1 })!.Field);
        Assert.Equal("norm_loudness", Check(TtsEngine.Multilingual, new() { NormLoudness = true })!.Field);
        Assert.Null(Check(TtsEngine.Multilingual, new() { LanguageId = "zh" }));
        Assert.Equal("language_id", Check(TtsEngine.Multilingual, new() { LanguageId = "xx" })!.Field);
        Assert.Equal("language_id", Check(TtsEngine.Chatterbox, new() { LanguageId = "en" })!.Field);
        Assert.Null(Check(TtsEngine.Chatterbox, new() { Seed = uint.MaxValue }));
        Assert.Equal("seed", Check(TtsEngine.Chatterbox, new() { Seed = -1 })!.Field);
        Assert.Equal(23, TtsParameterSpec.Languages.Count);
    }

    [Theory(DisplayName = "[S3] an engine's defaults are its own and are whole")]
    [InlineData(TtsEngine.Chatterbox)]
    [InlineData(TtsEngine.Multilingual)]
    [InlineData(TtsEngine.Turbo)]
    public void Defaults(TtsEngine engine)
    {
        var defaults = TtsParameters.DefaultsFor(engine);
        Assert.Null(TtsParameterSpec.Check(engine, defaults));
        foreach (var spec in TtsParameterSpec.For(engine).Where(spec => !spec.Ignored))
        {
            Assert.NotNull(TtsParameterSpec.Named(defaults).Single(parameter => parameter.Name == spec.Name).Value);
        }
        Assert.Equal((0.8, 1.2, 0L), (defaults.Temperature, defaults.RepetitionPenalty, defaults.Seed));
    }

    [Fact(DisplayName = "[C2] a patch holds what differs and nothing else")]
    public void Patches()
    {
        var before = TtsParameters.DefaultsFor(TtsEngine.Chatterbox);
        var patch = (before with { Temperature = 1.1 }).DifferenceFrom(before);
        Assert.Equal(new TtsParameters { Temperature = 1.1 }, patch);
        Assert.Equal(before with { Temperature = 1.1, Seed = 4 }, (before with { Seed = 4 }).With(patch));
    }

    private static Rejection? Check(TtsEngine engine, TtsParameters patch) =>
        AppStateReducer.Apply(AppState.Initial, new UpdateParameters(engine, patch)).Rejection;

    private static Rejection? Check(TtsEngine engine, string name, double value) => Check(engine, name switch
    {
        "exaggeration" => new() { Exaggeration = value },
        "cfg_weight" => new() { CfgWeight = value },
        "temperature" => new() { Temperature = value },
        "min_p" => new() { MinP = value },
        "top_p" => new() { TopP = value },
        _ => new() { RepetitionPenalty = value },
    });
}
