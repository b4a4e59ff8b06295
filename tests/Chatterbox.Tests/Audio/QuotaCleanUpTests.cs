using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using CsCheck;

namespace Chatterbox.Tests.Audio;

public sealed class QuotaCleanUpTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact(DisplayName = "[A4] the oldest work sessions lose their audio first, and no more of them than have to")]
    public void Oldest_first()
    {
        var state = State(current: "s3", ("s2", 2, ["b"]), ("s1", 1, ["a"]), ("s3", 3, ["c"]));

        Assert.Equal(0, QuotaCleanUp.Plan(state, 0)!.Bytes);
        Assert.Equal(["s1"], QuotaCleanUp.Plan(state, 100)!.WorkSessions.Select(session => session.Id));
        Assert.Equal(["s1", "s2"], QuotaCleanUp.Plan(state, 101)!.WorkSessions.Select(session => session.Id));
        Assert.Null(QuotaCleanUp.Plan(state, 201));
    }

    [Fact(DisplayName = "[A4] the current work session and the recordings of voices keep their audio")]
    public void What_is_in_use_stays()
    {
        var state = State(current: "s2", ("s1", 1, ["a", "shared", "voice"]), ("s2", 2, ["shared", "c"]));
        state = state with
        {
            SavedVoices =
            [
                new()
                {
                    Id = "v", Name = "V", Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox), Prompt = Audio("voice"),
                },
            ],
        };

        var cleaned = Assert.Single(QuotaCleanUp.Plan(state, 100)!.WorkSessions);
        Assert.Equal((["a"], 100), (cleaned.ChunkIds, cleaned.Bytes));
        Assert.Null(QuotaCleanUp.Plan(state, 101));
    }

    [Fact(DisplayName = "[A4] chunks in no work session lose their audio too, each by its own age among the work sessions")]
    public void Loose_chunks()
    {
        var state = State(current: "s3", ("s1", 1, ["a"]), ("s2", 3, ["b"]), ("s3", 0, ["c"]));
        state = state with
        {
            Chunks = [.. state.Chunks, Chunk("new") with { CreatedAt = Now.AddHours(4) },
                Chunk("middle") with { CreatedAt = Now.AddHours(2) }, Chunk("old") with { CreatedAt = Now }],
        };

        Assert.Equal(["old"], QuotaCleanUp.Plan(state, 100)!.LooseChunks);
        var plan = QuotaCleanUp.Plan(state, 300)!;
        Assert.Equal((["old", "middle"], 300), (plan.LooseChunks, (int)plan.Bytes));
        Assert.Equal(["s1"], plan.WorkSessions.Select(session => session.Id));
        Assert.Equal(["a", "old", "middle"], plan.ChunkIds);
        Assert.Equal(["old", "middle", "new"], QuotaCleanUp.Plan(state, 500)!.LooseChunks);
        Assert.Null(QuotaCleanUp.Plan(state, 501));
    }

    [Fact(DisplayName = "[A4] chunks that share a clip let go of it together, and it counts once")]
    public void Shared_clips()
    {
        var state = State(current: null, ("s1", 1, ["a", "b"]), ("s2", 2, ["c"]));
        state = state with { Chunks = state.Chunks.Select(chunk => chunk with { Audio = Audio("same") }).ToValueList() };

        var cleaned = Assert.Single(QuotaCleanUp.Plan(state, 100)!.WorkSessions);
        Assert.Equal((["a", "b", "c"], 100), (cleaned.ChunkIds, cleaned.Bytes));
        Assert.Null(QuotaCleanUp.Plan(state, 101));
    }

    [Fact(DisplayName = "[A4] [P6] a store's quota is its own, and what the configuration says goes before")]
    public void Configured()
    {
        var options = new ChatterboxOptions();
        Assert.Equal(5, (PersistConfig.AppState with { QuotaBytes = 5 }).Resolve(options).QuotaBytes);
        options.Stores[PersistConfig.AppState.Name] = new() { QuotaBytes = 7 };
        Assert.Equal(7, (PersistConfig.AppState with { QuotaBytes = 5 }).Resolve(options).QuotaBytes);
        Assert.Contains("QuotaBytes: must be 1 or more bytes, was 0",
            Assert.Single((PersistConfig.Minimal with { QuotaBytes = 0 }).Resolve(options).Problems), StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[A4] a plan frees exactly what it says, as much as is needed, and never what is in use")]
    public void Random_states() =>
        Gen.Select(Gen.Int[0, 5].Array[0, 4].Array[0, 5], Gen.Int[-1, 4], Gen.Int[0, 900], Gen.Int[0, 9].Array[0, 3])
            .Sample((sessions, current, needed, loose) =>
    {
        var state = State(current < 0 || current >= sessions.Length ? null : $"s{current}",
            [.. sessions.Select((chunks, number) =>
                ($"s{number}", (number * 7) % 5, chunks.Distinct().Select(id => $"c{id}").ToArray()))]);
        state = state with { Chunks =
            [.. state.Chunks, .. loose.Distinct().Select(id => Chunk($"l{id}") with { CreatedAt = Now.AddHours(id) })] };
        state = state with
        {
            Chunks = state.Chunks.Select(chunk => chunk with { Audio = Audio($"clip{chunk.Id[1] / 2}") }).ToValueList(),
        };
        var before = Bytes(state);

        var plan = QuotaCleanUp.Plan(state, needed);
        var everything = before - Bytes(Without(state, state.Chunks
            .Select(chunk => chunk.Id).Except(state.CurrentWorkSession?.ChunkIds ?? [])));
        if (plan is null)
        {
            Assert.True(everything < needed);
            return;
        }
        var after = Without(state, plan.ChunkIds);
        Assert.Equal(before - Bytes(after), plan.Bytes);
        Assert.InRange(plan.Bytes, needed, everything);
        Assert.Equal(plan.ChunkIds.Distinct(), plan.ChunkIds);
        Assert.True(plan.WorkSessions.SkipLast(1).Sum(session => session.Bytes) < needed || plan.WorkSessions.Count == 0);
        Assert.All(state.CurrentWorkSession?.ChunkIds ?? [], id => Assert.NotNull(after.Chunks.Find(id)!.Audio));
    }, iter: 3000);

    private static AppState Without(AppState state, IEnumerable<string> chunks) => chunks.Distinct().Aggregate(state, (sum, id) =>
        AppStateReducer.Apply(sum, new SetChunkStatus(id, WorkStatus.Pending)).State);

    private static long Bytes(AppState state) =>
        QuotaCleanUp.ClipsOf(state).DistinctBy(audio => audio.Hash).Sum(audio => audio.Length);

    private static AppState State(string? current, params (string Id, int Hour, string[] Chunks)[] sessions) =>
        AppState.Initial with
        {
            Preferences = Preferences.Default with { CurrentSessionId = current },
            WorkSessions = sessions.Select(each => new WorkSession
            {
                Id = each.Id, Name = each.Id, UpdatedAt = Now.AddHours(each.Hour), ChunkIds = each.Chunks.ToValueList(),
            }).ToValueList(),
            Chunks = sessions.SelectMany(each => each.Chunks).Distinct().Select(Chunk).ToValueList(),
        };

    private static Chunk Chunk(string id) => Samples.Chunk(id) with { Status = WorkStatus.Completed, Audio = Audio(id) };

    private static AudioRef Audio(string name) => new() { Hash = name.PadRight(64, '0'), Length = 100 };
}
