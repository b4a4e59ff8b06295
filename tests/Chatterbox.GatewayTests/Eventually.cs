namespace Chatterbox.GatewayTests;

internal static class Eventually
{
    /// <summary>Waits until something holds that nothing tells of.</summary>
    public static async Task HoldsAsync(Func<Task<bool>> holds, string what)
    {
        using var patience = new CancellationTokenSource(GatewayHost.Patience);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await holds())
        {
            if (patience.IsCancellationRequested) Assert.Fail($"Not in time: {what}");
            await tick.WaitForNextTickAsync();
        }
    }

    public static Task HoldsAsync(Func<bool> holds, string what) => HoldsAsync(() => Task.FromResult(holds()), what);
}
