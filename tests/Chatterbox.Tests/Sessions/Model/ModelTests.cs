using Xunit.Abstractions;

namespace Chatterbox.Tests.Sessions.Model;

/// <summary>
/// Several clients, one session and its rows, joined by a network that loses, repeats, delays and reorders whatever passes; with
/// silos that die or hand the session over, writes that fail or are late, clients that die or keep other
/// slices in sync, and states that are replaced. No clock and no threads: a seed gives the same run again.
/// <c>CHATTERBOX_MODEL_RUNS</c> sets how many runs there are.
/// </summary>
public sealed class ModelTests(ITestOutputHelper output)
{
    private static readonly int Runs =
        int.TryParse(Environment.GetEnvironmentVariable("CHATTERBOX_MODEL_RUNS"), out var runs) ? runs : 200;

    [Fact(DisplayName =
        "[C3] [F3] [F4] [P8] [P9] whatever is lost, repeated, reordered, moved or killed: every change is "
        + "in once, and all show the same")]
    [Trait("Category", "Long")]
    public void Random_runs()
    {
        for (var run = 0; run < Runs; run++)
        {
            var seed = Random.Shared.Next();
            try
            {
                Run(seed);
            }
            catch
            {
                output.WriteLine($"seed {seed}");
                throw;
            }
        }
    }

    [Theory(DisplayName = "[C3] seeds that have failed before")]
    [InlineData(387959497)]
    [InlineData(1461542247)]
    [InlineData(1805451746)]
    public void Known_seeds(int seed) => Run(seed, chooses: false);

    [Fact(DisplayName = "a run comes by all that may happen")]
    public void Everything_happens()
    {
        var happened = new Dictionary<string, int>();
        for (var seed = 0; seed < 30; seed++)
        {
            foreach (var (what, times) in Run(seed).Happened) happened[what] = happened.GetValueOrDefault(what) + times;
        }
        foreach (var (what, times) in happened.OrderBy(each => each.Key)) output.WriteLine($"{times,6} {what}");
        Assert.Empty(World.Everything.Except(happened.Keys));
    }

    // Seeds that failed before clients chose slices give the same runs as they did then.
    private static World Run(int seed, bool chooses = true)
    {
        // What continues does so at once and in order: a run is one sequence of steps.
        SynchronizationContext.SetSynchronizationContext(null);
        var world = new World(new Random(seed), chooses);
        for (var step = 0; step < 500; step++) world.Step();
        world.Settle();
        return world;
    }
}
