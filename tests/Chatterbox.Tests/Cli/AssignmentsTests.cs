using Chatterbox.Cli.Connection;
using Chatterbox.Cli.State;

namespace Chatterbox.Tests.Cli;

public sealed class AssignmentsTests
{
    [Fact(DisplayName = "[S3] parameters go by the model's names or in camel case, and only those named are sent")]
    public void Parameters()
    {
        var parsed = Assignments.Parse(["temperature=0.9", "cfgWeight=0.3", "repetition_penalty=2"], TtsEngine.Chatterbox);
        var change = Assert.IsType<UpdateParameters>(Assert.Single(parsed.Changes()));
        Assert.Equal(
            new UpdateParameters(TtsEngine.Chatterbox, new() { Temperature = 0.9, CfgWeight = 0.3, RepetitionPenalty = 2 }),
            change);
    }

    [Fact(DisplayName = "[S3] parameters beside engine= are that engine's, wherever it stands")]
    public void OtherEngine()
    {
        var parsed =
            Assignments.Parse(["topK=500", "norm_loudness=false", "engine=turbo", "streaming=true"], TtsEngine.Chatterbox);
        Assert.Equal(
            [
                new SelectEngine(TtsEngine.Turbo),
                new UpdateParameters(TtsEngine.Turbo, new() { TopK = 500, NormLoudness = false }),
                new SetStreaming(true),
            ], parsed.Changes());
    }

    [Theory(DisplayName = "[S3] a wrong assignment names field, value and what is allowed")]
    [InlineData("temperature=9", "temperature: must be a number from 0.05 to 5 (chatterbox), was '9'")]
    [InlineData("temperature=hot", "temperature: must be a number from 0.05 to 5 (chatterbox), was 'hot'")]
    [InlineData("temperature=NaN", "temperature: must be a number from 0.05 to 5 (chatterbox), was 'NaN'")]
    [InlineData("temperature=0,5", "temperature: must be a number from 0.05 to 5 (chatterbox), was '0,5'")]
    [InlineData("temperature=", "temperature: must be a number from 0.05 to 5 (chatterbox), was ''")]
    [InlineData("seed=1.5", "seed: must be a whole number from 0 to 4294967295 (chatterbox), was '1.5'")]
    [InlineData("engine=fast", "engine: must be chatterbox, multilingual or turbo, was 'fast'")]
    [InlineData("streaming=yes", "streaming: must be true or false, was 'yes'")]
    [InlineData("temperature", "assignment: must be name=value, such as temperature=0.9, was 'temperature'")]
    [InlineData("=1", "assignment: must be name=value, such as temperature=0.9, was '=1'")]
    public void Wrong(string text, string says) =>
        Assert.Equal(says, Assert.Throws<WrongRequestException>(() => Assignments.Parse([text], TtsEngine.Chatterbox)).Message);

    [Fact(DisplayName = "[S3] an unknown name lists the names that the engine has")]
    public void UnknownName()
    {
        var wrong = Assert.Throws<WrongRequestException>(() => Assignments.Parse(["top_k=10"], TtsEngine.Chatterbox));
        Assert.Contains("exaggeration cfg_weight temperature min_p top_p repetition_penalty seed (parameters of chatterbox)",
            wrong.Message, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[S3] a name given twice is refused, in whatever spelling")]
    public void Twice() =>
        Assert.Throws<WrongRequestException>(() => Assignments.Parse(["cfg_weight=0.1", "cfgWeight=0.2"], TtsEngine.Chatterbox));
}
