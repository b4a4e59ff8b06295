using System.Text;
using Chatterbox.ClusterTests.Storage;
using Chatterbox.Silo.Storage;

namespace Chatterbox.ClusterTests.Sessions;

public abstract class SavingTests(DatabaseProvider database) : SessionSuite(database)
{
    [ContractFact(DisplayName = "[P1] a thousand quick parameter changes make a handful of row writes")]
    public async Task Changes_are_coalesced()
    {
        await using var cluster = await StartAsync(new() { Options = new() });
        var store = await cluster.OpenAsync("alice");

        var changes = Enumerable.Range(1, 1000)
            .Select(number => store.UpdateParametersAsync(p => p with { Seed = number })).ToArray();
        await (await changes[^1]).Durable.WaitAsync(ChatterboxCluster.Patience);

        Assert.Equal(1000, store.State.Preferences.Parameters.Seed);
        Assert.InRange(cluster.Probe.Writes.Count, 1, 5);
        Assert.All(cluster.Probe.Writes, write => Assert.Equal("preferences", write.Row));
    }

    [ContractFact(DisplayName = "[P4] a parameter change writes one row of under 1 KB, whatever audio the session holds")]
    public async Task Only_the_slice_that_differs_is_written()
    {
        await using var cluster = await StartAsync();
        var store = await cluster.OpenAsync("alice");
        for (var number = 0; number < 20; number++)
        {
            var audio = await store.Audio.UploadAsync(Encoding.UTF8.GetBytes(new string((char)('a' + number), 100_000)));
            await store.UpsertChunkAsync(TestData.Chunk($"c{number}"));
            await store.CompleteChunkAsync($"c{number}", audio);
        }
        await store.Persistence.FlushAsync();
        cluster.Probe.Writes.Clear();

        await store.UpdateParametersAsync(p => p with { Temperature = 0.9, CfgWeight = 0.3 }).DurablyAsync();

        var write = Assert.Single(cluster.Probe.Writes);
        Assert.Equal("preferences", write.Row);
        Assert.InRange(write.Bytes.Length, 1, 1023);
    }

    [ContractFact(DisplayName = "[S4] a change that changes nothing writes nothing")]
    public async Task No_change_no_write()
    {
        await using var cluster = await StartAsync();
        var store = await cluster.OpenAsync("alice");
        await store.SetStreamingAsync(true).DurablyAsync();
        var revision = store.Revision;
        cluster.Probe.Writes.Clear();

        await store.SetStreamingAsync(true).DurablyAsync();
        await store.Persistence.FlushAsync();

        Assert.Empty(cluster.Probe.Writes);
        Assert.Equal(revision, store.Revision);
    }

