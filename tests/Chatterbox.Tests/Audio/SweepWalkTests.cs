using Chatterbox.Grains.Audio;

namespace Chatterbox.Tests.Audio;

public sealed class SweepWalkTests
{
    [Fact(DisplayName = "[A2] a walk from anywhere meets every ledger, and ends")]
    public void Everything_is_met()
    {
        int[] ledgers = [int.MinValue, int.MinValue + 1, -5, 0, 7, 8, int.MaxValue - 1, int.MaxValue];
        foreach (var start in (int[])[int.MinValue, -6, -5, 0, 8, int.MaxValue - 1, int.MaxValue])
        {
            foreach (var size in (int[])[1, 3, 100])
            {
                var (walk, met, steps) = (new SweepWalk(), new HashSet<int>(), 0);
                for (walk.Begin(start); walk.IsWalking; steps++)
                {
                    Assert.True(steps < 20);
                    var page = ledgers.Where(hash => walk.After is null || hash > walk.After).Take(size).ToArray();
                    met.UnionWith(page);
                    walk.Reached(page.Length == 0 ? null : page[^1]);
                }
                Assert.Equal(ledgers, met.Order());
            }
        }
    }

    [Fact(DisplayName = "[A2] a walk through nothing ends, and the next one can begin")]
    public void Nothing_to_meet()
    {
        var walk = new SweepWalk();
        Assert.False(walk.IsWalking);
        walk.Begin(5);
        walk.Reached(null);
        Assert.Equal((true, null), (walk.IsWalking, walk.After));
        walk.Reached(null);
        Assert.False(walk.IsWalking);
        walk.Begin(3);
        Assert.Equal((true, 3), (walk.IsWalking, walk.After));
    }
}
