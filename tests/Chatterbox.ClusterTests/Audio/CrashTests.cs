using System.Collections.Concurrent;
using Chatterbox.ClusterTests.Storage;
using Chatterbox.Grains.Audio;
using Chatterbox.Silo.Storage;
using static Chatterbox.Silo.Storage.DatabaseProvider;

namespace Chatterbox.ClusterTests.Audio;

/// <summary>
/// The same story told by many users, each of whom loses storage at another of its writes: the first at the first, the second at
/// the second, before or after the commit. Then all silos are killed.
/// </summary>
public abstract class CrashTests(DatabaseProvider database)
{
    private static readonly byte[] Large = AudioCluster.Bytes(AudioPieces.Bytes + 1, 1);
    private static readonly byte[] Small = AudioCluster.Bytes(500, 2);
    private static readonly byte[] Next = AudioCluster.Bytes(700, 3);
    private static readonly byte[] Forgotten = AudioCluster.Bytes(AudioPieces.Bytes + 2, 4);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [ContractFact(DisplayName =
        "[A2] [A1] silos die before and after every write of uploading, referring and dropping: the clips that the state "
        + "refers to are stored, and the others are deleted")]
    public async Task Every_write_of_keeping()
    {
        var (cluster, clock) = await AudioCluster.StartAsync(database);
        await using var _ = cluster;
        var failures = new FailingPoints(most: 24);
        cluster.Probe.OnChange(failures.Next);

        var stories = failures.Users.Select(user => failures.TellAsync(user, () => KeepAndDropAsync(cluster, user))).ToArray();
        await failures.AllReachedAsync();
        await cluster.CrashAsync();
        cluster.Probe.Heal();
        await Task.WhenAll(stories).WaitAsync(Patience);

        // The points are more than the story has writes: none of them was missed.
        Assert.Contains(failures.Users, user => !failures.WasReached(user));
        await SweepDaysAsync(cluster, clock, failures.Users);
        foreach (var user in failures.Users) await AssertKeptAsync(cluster, user, Next);
    }

    [ContractFact(DisplayName =
        "[A2] silos die before and after every write of a sweep: the next one goes on with it, and a clip that is uploaded "
        + "again in between is whole and stays")]
    public async Task Every_write_of_deleting()
    {
        var (cluster, clock) = await AudioCluster.StartAsync(database);
        await using var _ = cluster;
        var failures = new FailingPoints(most: 14);
        await Task.WhenAll(failures.Users.Select(async user =>
        {
            await KeepAndDropAsync(cluster, user);
            await UploadAsync(cluster, user, Forgotten);
        })).WaitAsync(Patience);
        clock.MoveOn(AudioCluster.PastGrace);
        foreach (var user in failures.Users) await cluster.SweepAllAsync(user);
        clock.MoveOn(AudioCluster.PastGrace);
        cluster.Probe.OnChange(failures.Next);

        await Task.WhenAll(failures.Users.Select(user => failures.TellAsync(user, () => cluster.Ledger(user).SweepAsync()))
            .Select(async story => await story.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing))).WaitAsync(Patience);
        await cluster.CrashAsync();
        cluster.Probe.Heal();

