using Chatterbox.Silo;
using Microsoft.Extensions.DependencyInjection;

namespace Chatterbox.ClusterTests.Sessions;

public sealed class ClockTests
{
    [Fact(DisplayName = "[I5] new sessions load while the wall clock is an hour behind what the silo has seen")]
    public async Task New_sessions_load_after_a_step_back()
    {
        var clock = new SteppingClock();
        await using var cluster = await ChatterboxCluster.StartAsync(new ChatterboxCluster
        {
            ConfigureSilo = silo => silo.UseSteadyActivationClock().Services.AddSingleton<TimeProvider>(clock),
        });
        await using (await cluster.OpenAsync("before"))
        {
        }

        clock.Step = TimeSpan.FromHours(-5);
        await using var store = await cluster.OpenAsync("after");
        await (await store.UpsertChunkAsync(TestData.Chunk("after"))).Durable.WaitAsync(ChatterboxCluster.Patience);

        clock.Step = TimeSpan.FromHours(5);
        await using var later = await cluster.OpenAsync("later");
        Assert.True(later.HasHydrated);
    }

    private sealed class SteppingClock : TimeProvider
    {
        private long _ticks;

        public TimeSpan Step
        {
            set => Interlocked.Exchange(ref _ticks, value.Ticks);
        }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref _ticks));
    }
}
