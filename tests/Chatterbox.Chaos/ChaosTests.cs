using Chatterbox.Chaos.Faults;
using Xunit.Abstractions;

namespace Chatterbox.Chaos;

/// <summary>The short form of <c>tests/chaos.sh</c>.</summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    private static readonly RunOptions Nothing =
        RunOptions.Default with { Length = TimeSpan.Zero, PausedRounds = 0, StaleRounds = 0 };

    [ChaosFact(DisplayName =
        "[O2] [C3] random faults of silos, database, network, clocks and clients: nothing lost, doubled, diverged or unseen")]
    public Task Random_faults() =>
        RunAsync(Nothing with { Length = TimeSpan.FromSeconds(25), LongestFault = TimeSpan.FromSeconds(7) });

    [ChaosFact(DisplayName =
        "[P8] [P9] a durable removal stays, whatever unsaved change a silo held that was paused for "
        + "longer than failure detection")]
    public Task Paused_silo() => RunAsync(Nothing with { PausedRounds = 1 });

    [ChaosFact(DisplayName =
        "[F3] a durable change is seen by all clients within 15 s, though a session has two activations for a while")]
    public Task Stale_activation() => RunAsync(Nothing with { StaleRounds = 1 });

    private async Task RunAsync(RunOptions options)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        var exitCode = await Sandbox.RunAsync(options.ToArguments(), output.WriteLine, deadline.Token);
        Assert.True(exitCode == 0, $"It found something: see the table in the output. The schedule again: --seed {options.Seed}");
    }

    private sealed class ChaosFactAttribute : FactAttribute
    {
        public ChaosFactAttribute() => Skip = Environment.GetEnvironmentVariable("CHATTERBOX_TEST_CHAOS") is { Length: > 0 }
            ? Sandbox.Missing
            : "run by tests/chaos.sh, or here with CHATTERBOX_TEST_CHAOS=1";
    }
}
