using Chatterbox.Silo.Gateway.Wire;
using Microsoft.AspNetCore.SignalR;

namespace Chatterbox.GatewayTests.Hub;

public sealed class RelayTests(SharedHost shared) : IClassFixture<SharedHost>
{
    private readonly GatewayHost _host = shared.Host;

    [Fact(DisplayName = "[W1] a page attaches to a snapshot, applies changes, and hears that they are durable")]
    public async Task Hydrates_and_applies()
    {
        var page = await _host.OpenAsync("hydrate");
        var attached = await page.AttachAsync("b1");
        Assert.Null(attached.Refused);
        Assert.Equal(AppState.Initial, attached.State.Snapshot);

        var applied = await page.ApplyAsync(
            "b1", attached.State.Epoch, 0, new SetStreaming(true), new SelectEngine(TtsEngine.Turbo));
        Assert.Equal(ApplyOutcome.Done, applied.Result);
        var last = applied.Outcomes[1].Revision;
        Assert.Equal([last - 1, last], applied.Outcomes.Select(outcome => outcome.Revision));
        var durable = await page.EventAsync<BecameDurable>(what => what.Revision >= last);
        Assert.True(durable.Revision >= last);
    }

    [Fact(DisplayName = "[W1] a refused change says why, and those around it are applied")]
    public async Task Refuses_one()
    {
        var page = await _host.OpenAsync("refused");
        var epoch = (await page.AttachAsync("b1")).State.Epoch;
        var applied = await page.ApplyAsync("b1", epoch, 0,
            new SetStreaming(true), new UpdateParameters(TtsEngine.Chatterbox, new() { Temperature = 9 }),
            new SetSystemStatus("ready"));
        Assert.Equal(["", "temperature", ""], applied.Outcomes.Select(outcome => outcome.Rejection?.Field ?? ""));
    }

    [Fact(DisplayName = "[W1] another page of the user sees a change with its author's client id and sequence")]
    public async Task Fans_out()
    {
        var (writer, reader) = (await _host.OpenAsync("fan-out"), await _host.OpenAsync("fan-out"));
        var epoch = (await writer.AttachAsync("writer", next: 7)).State.Epoch;
        await reader.AttachAsync("reader");
        await writer.ApplyAsync("writer", epoch, 6, new SetStreaming(true));
        var seen = await reader.EventAsync<ChangesApplied>();
        Assert.Equal([new AppliedChange(seen.ToRevision, "writer", 7, new SetStreaming(true))], seen.Changes);
    }

    [Fact(DisplayName = "[W1] changes sent again under their sequences are applied once")]
    public async Task Applies_once()
    {
        var page = await _host.OpenAsync("once");
        var epoch = (await page.AttachAsync("b1")).State.Epoch;
        var first = await page.ApplyAsync("b1", epoch, 0, new UpsertChunk(Samples.Chunk("c1")));
        var again = await page.ApplyAsync("b1", epoch, 0, new UpsertChunk(Samples.Chunk("c1")));
        Assert.Equal(first.Outcomes, again.Outcomes);
    }

    [Fact(DisplayName = "[W1] a batch after one that did not arrive is told of the gap, one of another epoch to attach")]
    public async Task Tells_of_gaps()
    {
        var page = await _host.OpenAsync("gap");
        var epoch = (await page.AttachAsync("b1")).State.Epoch;
        Assert.Equal(ApplyOutcome.Gap, (await page.ApplyAsync("b1", epoch, 5, new SetStreaming(true))).Result);
        Assert.Equal(ApplyOutcome.OtherEpoch, (await page.ApplyAsync("b1", epoch + 1, 0, new SetStreaming(true))).Result);
        Assert.Equal(ApplyOutcome.OtherEpoch, (await page.ApplyAsync("never-attached", epoch, 0, new SetStreaming(true))).Result);
    }

