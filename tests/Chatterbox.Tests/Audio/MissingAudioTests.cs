namespace Chatterbox.Tests.Audio;

public sealed class MissingAudioTests
{
    [Fact(DisplayName =
        "[A2] in a state that is restored without some of its audio, chunks without theirs are interrupted, voices lose "
        + "their recording, and the notes say so")]
    public void Dropped()
    {
        var state = AppState.Initial with
        {
            Chunks = [Completed("gone", 'a'), Completed("there", 'b'), Samples.Chunk("pending")],
            SavedVoices = [Voice("v", 'a'), Voice("w", 'b')],
        };

        var dropped = TtsSiloApp.Instance.DropClips(state, new HashSet<string> { Hash('a') }).ToArray();
        var restored = dropped.Aggregate(state, (sum, each) => AppStateReducer.Apply(sum, each.Change).State);

        Assert.Equal(state.Chunks[0] with { Status = WorkStatus.Interrupted, Audio = null }, restored.Chunks[0]);
        Assert.Equal(state.Chunks.Skip(1), restored.Chunks.Skip(1));
        Assert.Equal([state.SavedVoices[0] with { Prompt = null }, state.SavedVoices[1]], restored.SavedVoices);
        Assert.Equal(["chunk gone", "voice v"], dropped.Select(each => each.Note.Split(':')[0]));
        Assert.Empty(TtsSiloApp.Instance.DropClips(state, new HashSet<string>()));
    }

    private static Chunk Completed(string id, char hash) =>
        Samples.Chunk(id) with { Status = WorkStatus.Completed, Audio = Audio(hash) };

    private static SavedVoice Voice(string id, char hash) =>
        new() { Id = id, Name = id, Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox), Prompt = Audio(hash) };

    private static AudioRef Audio(char hash) => new() { Hash = Hash(hash), Length = 100 };

    private static string Hash(char digit) => new(digit, 64);
}