    [ContractFact(DisplayName = "[P2] one write is in flight at a time, and what changes meanwhile is saved after it")]
    public async Task Changes_during_a_write_are_saved_next()
    {
        await using var cluster = await StartAsync();
        var store = await cluster.OpenAsync("alice");
        var (entered, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var writing = 0;
        cluster.Probe.BeforeWrite(async _ =>
        {
            Assert.Equal(1, Interlocked.Increment(ref writing));
            entered.TrySetResult();
            await release.Task;
            Interlocked.Decrement(ref writing);
        });

        var first = await store.UpdateParametersAsync(p => p with { Seed = 1 });
        await entered.Task.WaitAsync(ChatterboxCluster.Patience);
        var second = await store.UpdateParametersAsync(p => p with { Seed = 2 });
        Assert.False(first.Durable.IsCompleted);
        release.SetResult();
        await Task.WhenAll(first.Durable, second.Durable).WaitAsync(ChatterboxCluster.Patience);

        Assert.Equal(2, cluster.Probe.Writes.Count);
    }

    [ContractFact(DisplayName = "[P3] a failed write fails no change, is told to clients, and is tried again until it succeeds")]
    public async Task Failed_writes_are_tried_again()
    {
        await using var cluster = await StartAsync();
        var store = await cluster.OpenAsync("alice");
        var attempts = 0;
        var failing = new TaskCompletionSource();
        store.Persistence.StatusChanged += () =>
        {
            if (store.Persistence.Status is { State: SaveState.Failing, FailingSince: not null }) failing.TrySetResult();
        };
        cluster.Probe.OnWrite(_ =>
            Interlocked.Increment(ref attempts) < 5 || !failing.Task.IsCompleted ? Fault.BeforeCommit : Fault.None);

        var receipt = await store.SetStreamingAsync(true);
        await failing.Task.WaitAsync(ChatterboxCluster.Patience);
        await receipt.Durable.WaitAsync(ChatterboxCluster.Patience);

        Assert.Equal(SaveState.Saved, store.Persistence.Status.State);
        Assert.Single(cluster.Probe.Writes);
    }

    [ContractFact(DisplayName = "[P5] a session that is deactivated has saved what it held")]
    public async Task Deactivation_saves()
    {
        await using var cluster = await StartAsync(new()
        {
            Options = new() { WriteDelay = TimeSpan.FromMinutes(1), MaxWriteDelay = TimeSpan.FromMinutes(1) },
        });
        var store = await cluster.OpenAsync("alice");
        await store.SetStreamingAsync(true);
        Assert.Empty(cluster.Probe.Writes);

        await cluster.DeactivateAsync("alice");

        Assert.Single(cluster.Probe.WritesOf("preferences"));
        Assert.True((await cluster.OpenAsync("alice")).State.Preferences.UseStreaming);
    }

    [ContractFact(DisplayName = "[P5] when the last client goes, the session saves at once")]
    public async Task The_last_detach_saves()
    {
        await using var cluster = await StartAsync(new()
        {
            Options = new() { WriteDelay = TimeSpan.FromMinutes(1), MaxWriteDelay = TimeSpan.FromMinutes(1) },
        });
        var store = await cluster.OpenAsync("alice");
        await store.SetStreamingAsync(true);

        await store.DisposeAsync();

        Assert.Single(cluster.Probe.Writes);
    }

    [ContractFact(DisplayName =
        "[P9] a stale etag, a commit without an answer, a failure before the commit: nothing is lost, nothing is twice")]
    public async Task Unknown_outcomes_are_found_out()
    {
        await using var cluster = await StartAsync();
        var store = await cluster.OpenAsync("alice");
        foreach (var fault in (Fault[])[Fault.StaleEtag, Fault.AfterCommit, Fault.BeforeCommit])
        {
            var faults = 1;
            cluster.Probe.OnWrite(_ => Interlocked.Decrement(ref faults) >= 0 ? fault : Fault.None);
            await store.UpsertChunkAsync(TestData.Chunk($"{fault}")).DurablyAsync();
        }
        await cluster.CrashAsync();

        var again = await cluster.OpenAsync("alice");
        Assert.Equal(["StaleEtag", "AfterCommit", "BeforeCommit"], again.State.Chunks.Select(chunk => chunk.Id));
    }

    [ContractFact(DisplayName =
        "[P9] a stored revision below one that was durable is a database that was set back: what memory holds is "
        + "stored again, and clients are told")]
    public async Task A_database_that_was_set_back()
    {
        await using var cluster = await StartAsync();
        var store = await cluster.OpenAsync("alice");
        await store.UpsertChunkAsync(TestData.Chunk("mine")).DurablyAsync();
        var foreign = cluster.Probe.WritesOf("chunks").Last().Bytes;
        await store.UpsertChunkAsync(TestData.Chunk("mine too")).DurablyAsync();

        // As restoring a backup under a running silo does it: the row is an older one, with an etag that
        // this activation does not know.
        await StoredRows.OverwriteAsync(cluster.Database, "chunks", foreign);
        await store.UpsertChunkAsync(TestData.Chunk("unsaved")).DurablyAsync();

        Assert.Equal(["mine", "mine too", "unsaved"], store.State.Chunks.Select(chunk => chunk.Id));
        Assert.Contains((await cluster.Session("alice").GetStatusAsync()).Notices,
            notice => notice.Contains("set back", StringComparison.Ordinal));
        await cluster.CrashAsync();
        Assert.Equal(["mine", "mine too", "unsaved"], (await cluster.OpenAsync("alice")).State.Chunks.Select(chunk => chunk.Id));
    }
}
