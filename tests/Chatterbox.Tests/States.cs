using CsCheck;

namespace Chatterbox.Tests;

/// <summary>Random states and changes. CsCheck prints the seed of what fails.</summary>
internal static class States
{
    private static readonly Gen<string> Text = Gen.OneOf(
        Gen.String[Gen.Char['a', 'z'], 1, 40], Gen.Const("héllo – \"quoted\" \\ 日本語 😀"), Gen.Const("{\"json\":1}"));

    private static readonly Gen<DateTimeOffset> Time =
        Gen.Long[0, 4_000_000_000_000].Select(DateTimeOffset.FromUnixTimeMilliseconds);

    private static readonly Gen<TtsParameters> Parameters =
        Gen.Select(Gen.Double[0.25, 2], Gen.Double[0, 1], Gen.Long[0, uint.MaxValue])
            .Select((exaggeration, weight, seed) => TtsParameters.DefaultsFor(TtsEngine.Chatterbox) with
            {
                Exaggeration = exaggeration, CfgWeight = weight, Seed = seed,
            });

    private static readonly Gen<ValueList<string>> Ids =
        Gen.Int[0, 20].Array[0, 4].Select(ids => ids.Distinct().Select(id => $"c{id}").ToValueList());

    private static readonly Gen<Chunk> Chunk =
        Gen.Select(Gen.Int[0, 30], Text, Gen.Int[0, 4], Parameters, Time).Select((id, text, status, parameters, at) => new Chunk
        {
            Id = $"c{id}", Text = text, Status = (WorkStatus)status, Parameters = parameters, CreatedAt = at,
            Audio = status == 2 ? Samples.Audio : null,
        });

    public static Gen<AppState> Any { get; } = Gen.Select(
        Gen.Select(Parameters, Gen.Bool, Gen.Int[0, 2]).Select((parameters, streaming, other) => Preferences.Default with
        {
            Parameters = parameters,
            UseStreaming = streaming,
            CurrentSessionId = other == 0 ? null : $"s{other}",
            OtherEngines = other == 2
                ? OtherEngines.None with { Turbo = TtsParameters.DefaultsFor(TtsEngine.Turbo) }
                : OtherEngines.None,
        }),
        List(Gen.Select(Gen.Int[0, 30], Text, Ids, Time)
            .Select((id, name, chunks, at) =>
                new WorkSession { Id = $"s{id}", Name = name, ChunkIds = chunks, CreatedAt = at, UpdatedAt = at }), 15),
        List(Gen.Select(Gen.Int[0, 30], Text, Parameters)
            .Select((id, name, parameters) => new SavedVoice { Id = $"v{id}", Name = name, Parameters = parameters }), 6),
        List(Chunk, 20),
        List(Gen.Select(Gen.Int[0, 30], Text, Ids, Gen.Int[0, 4])
            .Select((id, name, chunks, status) =>
                new BatchItem { Id = $"b{id}", Name = name, ChunkIds = chunks, Status = (WorkStatus)status }), 5))
        .Select((preferences, sessions, voices, chunks, items) => new AppState
        {
            Preferences = preferences, WorkSessions = sessions, SavedVoices = voices, Chunks = chunks, BatchItems = items,
        });

    /// <summary>Any change with any content that is allowed, for a state of these ids.</summary>
    public static Gen<AppStateChange> Change { get; } = Gen.OneOf<AppStateChange>(
        Gen.Int[0, 2].Select(engine => (AppStateChange)new SelectEngine((TtsEngine)engine)),
        Parameters.Select(parameters => (AppStateChange)new UpdateParameters(TtsEngine.Chatterbox, parameters)),
        Gen.Bool.Select(streaming => (AppStateChange)new SetStreaming(streaming)),
        Gen.Int[0, 5].Array[0, 6].Select(slices =>
            (AppStateChange)new SetSyncedSlices(slices.Select(each => TtsApp.Instance.Slices[each].Name).ToValueList())),
        Gen.Select(Gen.Int[0, 30], Text, Ids, Time)
            .Select((id, name, chunks, at) =>
                (AppStateChange)new UpsertWorkSession(new() { Id = $"s{id}", Name = name, ChunkIds = chunks, CreatedAt = at })),
        Gen.Select(Gen.Int[0, 30], Text, Parameters)
            .Select((id, name, parameters) =>
                (AppStateChange)new UpsertVoice(new() { Id = $"v{id}", Name = name, Parameters = parameters })),
        Chunk.Select(chunk => (AppStateChange)new UpsertChunk(chunk)),
        Gen.Select(Gen.Int[0, 30], Gen.Int[0, 4])
            .Select((id, status) => (AppStateChange)new SetChunkStatus($"c{id}", (WorkStatus)status)),
        Gen.Int[0, 30].Select(id => (AppStateChange)new CompleteChunk($"c{id}", Samples.Audio)),
        Gen.Select(Gen.Int[0, 30], Text, Ids)
            .Select((id, name, chunks) =>
                (AppStateChange)new UpsertBatchItem(new() { Id = $"b{id}", Name = name, ChunkIds = chunks })),
        Gen.OneOfConst([.. Samples.EveryChange]));

    private static Gen<ValueList<T>> List<T>(Gen<T> item, int most) where T : class, IKeyed =>
        item.Array[0, most].Select(items => items.DistinctBy(each => each.Id).ToValueList());
}