    [Fact(DisplayName = "[F3] a page asks for what it missed, and gets the changes")]
    public async Task Catches_up()
    {
        var page = await _host.OpenAsync("catch-up");
        var state = (await page.AttachAsync("b1")).State;
        await page.ApplyAsync("b1", state.Epoch, 0, new SetStreaming(true), new SelectEngine(TtsEngine.Turbo));
        var since = await page.SinceAsync(state.Epoch, state.Revision);
        Assert.Null(since.Snapshot);
        Assert.Equal([new SetStreaming(true), new SelectEngine(TtsEngine.Turbo)], since.Changes.Select(each => each.Change));
        Assert.NotNull((await page.SinceAsync(state.Epoch - 1, state.Revision)).Snapshot);
    }

    [Fact(DisplayName = "[F3] after a new epoch a page is told of the reset, attaches and sends the rest again")]
    public async Task Follows_a_new_epoch()
    {
        var page = await _host.OpenAsync("epoch");
        var epoch = (await page.AttachAsync("b1")).State.Epoch;
        await page.ApplyAsync("b1", epoch, 0, new SetStreaming(true));
        await _host.Grains.GetGrain<IUserSessionGrain>(new SessionId("epoch").Key).RehydrateAsync();
        await page.EventAsync<SessionReset>();

        var again = await page.AttachAsync("b1", epoch: epoch, seen: 1, next: 2);
        Assert.True(again.State.Epoch > epoch);
        Assert.True(again.State.Snapshot!.Preferences.UseStreaming);
        Assert.Contains(new AppliedSequence(TtsSlice.Preferences, 1), again.Applied);
        Assert.Equal(
            ApplyOutcome.Done, (await page.ApplyAsync("b1", again.State.Epoch, 1, new SelectEngine(TtsEngine.Turbo))).Result);
    }

    [Fact(DisplayName = "[C6] a page hears of the slices it asked for, and of the revisions of the others")]
    public async Task Filters_slices()
    {
        var (all, some) = (await _host.OpenAsync("slices"), await _host.OpenAsync("slices"));
        var epoch = (await all.AttachAsync("all")).State.Epoch;
        await some.AttachAsync("some", slices: [TtsSlice.Chunks]);
        var last = (await all.ApplyAsync(
            "all", epoch, 0, new SetStreaming(true), new UpsertChunk(Samples.Chunk("c1")))).Outcomes[1].Revision;
        var heard = await some.EventAsync<ChangesApplied>();
        Assert.Equal([new UpsertChunk(Samples.Chunk("c1"))], heard.Changes.Select(each => each.Change));
        Assert.Equal(last, heard.ToRevision);
        Assert.Equal(2, (await all.EventAsync<ChangesApplied>()).Changes.Count);
    }

    [Fact(DisplayName = "[C3] the last connection to attach a client id has it: the older one is told, and sends nothing more")]
    public async Task Supersedes()
    {
        var (older, newer) = (await _host.OpenAsync("two"), await _host.OpenAsync("two"));
        var epoch = (await older.AttachAsync("b1")).State.Epoch;
        await newer.AttachAsync("b1");
        Assert.Equal(new ByePush(ByeReason.Superseded, SessionId.DefaultStore), await older.PushedAsync<ByePush>());
        Assert.Equal(ApplyOutcome.Superseded, (await older.ApplyAsync("b1", epoch, 0, new SetStreaming(true))).Result);
        Assert.Equal(ApplyOutcome.Done, (await newer.ApplyAsync("b1", epoch, 0, new SetStreaming(true))).Result);
    }

