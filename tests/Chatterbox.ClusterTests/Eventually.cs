
namespace Chatterbox.ClusterTests;

internal static class Eventually
{
    /// <summary>Waits until the store shows what is expected; fails with what it showed last.</summary>
    public static async Task ShowsAsync(this ChatterboxStore store, Func<AppState, bool> expected)
    {
        using var patience = new CancellationTokenSource(ChatterboxCluster.Patience);
        try
        {
            await foreach (var update in store.WatchUpdates(patience.Token))
            {
                if (expected(update.State)) return;
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"Revision {store.Revision} still shows {store.State}");
        }
    }

    /// <summary>Makes a change and waits until it is stored.</summary>
    public static async Task DurablyAsync(this Task<ChangeReceipt> change) =>
        await (await change.WaitAsync(ChatterboxCluster.Patience)).Durable.WaitAsync(ChatterboxCluster.Patience);
}