        Assert.Contains(failures.Users, user => !failures.WasReached(user));
        var again = failures.Users.Where((_, number) => number % 2 == 0).ToArray();
        await Task.WhenAll(again.Select(async user =>
        {
            var audio = await UploadAsync(cluster, user, Large);
            await using var store = await cluster.OpenAsync(user);
            await store.AddChunkAsync("again", audio);
        })).WaitAsync(Patience);
        await SweepDaysAsync(cluster, clock, failures.Users);
        foreach (var user in failures.Users) await AssertKeptAsync(cluster, user, again.Contains(user) ? [Next, Large] : [Next]);
    }

    [ContractFact(DisplayName =
        "[A2] [D4] a save does not ask the ledger: with the ledger unavailable it succeeds, and the clip it refers to stays")]
    public async Task Ledger_unavailable()
    {
        var (cluster, clock) = await AudioCluster.StartAsync(database);
        await using var _ = cluster;
        var store = await cluster.OpenAsync("alice");
        await store.UpsertChunkAsync(TestData.Chunk("c")).DurablyAsync();
        var audio = await store.Audio.UploadAsync(Small);
        await cluster.ReloadLedgerAsync("alice");
        cluster.Probe.OnWrite(row => row == AudioLedger.RowName ? Fault.BeforeCommit : Fault.None);
        cluster.Probe.OnRead(row => row == AudioLedger.RowName ? Fault.Read : Fault.None);

        await store.CompleteChunkAsync("c", audio).DurablyAsync();
        clock.MoveOn(AudioCluster.PastGrace);
        await Assert.ThrowsAsync<IOException>(() => cluster.Ledger("alice").SweepAsync());
        await store.DisposeAsync();
        await cluster.CrashAsync();
        cluster.Probe.Heal();
        await cluster.OpenAsync("bob");
        // Nobody has said yet that the clip is in use, and its upload has expired.
        Assert.Equal(0, await cluster.SweepAllAsync("alice"));

        var after = await cluster.OpenAsync("alice");
        Assert.Equal(audio, after.State.Chunks.Find("c")?.Audio);
        Assert.Equal(Small, await after.Audio.DownloadAsync(audio.Hash));
        Assert.Equal(1, (await after.Persistence.GetStorageInfoAsync()).Audio.ReferencedClips);
    }

    private static async Task KeepAndDropAsync(ChatterboxCluster cluster, string user)
    {
        await using var store = cluster.NewClient().Open(new SessionId(user));
        var (large, small) = (await UploadAsync(cluster, user, Large), await UploadAsync(cluster, user, Small));
        await StoredAsync(store.UpsertChunkAsync(TestData.Chunk("c") with { Status = WorkStatus.Completed, Audio = large }));
        await StoredAsync(store.UpsertVoiceAsync(new()
        {
            Id = "v", Name = "V", Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox), Prompt = small,
        }));
        await StoredAsync(store.CompleteChunkAsync("c", await UploadAsync(cluster, user, Next)));
        await StoredAsync(store.RemoveVoiceAsync("v"));

        static async Task StoredAsync(Task<ChangeReceipt> change) => await (await change).Durable;
    }

    // The client gives up after a while; whoever wants the clip stored goes on.
    private static async Task<AudioRef> UploadAsync(ChatterboxCluster cluster, string user, byte[] clip)
    {
        await using var store = cluster.NewClient().Open(new SessionId(user));
        while (true)
        {
            try
            {
                return await store.Audio.UploadAsync(clip);
            }
            catch (IOException)
            {
                // Storage is away.
            }
        }
    }

    // Copies of the state, renewed as sessions close, may still refer to a dropped clip: then it is deleted a day later.
    private static async Task SweepDaysAsync(ChatterboxCluster cluster, MovableClock clock, IEnumerable<string> users)
    {
        for (var day = 1; day <= 5; day++)
        {
            clock.MoveOn(AudioCluster.PastGrace);
            foreach (var user in users)
            {
                await cluster.OpenAsync(user);
                await cluster.DeactivateAsync(user);
                await cluster.SweepAllAsync(user);
            }
        }
    }

    private static async Task AssertKeptAsync(ChatterboxCluster cluster, string user, params byte[][] clips)
    {
        var store = await cluster.OpenAsync(user);
        Assert.Equal(clips.Select(AudioCluster.HashOf), store.State.Chunks.Select(chunk => chunk.Audio!.Hash));
        Assert.Empty(store.State.SavedVoices);
        foreach (var clip in clips) Assert.Equal(clip, await store.Audio.DownloadAsync(AudioCluster.HashOf(clip)));

        var prefix = AudioClipKey.For(user, "");
        var rows = (await StoredRows.LengthsAsync(cluster.Database))
            .Where(row => row.Key.StartsWith(prefix, StringComparison.Ordinal)
            && row.Row.StartsWith("clip", StringComparison.Ordinal)).Select(row => row.Key[prefix.Length..]).ToArray();
        Assert.Equal(clips.Select(AudioCluster.HashOf).Order(), rows.Distinct().Order());
        Assert.Equal(clips.Sum(clip => AudioPieces.CountOf(clip.Length) is > 1 and var pieces ? pieces + 1 : 1), rows.Length);
        Assert.Equal(clips.Select(clip => (AudioCluster.HashOf(clip), (long)clip.Length)).Order(),
            (await cluster.EntriesAsync(user)).Select(entry => (entry.Hash, entry.Length)).Order());
    }

    /// <summary>For each user the write at which storage goes away for it, and whether that one is still committed.</summary>
    private sealed class FailingPoints
    {
        private readonly Dictionary<string, (int Point, Fault Fault)> _points;
        private readonly ConcurrentDictionary<string, int> _changes = new();
        private readonly Dictionary<string, TaskCompletionSource> _reached;

        public FailingPoints(int most)
        {
            _points = Enumerable.Range(1, most)
                .SelectMany(point => (IEnumerable<(int, Fault)>)[(point, Fault.BeforeCommit), (point, Fault.AfterCommit)])
                .ToDictionary(each => $"{each.Item2}-{each.Item1}");
            _reached = _points.Keys.ToDictionary(user => user,
                _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            Users = [.. _points.Keys];
        }

        public IReadOnlyList<string> Users { get; }

        public bool WasReached(string user) => _changes.GetValueOrDefault(user) >= _points[user].Point;

        public Fault Next(GrainId grain, string row)
        {
            var key = grain.Key.ToString()!;
            var user = (AudioLedgerKey.UserOf(key) ?? key).Split('/')[0];
            if (!_points.TryGetValue(user, out var point)) return Fault.None;
            var change = _changes.AddOrUpdate(user, 1, (_, before) => before + 1);
            if (change >= point.Point) _reached[user].TrySetResult();
            return change < point.Point ? Fault.None : change == point.Point ? point.Fault : Fault.BeforeCommit;
        }

        public async Task TellAsync(string user, Func<Task> story)
        {
            try
            {
                await story();
            }
            finally
            {
                _reached[user].TrySetResult();
            }
        }

        public Task AllReachedAsync() => Task.WhenAll(_reached.Values.Select(each => each.Task)).WaitAsync(Patience);
    }
}

[OnDatabase(Sqlite)]
public class CrashesOnSqlite() : CrashTests(Sqlite);

[OnDatabase(PostgreSql)]
public class CrashesOnPostgreSql() : CrashTests(PostgreSql);
