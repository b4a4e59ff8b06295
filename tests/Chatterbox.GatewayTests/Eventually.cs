namespace Chatterbox.GatewayTests;

internal static class Eventually
{
    /// <summary>Waits until something holds that nothing tells of.</summary>
    public static Task HoldsAsync(Func<Task<bool>> holds, string what, double? seconds = null) =>
        HoldsAsync(holds, () => what, seconds);

    public static Task HoldsAsync(Func<bool> holds, Func<string> what, double? seconds = null) =>
        HoldsAsync(() => Task.FromResult(holds()), what, seconds);

    private static async Task HoldsAsync(Func<Task<bool>> holds, Func<string> what, double? seconds)
    {
        using var patience = new CancellationTokenSource(
            seconds is { } given ? TimeSpan.FromSeconds(given) : GatewayHost.Patience);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await holds())
        {
            if (patience.IsCancellationRequested) Assert.Fail($"Not in time: {what()}");
            await tick.WaitForNextTickAsync();
        }
    }

    public static Task HoldsAsync(Func<bool> holds, string what, double? seconds = null) =>
        HoldsAsync(() => Task.FromResult(holds()), what, seconds);
}
