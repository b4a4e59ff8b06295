using Chatterbox.Bench.FanOut;
using Orleans.Core.Internal;

namespace Chatterbox.Bench;

/// <summary>
/// Memory of a silo for a session with much audio, and for the user's ledger and the grains of the clips just stored. The silo is
/// a separate process.
/// </summary>
internal static class AudioBench
{
    private const int Users = 8;
    private const int Clips = 53;

    /// <summary>40 s of speech; 53 of them are 100 MB.</summary>
    private const int ClipBytes = 40 * 24_000 * 2;

    public static async Task RunAsync()
    {
        await using var silo = await SiloChild.StartAsync();
        await using var client = await ClientHost.StartAsync(silo.Gateway);
        // The first run is a warm-up.
        await HeldAsync(silo, client, await client.OpenAsync(Users));
        var empty = await HeldAsync(silo, client, await client.OpenAsync(Users));

        var stores = await client.OpenAsync(Users);
        var before = await silo.UsageAsync(collect: true);
        await Task.WhenAll(stores.Select(FillAsync));
        var filled = await silo.UsageAsync(collect: true);
        var audio = (await stores[0].Persistence.GetStorageInfoAsync()).Audio;
        var full = await HeldAsync(silo, client, stores);

        Console.WriteLine(
            $"A session with {audio.ReferencedClips} clips, {audio.ReferencedBytes / 1e6:N0} MB, "
            + $"holds {full.Session:N0} KB of heap in its activation; without any, {empty.Session:N0} KB.");
        Console.WriteLine(
            $"Its ledger and the grains of its clips, until they are collected, "
            + $"hold {full.Others:N0} KB; without any, {empty.Others:N0} KB.");
        Console.WriteLine(
            $"Resident memory of the silo: {before.Resident / 1e6:N0} MB before, "
            + $"{filled.Resident / 1e6:N0} MB after {Users} sessions have stored that much.");
    }

    /// <summary>
    /// KB of heap freed by deactivating one session, then its user's other grains, averaged over all sessions.
    /// </summary>
    private static async Task<(double Session, double Others)> HeldAsync(SiloChild silo, ClientHost client,
        ChatterboxStore[] stores)
    {
        var all = await SettledAsync(silo);
        foreach (var store in stores) await store.DisposeAsync();
        foreach (var store in stores)
            await client.Cluster.GetGrain<IUserSessionGrain>(store.Session.Key).AsReference<IGrainManagementExtension>()
                .DeactivateOnIdle();
        var others = await SettledAsync(silo);
        await client.Cluster.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);
        var none = await SettledAsync(silo);
        return (Each(all - others), Each(others - none));

        static double Each(long bytes) => bytes / (double)Users / 1024;
    }

    // Pooled buffers and messages in flight belong to no session: time and collections free them.
    private static async Task<long> SettledAsync(SiloChild silo)
    {
        for (var collections = 0; ; collections++)
        {
            var heap = (await silo.UsageAsync(collect: true)).Heap;
            if (collections == 10) return heap;
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        }
    }

    private static async Task FillAsync(ChatterboxStore store)
    {
        var clip = new byte[ClipBytes];
        for (var number = 0; number < Clips; number++)
        {
            Random.Shared.NextBytes(clip);
            await store.UpsertChunkAsync(new()
            {
                Id = $"chunk-{number}", Text = new string('x', 150), Parameters = store.State.Preferences.Parameters,
                Status = WorkStatus.Completed, Audio = await store.Audio.UploadAsync(clip),
            });
        }
        await store.Persistence.FlushAsync();
    }
}