    [Fact(DisplayName = "[W2] a closed socket is not a good-bye: what was applied is remembered, and the lease goes on")]
    public async Task Close_forgets_nothing()
    {
        var first = await _host.OpenAsync("closed");
        var epoch = (await first.AttachAsync("b1")).State.Epoch;
        await first.ApplyAsync(
            "b1", epoch, 0, new UpsertChunk(Samples.Chunk("c1")), new SetChunkStatus("c1", WorkStatus.Generating));
        await first.EventAsync<BecameDurable>();
        await first.DisposeAsync();
        await Eventually.HoldsAsync(() => _host.Connections.CountOf("closed") == 0, "the silo has seen the socket close");

        var status = await _host.Grains.GetGrain<IUserSessionGrain>(new SessionId("closed").Key).GetStatusAsync();
        Assert.Equal(["b1"], status.Clients.Select(client => client.Client));
        Assert.Null(status.Crash);

        // It never heard "durable", and sends both again after another client has completed the chunk.
        var other = await _host.OpenAsync("closed");
        await other.AttachAsync("b2");
        await other.ApplyAsync("b2", epoch, 0, new CompleteChunk("c1", Samples.Audio));
        var second = await _host.OpenAsync("closed");
        await second.AttachAsync("b1", next: 1);
        await second.ApplyAsync(
            "b1", epoch, 0, new UpsertChunk(Samples.Chunk("c1")), new SetChunkStatus("c1", WorkStatus.Generating));
        var chunk = (await second.SinceAsync(0, 0)).Snapshot!.Chunks[0];
        Assert.Equal(WorkStatus.Completed, chunk.Status);
    }

    [Fact(DisplayName = "[F5] a page that leaves is no longer listed, and hears nothing more")]
    public async Task Leaves()
    {
        var (stays, leaves) = (await _host.OpenAsync("leave"), await _host.OpenAsync("leave"));
        await stays.AttachAsync("stays");
        await leaves.AttachAsync("leaves");
        await stays.EventAsync<PresenceChanged>(what => what.Clients.Count == 2);
        await leaves.LeaveAsync("leaves");
        var left = await stays.EventAsync<PresenceChanged>(what => what.Clients.Count == 1);
        Assert.Equal("stays", left.Clients[0].Client);
        var gone = await Assert.ThrowsAsync<HubException>(() => leaves.SinceAsync(0, 0));
        Assert.Contains("invalid: attach first", gone.Message, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[W3] a state that is too large for the hub is fetched by HTTP and attached to")]
    public async Task Fetches_large_states()
    {
        var page = await _host.OpenAsync("large");
        var epoch = (await page.AttachAsync("b1")).State.Epoch;
        var chunks = Enumerable.Range(0, 400).Select(
            index => new UpsertChunk(Samples.Chunk($"c{index}"))).ToArray<AppStateChange>();
        await page.ApplyAsync("b1", epoch, 0, chunks[..200]);
        await page.ApplyAsync("b1", epoch, 200, chunks[200..]);

        var second = await _host.OpenAsync("large");
        var told = (await second.AttachAsync("b2")).State;
        Assert.True(told.Fetch);
        Assert.Null(told.Snapshot);
        using var http = _host.HttpOf("large");
        var snapshot = await http.GetJsonAsync<SnapshotAnswer>("/api/sessions/app-state");
        Assert.Equal(400, snapshot.State.Chunks.Count);
        var attached = (await second.AttachAsync("b2", epoch: snapshot.Epoch, seen: snapshot.Revision)).State;
        Assert.False(attached.Fetch);
        Assert.Empty(attached.Changes);
    }

    [Fact(DisplayName = "[C5] a page of a version that is not served is told so")]
    public async Task Refuses_versions()
    {
        var page = await _host.OpenAsync("version");
        var answer = await page.CallAsync<HelloAnswer>("Hello", new HelloCall(WebProtocol.Version + 1));
        Assert.Equal("protocol", answer.Refused!.Field);
    }

    [Theory(DisplayName = "[X2] an attach that is not allowed says which field is wrong")]
    [InlineData("No Such Store", "b1", "store")]
    [InlineData("app-state", "", "client")]
    public async Task Refuses_attaches(string store, string client, string field)
    {
        var page = await _host.OpenAsync("wrong");
        var answer = await page.AttachAsync(client, store);
        Assert.Equal(field, answer.Refused!.Field);
        Assert.DoesNotContain(_host.Connections.Attachments, each => each.Session.UserId == "wrong");
    }

    [Fact(DisplayName = "[X2] a store that the silo does not serve is refused")]
    public async Task Refuses_stores()
    {
        var page = await _host.OpenAsync("stores");
        var refused = (await page.AttachAsync("b1", "no-such-store")).Refused!;
        Assert.Equal("store", refused.Field);
        Assert.Contains("app-state", refused.Allowed, StringComparison.Ordinal);
    }
}
