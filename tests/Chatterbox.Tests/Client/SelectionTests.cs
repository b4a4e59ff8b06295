using Chatterbox.Client;

namespace Chatterbox.Tests.Client;

public sealed class SelectionTests
{
    [Fact(DisplayName = "[C1] chunks come by status and by id, and are the same while no chunk changes")]
    public void Chunks()
    {
        var chunks = new ChunkList(
        [
            Samples.Chunk("c1"), Samples.Chunk("c2") with { Status = WorkStatus.Completed, Audio = Samples.Audio },
            Samples.Chunk("c3") with { Status = WorkStatus.Error }, Samples.Chunk("c4") with { Status = WorkStatus.Interrupted },
            Samples.Chunk("c5") with { Status = WorkStatus.Generating },
        ]);

        Assert.Equal(["c1", "c2", "c3", "c4", "c5"],
            ((IEnumerable<Chunk>[])[chunks.Pending, chunks.Completed, chunks.Failed, chunks.Interrupted, chunks.Generating])
                .Select(each => each.Single().Id));
        Assert.Equal(("c3", null), (chunks["c3"]?.Id, chunks["nobody"]));
        Assert.Equal(5, chunks.Count);
        Assert.Equal(chunks, new ChunkList(chunks.All));
        Assert.NotEqual(chunks, new ChunkList(chunks.All.RemoveAt(0)));
    }

    [Fact(DisplayName = "[C1] parameters come with the engine's names, values and ranges, without those it ignores")]
    public void Parameters()
    {
        foreach (var engine in Enum.GetValues<TtsEngine>())
        {
            var parameters = new EngineParameters(engine, TtsParameters.DefaultsFor(engine));
            Assert.All(parameters.All, each => Assert.NotNull(each.Value));
            Assert.Equal(TtsParameterSpec.For(engine).Count(spec => !spec.Ignored), parameters.All.Count());
        }
        var turbo = new EngineParameters(TtsEngine.Turbo, TtsParameters.DefaultsFor(TtsEngine.Turbo) with { TopK = 50 });
        Assert.Equal((50, 1000.0), (turbo["top_k"]!.Value, turbo["top_k"]!.Spec.Max));
        Assert.Null(turbo["cfg_weight"]);
    }
}
