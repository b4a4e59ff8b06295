namespace Chatterbox.Tests;

internal static class Samples
{
    public static AudioRef Audio { get; } = new()
    {
        Hash = string.Concat(Enumerable.Repeat("0123456789abcdef", 4)), Length = 96_044, SampleRate = 24_000, Duration = 2,
    };

    /// <summary>One of each, and each effective on a state that holds s1, v1, c1, b1 and e1.</summary>
    public static IReadOnlyList<AppStateChange> EveryChange { get; } =
    [
        new SelectEngine(TtsEngine.Turbo),
        new UpdateParameters(TtsEngine.Chatterbox, new() { Temperature = 0.9, CfgWeight = 0.3 }),
        new SetStreaming(true),
        new SelectWorkSession("s1"),
        new SetSyncedSlices([TtsSlice.Preferences, TtsSlice.Chunks]),
        new UpsertWorkSession(new() { Id = "s2", Name = "Chapter 2", ChunkIds = ["c1"], CreatedAt = DateTimeOffset.UnixEpoch }),
        new RemoveWorkSession("s1"),
        new UpsertVoice(new()
        {
            Id = "v2", Name = "Dormouse", Parameters = new() { TopK = 7 }, Engine = TtsEngine.Turbo, Prompt = Audio,
        }),
        new RemoveVoice("v1"),
        new UpsertChunk(Chunk("c9")),
        new RemoveChunk("c1"),
        new SetChunkStatus("c1", WorkStatus.Generating),
        new CompleteChunk("c1", Audio),
        new UpsertBatchItem(new() { Id = "b2", Name = "chapter-2.txt", ChunkIds = ["c1", "c2"] }),
        new RemoveBatchItem("b1"),
        new SetBatchItemStatus("b1", WorkStatus.Completed),
        new SetGenerating(true, "c1"),
        new SetSystemStatus("ready"),
        new ReportError(new() { Id = "e2", Message = "out of memory" }),
        new DismissError("e1"),
        new SetVoiceUpload("voice.wav"),
    ];

    public static Chunk Chunk(string id, string text = "Down, down, down.") => new()
    {
        Id = id, Text = text, Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox), CreatedAt = DateTimeOffset.UnixEpoch,
    };
}
