using System.Security.Cryptography;
using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Chatterbox.ClusterTests.Audio;

/// <summary>A wall clock that tests move on; durations are not measured by it.</summary>
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

    /// <param name="sweeps">Sweeps run by themselves, every second. Otherwise the test asks for each.</param>
    /// <param name="otherStore">Whether <see cref="OtherStore"/> is registered.</param>
    public static async Task<(ChatterboxCluster Cluster, MovableClock Clock)> StartAsync(
        DatabaseProvider provider = DatabaseProvider.Sqlite, bool sweeps = false, Func<bool>? otherStore = null,
            Action<ISiloBuilder>? configure = null)
    {
        var clock = new MovableClock();
        var cluster = new ChatterboxCluster
        {
            ConfigureSilo = silo =>
            {
                configure?.Invoke(silo);
                if (!sweeps) silo.Services.Remove(silo.Services.Single(each => each.ImplementationType == typeof(AudioSweeper)));
                silo.Services.AddSingleton<TimeProvider>(clock);
                // Orleans takes its clocks by key. By one that is a day ahead, silos retire those that start after them.
                silo.Services.AddKeyedSingleton(KeyedService.AnyKey, TimeProvider.System);
                if (otherStore?.Invoke() is not false) silo.Services
                    .AddSingleton(PersistConfig.AppState with { Name = OtherStore });
                silo.Services.AddSingleton(PersistConfig.AppState with { Name = SmallStore, QuotaBytes = Quota });
            },
        };
        cluster.Options.AudioSweepPeriod = TimeSpan.FromSeconds(1);
        return (await ChatterboxCluster.StartAsync(cluster, provider), clock);
    }

    /// <summary>Ends the ledger's activation: the next call reads its row.</summary>
    public static Task ReloadLedgerAsync(this ChatterboxCluster cluster, string user) =>
        cluster.Cluster.DeactivateAsync(((GrainReference)cluster.Ledger(user)).GrainId).WaitAsync(ChatterboxCluster.Patience);

    /// <summary>Sweeps until nothing more can be deleted. Returns the number of clips deleted.</summary>
    public static async Task<int> SweepAllAsync(this ChatterboxCluster cluster, string user)
    {
        for (var sum = 0; ;)
        {
            var some = await cluster.Ledger(user).SweepAsync();
            if (some == 0) return sum;
            sum += some;
        }
    }

    /// <summary>
    /// Sweeps twice, a grace period apart each: what was in use at the last sweep is noted as dropped first, and goes then.
    /// </summary>
    public static async Task<int> SweepPastGraceAsync(this ChatterboxCluster cluster, MovableClock clock, string user)
    {
        clock.MoveOn(PastGrace);
        var first = await cluster.SweepAllAsync(user);
        clock.MoveOn(PastGrace);
        return first + await cluster.SweepAllAsync(user);
    }

    /// <summary>Holds a sweep up where it comes to write a row, or has read one, and meanwhile does something.</summary>
    public static async Task DuringSweepAsync(this ChatterboxCluster cluster, string user, string row, bool isWrite,
        Func<Task> meanwhile)
    {
        var (reached, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        Func<string, Task> hold = async name =>
        {
            if (name == row && reached.TrySetResult()) await goOn.Task;
        };
        if (isWrite) cluster.Probe.BeforeWrite(hold);
        else cluster.Probe.AfterRead(hold);
        var sweeping = cluster.Ledger(user).SweepAsync();
        await reached.Task.WaitAsync(ChatterboxCluster.Patience);
        await meanwhile();
        goOn.SetResult();
        await sweeping.WaitAsync(ChatterboxCluster.Patience);
        cluster.Probe.BeforeWrite(_ => Task.CompletedTask);
        cluster.Probe.AfterRead(_ => Task.CompletedTask);
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

    public static IAudioLedgerGrain Ledger(this ChatterboxCluster cluster, string user) =>
        cluster.Cluster.Client.GetGrain<IAudioLedgerGrain>(AudioLedgerKey.For(user));

    public static IAudioClipGrain Clip(this ChatterboxCluster cluster, string user, string hash) =>
        cluster.Cluster.Client.GetGrain<IAudioClipGrain>(AudioClipKey.For(user, hash));

    public static IClipKeeping Keeping(this ChatterboxCluster cluster, string user, string hash) =>
        cluster.Cluster.Client.GetGrain<IClipKeeping>(AudioClipKey.For(user, hash));

    /// <summary>What the user's ledger holds.</summary>
    public static async Task<IReadOnlyList<LedgerEntry>> EntriesAsync(this ChatterboxCluster cluster, string user) =>
        await StoredRows.ReadAsync(cluster.Database, AudioLedger.RowName, AudioLedgerKey.For(user)) is { } row
            ? [.. AudioLedger.Decode(row)!.Entries.OrderBy(entry => entry.Hash, StringComparer.Ordinal)] : [];

    /// <summary>The names of the user's stored clip rows.</summary>
    public static IReadOnlyList<string> ClipRows(this ChatterboxCluster cluster, string user) =>
    [
        .. cluster.Probe.Stored.Keys.Where(row => row.Grain.Type.ToString() == "chatterbox.clip"
            && row.Grain.Key.ToString()!.StartsWith(AudioClipKey.For(user, ""), StringComparison.Ordinal)).Select(row => row.Row),
    ];

    public static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static string HashOf(byte[] clip) => Convert.ToHexStringLower(SHA256.HashData(clip));

    public static byte[] Piece(this byte[] clip, int piece) =>
        clip.AsSpan(piece * AudioPieces.Bytes, AudioPieces.LengthOf(piece, clip.Length)).ToArray();

    /// <summary>A completed chunk, durably.</summary>
    public static async Task AddChunkAsync(this ChatterboxStore store, string id, AudioRef audio) =>
        await store.UpsertChunkAsync(TestData.Chunk(id) with { Status = WorkStatus.Completed, Audio = audio }).DurablyAsync();
}
