using System.Security.Cryptography;
using Chatterbox.Client;
using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Chatterbox.ClusterTests.Audio;

/// <summary>A clock that tests move on; what waits does not wait by it.</summary>
internal sealed class MovableClock : TimeProvider
{
    private long _ticks;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref _ticks));

    public void MoveOn(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
}

/// <summary>What the audio tests need of a cluster: more stores for each user, one of them small, and a clock.</summary>
internal static class AudioCluster
{
    public const string OtherStore = "other";
    public const string SmallStore = "small";
    public const int Quota = 1_000_000;

    public static readonly TimeSpan PastUploads = TimeSpan.FromHours(2);
    public static readonly TimeSpan PastGrace = TimeSpan.FromHours(26);

    public static async Task<(ChatterboxCluster Cluster, MovableClock Clock)> StartAsync(DatabaseProvider provider = DatabaseProvider.Sqlite)
    {
        var clock = new MovableClock();
        var cluster = await ChatterboxCluster.StartAsync(new()
        {
            ConfigureSilo = silo =>
            {
                silo.Services.AddSingleton<TimeProvider>(clock);
                // Orleans takes its clocks by key. By one that is a day ahead, silos retire those that start after them.
                silo.Services.AddKeyedSingleton(KeyedService.AnyKey, TimeProvider.System);
                silo.Services.AddSingleton(PersistConfig.AppState with { Name = OtherStore });
                silo.Services.AddSingleton(PersistConfig.AppState with { Name = SmallStore, QuotaBytes = Quota });
            },
        }, provider);
        return (cluster, clock);
    }

    /// <summary>Ends the ledger's activation: the next call to it looks at the clock, and collects by itself what is due.</summary>
    public static Task ReloadLedgerAsync(this ChatterboxCluster cluster, string user) =>
        cluster.Cluster.DeactivateAsync(((GrainReference)cluster.Ledger(user)).GrainId).WaitAsync(ChatterboxCluster.Patience);

    /// <summary>Collects until nothing is left that can go. Returns how many clips went.</summary>
    public static async Task<int> CollectAllAsync(this ChatterboxCluster cluster, string user)
    {
        for (var sum = 0; ;)
        {
            var some = await cluster.Ledger(user).CollectAsync(forRoomIn: null);
            if (some == 0) return sum;
            sum += some;
        }
    }

    /// <summary>Waits until something is so; fails when it does not come.</summary>
    public static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(ChatterboxCluster.Patience);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!isSo()) await tick.WaitForNextTickAsync(patience.Token);
    }

    public static Task<ChatterboxStore> OpenAsync(this ChatterboxCluster cluster, string user, string store) =>
        cluster.NewClient().OpenAsync(new(user, store)).WaitAsync(ChatterboxCluster.Patience);

    public static IAudioLedgerGrain Ledger(this ChatterboxCluster cluster, string user) => cluster.Cluster.Client.GetGrain<IAudioLedgerGrain>(user);

    public static IAudioClipGrain Clip(this ChatterboxCluster cluster, string user, string hash) =>
        cluster.Cluster.Client.GetGrain<IAudioClipGrain>(AudioClipKey.For(user, hash));

    public static IClipKeeping Keeping(this ChatterboxCluster cluster, string user, string hash) =>
        cluster.Cluster.Client.GetGrain<IClipKeeping>(AudioClipKey.For(user, hash));

    /// <summary>The names of the user's stored clip rows.</summary>
    public static IReadOnlyList<string> ClipRows(this ChatterboxCluster cluster, string user) =>
    [
        .. cluster.Probe.Stored.Keys.Where(row => row.Grain.Type.ToString() == "chatterbox.clip"
            && row.Grain.Key.ToString()!.StartsWith($"{user}/", StringComparison.Ordinal)).Select(row => row.Row),
    ];

    public static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static string HashOf(byte[] clip) => Convert.ToHexStringLower(SHA256.HashData(clip));

    public static byte[] Piece(this byte[] clip, int piece) => clip.AsSpan(piece * AudioPieces.Bytes, AudioPieces.LengthOf(piece, clip.Length)).ToArray();

    /// <summary>Returns once the ledger knows what the session has let go of: it is told right after that is durable, and counts from then.</summary>
    public static async Task LetGoAsync(this ChatterboxStore store, Task<ChangeReceipt> change)
    {
        await change.DurablyAsync();
        await store.Persistence.FlushAsync();
    }

    /// <summary>A completed chunk, durably.</summary>
    public static async Task AddChunkAsync(this ChatterboxStore store, string id, AudioRef audio) =>
        await store.UpsertChunkAsync(TestData.Chunk(id) with { Status = WorkStatus.Completed, Audio = audio }).DurablyAsync();
}
