using System.Security.Cryptography;
using Chatterbox.EndToEndTests;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests.Hub;

/// <summary>What has cost the users of others their work.</summary>
public sealed class PitfallTests
{
    [Fact(DisplayName =
        "[W2] [P8] a tab closed before it heard 'durable' sends again, and undoes nothing, also after 300 other clients")]
    public async Task Closed_before_durable()
    {
        await using var host = await GatewayHost.StartAsync();
        var session = host.Grains.GetGrain<IUserSessionGrain>(new SessionId("alice").Key);
        var tab = await host.OpenAsync("alice");
        var epoch = (await tab.AttachAsync("tab")).State.Epoch;
        AppStateChange[] changes = [new UpsertChunk(Samples.Chunk("c1")), new SetChunkStatus("c1", WorkStatus.Generating)];
        Assert.Equal(ApplyOutcome.Done, (await tab.ApplyAsync("tab", epoch, 0, changes)).Result);
        await tab.DisposeAsync();
        await Eventually.HoldsAsync(() => host.Connections.CountOf("alice") == 0, "the silo has seen the tab close");

        // Others complete it, and change the same slice, as runs of the command line do.
        for (var run = 0; run < 300; run++)
        {
            var client = new ClientId("cli", $"run{run}");
            epoch = (await session.AttachAsync(new()
            {
                Client = client, Device = "cli", Protocol = Protocol.Version, NextSequence = 1,
            })).State.Epoch;
            AppStateChange change = run == 0
                ? new CompleteChunk("c1", Samples.Audio)
                : new UpsertChunk(Samples.Chunk("c2", $"{run}"));
            Assert.Equal(ApplyResult.Done, (await session.ApplyAsync(
                new(client.Client, epoch, 0, [new(1, change)], client.Process))).Result);
            Assert.Null((await session.DetachAsync(client, isDone: true)).Failure);
        }

        var again = await host.OpenAsync("alice");
        epoch = (await again.AttachAsync("tab", next: 1)).State.Epoch;
        Assert.Equal(ApplyOutcome.Done, (await again.ApplyAsync("tab", epoch, 0, changes)).Result);
        var state = (await again.SinceAsync(0, 0)).Snapshot!;
        Assert.Equal((WorkStatus.Completed, 2), (state.Chunks.First(chunk => chunk.Id == "c1").Status, state.Chunks.Count));
    }

    [Fact(DisplayName =
        "[C3] [W1] kill -9 of the silo between 'applied' and 'durable': each of 200 chunks is stored once, none is reported "
        + "durable and lost")]
    public async Task Killed()
    {
        const int chunks = 200;
        await using var silo = await SiloProcess.StartAsync(
            ("Auth__SigningKey", GatewayHost.SigningKey), ("Session__WriteDelay", "00:00:00.150"));
        var outbox = new SortedDictionary<long, AppStateChange>();
        var stored = new HashSet<long>();
        var (kills, sent) = (0, 0);
        while (stored.Count < chunks)
        {
            await using var page = new Page(silo.Web, GatewayHost.Token("alice"));
            await page.ConnectAsync();
            var attached = await page.AttachAsync("tab", next: outbox.Count > 0 ? outbox.Keys.First() : sent + 1);
            Assert.All(stored, sequence =>
                Assert.Contains(attached.State.Snapshot!.Chunks, chunk => chunk.Id == $"c{sequence}"));
            var (epoch, revisions) = (attached.State.Epoch, new Dictionary<long, long>());
            await ResendAsync();
            while (sent < chunks || outbox.Count > 0)
            {
                for (var more = 0; more < 10 && sent < chunks; more++) await SendAsync(++sent);
                if (sent == 60 * (kills + 1) && kills < 3)
                {
                    kills++;
                    await silo.KillAsync();
                    await silo.StartAgainAsync();
                    break;
                }
                var durable = (await page.EventAsync<BecameDurable>()).Revision;
                foreach (var sequence in outbox.Keys.Where(each => revisions[each] <= durable).ToArray())
                {
                    outbox.Remove(sequence);
                    stored.Add(sequence);
                }
            }

            async Task SendAsync(long sequence)
            {
                outbox[sequence] = new UpsertChunk(Samples.Chunk($"c{sequence}"));
                var answer = await page.ApplyAsync("tab", epoch, sequence - 1, outbox[sequence]);
                Assert.Equal(ApplyOutcome.Done, answer.Result);
                revisions[sequence] = answer.Outcomes[0].Revision;
            }

            async Task ResendAsync()
            {
                foreach (var sequence in outbox.Keys.ToArray()) await SendAsync(sequence);
            }
        }
        await using var reader = new Page(silo.Web, GatewayHost.Token("alice"));
        await reader.ConnectAsync();
        var state = (await reader.AttachAsync("reader")).State.Snapshot!;
        Assert.Equal(3, kills);
        Assert.Equal(Enumerable.Range(1, chunks).Select(number => $"c{number}").Order(StringComparer.Ordinal),
            state.Chunks.Select(chunk => chunk.Id).Order(StringComparer.Ordinal));
    }

