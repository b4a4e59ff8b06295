using Chatterbox.Bench.FanOut;
using Chatterbox.Client;

namespace Chatterbox.Bench;

/// <summary>What a session with much audio holds in its silo's memory: beside the same session without, in a process of its own.</summary>
internal static class MemoryBench
{
    private const int Users = 4;
    private const int Clips = 53;

    /// <summary>40 s of speech; 53 of them are 100 MB.</summary>
    private const int ClipBytes = 40 * 24_000 * 2;

    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(12);

    public static async Task RunAsync()
    {
        await using var silo = await SiloChild.StartAsync();
        await using var client = await ClientHost.StartAsync(silo.Gateway);
        var stores = await client.OpenAsync(Users);
        // What an upload is the first to need is not the audio's.
        await FillAsync(stores[0], "first", 1);
        var before = await silo.UsageAsync(collect: true);

        await Task.WhenAll(stores.Select(store => FillAsync(store, "chunk", Clips)));
        var busy = await silo.UsageAsync(collect: true);
        // Longer than sessions go without a heartbeat: clips that nobody reads leave memory, as they do after a while by themselves.
        await Task.Delay(Idle, TimeProvider.System);
        await client.Cluster.GetGrain<IManagementGrain>(0).ForceActivationCollection(Idle - TimeSpan.FromSeconds(2));
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        var after = await silo.UsageAsync(collect: true);

        var info = await stores[1].Persistence.GetStorageInfoAsync();
        Console.WriteLine($"A session with {info.Audio.ReferencedClips} clips, {info.Audio.ReferencedBytes / 1e6:N0} MB, holds {PerSession(after, before):N0} KB of heap more than one without");
        Console.WriteLine($"({PerSession(busy, before):N0} KB while all of its clips have just been uploaded), its part of the user's ledger included.");
        Console.WriteLine($"Resident memory of the silo with {Users} of them: {before.Resident / 1e6:N0} MB before, {busy.Resident / 1e6:N0} MB after.");
    }

    private static double PerSession(Usage after, Usage before) => (after.Heap - before.Heap) / (double)Users / 1024;

    private static async Task FillAsync(ChatterboxStore store, string name, int clips)
    {
        var clip = new byte[ClipBytes];
        for (var number = 0; number < clips; number++)
        {
            Random.Shared.NextBytes(clip);
            await store.UpsertChunkAsync(new()
            {
                Id = $"{name}-{number}", Text = new string('x', 150), Parameters = store.State.Preferences.Parameters,
                Status = WorkStatus.Completed, Audio = await store.Audio.UploadAsync(clip),
            });
        }
        await store.Persistence.FlushAsync();
    }
}
