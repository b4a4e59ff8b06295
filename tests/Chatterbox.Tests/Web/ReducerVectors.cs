using System.Text.Json;
using System.Text.Json.Nodes;

namespace Chatterbox.Tests.Web;

/// <summary>Changes applied one after the other, with what became of each.</summary>
internal static class ReducerVectors
{
    private const int Seed = 14;
    private const int Sequences = 260;
    private const int Steps = 20;

    public static IEnumerable<string> Lines()
    {
        var random = new Random(Seed);
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            var changes = new RandomChanges(random);
            yield return Sequence(AppState.Initial, Enumerable.Range(0, Steps).Select(_ => (changes.Next(), changes.Slices())));
        }
        foreach (var line in Traps()) yield return line;
        foreach (var line in Full()) yield return line;
    }

    private static string Sequence(AppState start, IEnumerable<(AppStateChange Change, ValueList<string>? Slices)> steps)
    {
        var state = start;
        var lines = new JsonArray();
        foreach (var (change, slices) in steps)
        {
            var (after, rejection) = AppStateReducer.Apply(state, change, slices);
            lines.Add(Step(VectorJson.Change(change), slices, state, after, change.Slice, rejection));
            state = after;
        }
        return VectorJson.Line(new() { ["kind"] = "reduce", ["start"] = VectorJson.State(start), ["steps"] = lines });
    }

    private static JsonObject Step(
        JsonNode change, ValueList<string>? slices, AppState before, AppState after, SliceDefinition slice, Rejection? rejection)
    {
        var step = new JsonObject { ["change"] = change };
        if (slices is not null) step["slices"] = VectorJson.Slices(slices);
        if (rejection is not null) step["rejection"] = VectorJson.Rejection(rejection);
        else if (ReferenceEquals(before, after)) step["same"] = true;
        else step["slice"] = new JsonObject { ["name"] = slice.Name, ["value"] = VectorJson.Slice(after, slice) };
        return step;
    }

    /// <summary>Each on a state that holds s1, v1, c1, b1 and e1: where the two languages differ by themselves.</summary>
    private static IEnumerable<string> Traps()
    {
        var start = Start();
        foreach (var change in Samples.EveryChange) yield return Sequence(start, [(change, null), (change, null)]);
        foreach (var trap in RandomChanges.Texts)
        {
            // Written with stand-ins, applied with the surrogates themselves.
            var real = trap.Replace(VectorJson.High, '\uD800').Replace(VectorJson.Low, '\uDC00');
            foreach (var (written, applied) in TextChanges(trap).Zip(TextChanges(real)))
            {
                var (after, rejection) = AppStateReducer.Apply(start, applied);
                var step = Step(VectorJson.Change(written), null, start, after, written.Slice, rejection);
                yield return VectorJson.Line(new()
                {
                    ["kind"] = "reduce", ["start"] = VectorJson.State(start), ["steps"] = new JsonArray(step),
                });
            }
        }
        foreach (var json in RandomChanges.UnknownJson)
        {
            var unknown = JsonSerializer.Deserialize(json, ChatterboxJson.Default.UnknownMembers)!;
            yield return Sequence(start, UnknownChanges(unknown).Select(change => (change, (ValueList<string>?)null)));
        }
        yield return Sequence(start, Moments().Select(change => (change, (ValueList<string>?)null)));
        yield return Sequence(start, Ids().Select(change => (change, (ValueList<string>?)null)));
    }

    private static AppState Start()
    {
        AppStateChange[] changes =
        [
            new UpsertWorkSession(new() { Id = "s1", Name = "Chapter 1", CreatedAt = DateTimeOffset.UnixEpoch }),
            new UpsertVoice(new() { Id = "v1", Name = "Narrator", Parameters = new() }),
            new UpsertChunk(Samples.Chunk("c1")),
            new UpsertBatchItem(new() { Id = "b1", Name = "chapter-1.txt" }),
            new ReportError(new() { Id = "e1", Message = "out of memory" }),
        ];
        return changes.Aggregate(AppState.Initial, (state, change) => AppStateReducer.Apply(state, change).State);
    }

    private static AppStateChange[] TextChanges(string text) =>
    [
        new UpsertWorkSession(new() { Id = text, Name = "x" }),
        new UpsertVoice(new() { Id = "v2", Name = text, Parameters = new() }),
        new UpsertChunk(Samples.Chunk("c2", text)),
        new SetSystemStatus(text),
        new SelectWorkSession(text),
        new SetVoiceUpload(text),
        new ReportError(new() { Id = "e2", Message = text }),
        new UpdateParameters(TtsEngine.Multilingual, new() { LanguageId = text }),
        new CompleteChunk("c1", Samples.Audio with { MediaType = text }),
        new CompleteChunk("c1", Samples.Audio with { Hash = text }),
    ];

    private static AppStateChange[] UnknownChanges(UnknownMembers unknown) =>
    [
        new UpsertChunk(Samples.Chunk("c1") with { Unknown = unknown }),
        new UpsertChunk(Samples.Chunk("c1") with { Unknown = unknown }),
        new SetChunkStatus("c1", WorkStatus.Error),
        new UpsertVoice(new() { Id = "v1", Name = "Narrator", Parameters = new() { Unknown = unknown } }),
        new UpdateParameters(TtsEngine.Chatterbox, new() { TopP = 0.5, Unknown = unknown }),
        new UpdateParameters(TtsEngine.Chatterbox, new() { TopP = 0.6 }),
        new SelectEngine(TtsEngine.Turbo),
        new CompleteChunk("c1", Samples.Audio with { Unknown = unknown }),
        new UpsertBatchItem(new() { Id = "b1", Name = "x", Unknown = unknown }),
        new UpsertWorkSession(new() { Id = "s1", Name = "x", Unknown = unknown }),
    ];

    /// <summary>The same instant under other offsets, and instants that differ by less than a browser's clock does.</summary>
    private static AppStateChange[] Moments()
    {
        var moment = new DateTimeOffset(2026, 11, 28, 9, 30, 0, TimeSpan.Zero);
        DateTimeOffset[] moments =
        [
            moment, moment.ToOffset(TimeSpan.FromHours(5.5)), moment.AddTicks(1), moment.AddTicks(10), moment.AddMilliseconds(1),
            moment.ToOffset(TimeSpan.FromHours(-11)), default, DateTimeOffset.MaxValue,
        ];
        return [.. moments.SelectMany(at => new AppStateChange[]
        {
            new UpsertChunk(Samples.Chunk("c1") with { CreatedAt = at }),
            new UpsertBatchItem(new() { Id = "b1", Name = "x", CreatedAt = at }),
            new UpsertWorkSession(new() { Id = "s1", Name = "x", UpdatedAt = at }),
        })];
    }

    private static AppStateChange[] Ids() =>
    [
        new UpsertWorkSession(new() { Id = "s1", Name = "x", ChunkIds = Many(TtsLimits.ChunkIdsPerItem + 1) }),
        new UpsertBatchItem(new() { Id = "b1", Name = "x", ChunkIds = Many(TtsLimits.ChunkIdsPerItem) }),
        new UpsertBatchItem(new() { Id = "b1", Name = "x", ChunkIds = ["c1", " c2"] }),
        new SetSyncedSlices([.. Enumerable.Repeat(TtsSlice.Chunks, 7)]),
        new SetSyncedSlices([.. Enumerable.Repeat(TtsSlice.Chunks, 6)]),
        new SetSyncedSlices(null),
    ];

    private static ValueList<string> Many(int count) => Enumerable.Range(0, count).Select(id => $"c{id}").ToValueList();

    /// <summary>Lists that are full. Their items are not written: copies of the first one, with ids of their own.</summary>
    private static IEnumerable<string> Full()
    {
        var start = Start();
        yield return Filled("chunks", TtsLimits.Chunks,
            start with { Chunks = Fill(start.Chunks, TtsLimits.Chunks, (item, id) => item with { Id = id }) },
            new UpsertChunk(Samples.Chunk("new")), new UpsertChunk(Samples.Chunk("f7")), new RemoveChunk("none"));
        yield return Filled("workSessions", TtsLimits.WorkSessions,
            start with { WorkSessions = Fill(start.WorkSessions, TtsLimits.WorkSessions, (item, id) => item with { Id = id }) },
            new UpsertWorkSession(new() { Id = "new", Name = "x" }), new RemoveWorkSession("none"));
        yield return Filled("savedVoices", TtsLimits.SavedVoices,
            start with { SavedVoices = Fill(start.SavedVoices, TtsLimits.SavedVoices, (item, id) => item with { Id = id }) },
            new UpsertVoice(new() { Id = "new", Name = "x", Parameters = new() }), new RemoveVoice("none"));
        yield return Filled("batchItems", TtsLimits.BatchItems,
            start with { BatchItems = Fill(start.BatchItems, TtsLimits.BatchItems, (item, id) => item with { Id = id }) },
            new UpsertBatchItem(new() { Id = "new", Name = "x" }), new RemoveBatchItem("none"));
        var errors = Enumerable.Range(0, TtsLimits.TransientErrors + 5)
            .Select(id => (AppStateChange)new ReportError(new() { Id = $"e{id}", Message = "x" }));
        yield return Sequence(start, errors.Select(change => (change, (ValueList<string>?)null)));
    }

    private static ValueList<T> Fill<T>(ValueList<T> list, int count, Func<T, string, T> copy) where T : class, IKeyed =>
        Enumerable.Range(0, count).Select(id => copy(list[0], $"f{id}")).ToValueList();

    private static string Filled(string name, int count, AppState state, params AppStateChange[] changes)
    {
        var steps = new JsonArray();
        foreach (var change in changes)
        {
            var (after, rejection) = AppStateReducer.Apply(state, change);
            if (rejection is null && !ReferenceEquals(state, after)) continue;
            steps.Add(Step(VectorJson.Change(change), null, state, after, change.Slice, rejection));
        }
        return VectorJson.Line(new()
        {
            ["kind"] = "reduce", ["start"] = VectorJson.State(Start()), ["fill"] = new JsonObject { ["name"] = name,
            ["count"] = count }, ["steps"] = steps,
        });
    }
}