    [Fact(DisplayName = "[W3] a state of 5,000 chunks comes over a line of 256 kbit/s: in one piece, asked for once")]
    public async Task Slow_line()
    {
        const int chunks = 5000;
        await using var host = await GatewayHost.StartAsync();
        var session = host.Grains.GetGrain<IUserSessionGrain>(new SessionId("alice").Key);
        var writer = new ClientId("p", "writer");
        var epoch = (await session.AttachAsync(new()
        {
            Client = writer, Device = "d", Protocol = Protocol.Version, NextSequence = 1,
        })).State.Epoch;
        for (var done = 0; done < chunks; done += 1000)
        {
            var batch = Enumerable.Range(done, 1000).Select(at => new SequencedChange(at + 1,
                new UpsertChunk(Samples.Chunk($"c{at}", RandomNumberGenerator.GetHexString(96)))));
            Assert.Equal(ApplyResult.Done, (await session.ApplyAsync(new("writer", epoch, done, batch.ToValueList()))).Result);
        }

        await using var line = new SlowProxy(host.Address, 256_000 / 8);
        await using var page = new Page(line.Address, GatewayHost.Token("alice"));
        await page.ConnectAsync();
        Assert.True((await page.AttachAsync("tab")).State.Fetch);
        var started = TimeProvider.System.GetTimestamp();
        using var http = GatewayHost.Http(GatewayHost.Token("alice"), line.Address);
        var snapshot = await http.GetJsonAsync<SnapshotAnswer>("/api/sessions/app-state");
        Assert.Equal(chunks, snapshot.State.Chunks.Count);
        // Longer than SignalR lets one send take.
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60));
        var bytes = line.Passed;
        var attached = await page.AttachAsync("tab", epoch: snapshot.Epoch, seen: snapshot.Revision);
        Assert.False(attached.State.Fetch);
        Assert.Empty(attached.State.Changes);
        Assert.True(line.Passed - bytes < 16 * 1024, "the state came once");
        Assert.False(page.Closed.IsCompleted);
    }

    [Fact(DisplayName =
        "[X1] [C3] with tokens of 5 s for a minute, renewed on new connections before they expire, nothing is lost or doubled "
        + "and no page hears that it has expired")]
    [Trait("Speed", "Slow")]
    public async Task Short_tokens()
    {
        var valid = TimeSpan.FromSeconds(5);
        await using var host = await GatewayHost.StartAsync();
        var reader = await host.OpenAsync("alice");
        await reader.AttachAsync("reader");
        var session = host.Grains.GetGrain<IUserSessionGrain>(new SessionId("alice").Key);
        Page? older = null;
        var (sequence, epoch) = (0L, 0L);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var renewal = 0; renewal < 18; renewal++)
        {
            var page = new Page(host.Address, GatewayHost.Token("alice", valid));
            await page.ConnectAsync();
            epoch = (await page.AttachAsync("tab", epoch: epoch, next: sequence + 1)).State.Epoch;
            if (older is not null)
            {
                Assert.Equal(new ByePush(ByeReason.Superseded, SessionId.DefaultStore), await older.PushedAsync<ByePush>());
                await older.DisposeAsync();
            }
            older = page;
            // A token's expiry is in whole seconds.
            using var life = new CancellationTokenSource(valid - TimeSpan.FromSeconds(1.6));
            while (!life.IsCancellationRequested)
            {
                sequence++;
                var chunk = Samples.Chunk($"c{sequence % 900}", $"{sequence}");
                var answer = await page.ApplyAsync("tab", epoch, sequence - 1, new UpsertChunk(chunk));
                Assert.Equal((ApplyOutcome.Done, null), (answer.Result, answer.Outcomes[0].Rejection));
                await reader.EventAsync<ChangesApplied>(what => what.ToRevision == answer.Outcomes[0].Revision);
                await pace.WaitForNextTickAsync();
            }
        }
        var status = await session.GetStatusAsync();
        Assert.Equal((sequence, sequence), (status.Changes, status.Revision));
        // The last one is not renewed.
        Assert.Equal(new ByePush(ByeReason.Expired), await older!.PushedAsync<ByePush>());
        await older.DisposeAsync();
    }
}
