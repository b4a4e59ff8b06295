using System.Text.Json;
using Chatterbox.Silo.Gateway.Hub;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests.Hub;

public sealed class SendQueueTests
{
    private const string Store = "app-state";

    private readonly SendQueue _queue = new();

    [Fact(DisplayName = "[W1] events that follow each other go as one message, in order")]
    public void Batches()
    {
        Add(new ChangesApplied(1, 2, []));
        Add(new BecameDurable(2));
        Add(new ChangesApplied(2, 3, []));
        Assert.Equal([new ChangesApplied(1, 2, []), new BecameDurable(2), new ChangesApplied(2, 3, [])], TakeEvents().Events);
        Assert.True(_queue.IsEmpty);
        Assert.Equal(0, _queue.Bytes);
    }

    [Fact(DisplayName = "[W1] of durable, status and presence only the latest is sent; every change is")]
    public void Supersedes()
    {
        Add(new BecameDurable(1));
        Add(new SaveStatusChanged(SaveStatus.Saving));
        Add(new PresenceChanged([]));
        Add(new ChangesApplied(1, 2, []));
        Add(new BecameDurable(2));
        Add(new SaveStatusChanged(SaveStatus.Saved));
        Add(new PresenceChanged([new("b1", "laptop", DateTimeOffset.UnixEpoch)]));
        Assert.Equal(
        [
            new ChangesApplied(1, 2, []), new BecameDurable(2), new SaveStatusChanged(SaveStatus.Saved),
            new PresenceChanged([new("b1", "laptop", DateTimeOffset.UnixEpoch)]),
        ], TakeEvents().Events);
    }

    [Fact(DisplayName = "[W1] events of other stores and epochs go apart")]
    public void Separates()
    {
        Add(new BecameDurable(1));
        Add(new BecameDurable(1), store: "minimal");
        Add(new BecameDurable(1), epoch: 6, store: "minimal");
        Assert.Equal((Store, 5), Named(TakeEvents()));
        Assert.Equal(("minimal", 6), Named(TakeEvents()));
        Assert.True(_queue.IsEmpty);
    }

    [Fact(DisplayName = "[W1] what waits is bounded: too much becomes one 'behind' that says where the session is")]
    public void Collapses()
    {
        Add(new SaveStatusChanged(SaveStatus.Saving));
        for (var revision = 1; revision <= 20_000; revision++)
        {
            Add(new ChangesApplied(
                revision - 1, revision, [new(revision, "writer", revision, new UpsertChunk(Samples.Chunk("c1")))]));
            Assert.True(_queue.Bytes <= SendQueue.MostBytes);
        }
        Add(new BecameDurable(19_990));
        Assert.True(_queue.TryTake(out var first));
        Assert.Equal((Push.Behind, (object)new BehindPush(Store, 5, 20_000, 19_990)), (first.Method, first.Argument));
        Assert.Equal([new SaveStatusChanged(SaveStatus.Saving)], TakeEvents().Events);

        Add(new ChangesApplied(20_000, 20_001, []));
        Assert.Equal([new ChangesApplied(20_000, 20_001, [])], TakeEvents().Events);
    }

    [Fact(DisplayName = "[W1] a 'behind' of an epoch that has ended says the new one")]
    public void Follows_epochs()
    {
        _queue.AddBehind(Store, 5, 7, 6);
        Add(new SessionReset("cleared"), epoch: 6);
        Add(new ChangesApplied(7, 8, []), epoch: 6);
        Assert.True(_queue.TryTake(out var only));
        Assert.Equal(new BehindPush(Store, 6, 8, 0), only.Argument);
        Assert.True(_queue.IsEmpty);
    }

    [Fact(DisplayName = "[W1] a message of events is at most as large as the hub's answers, but for one event")]
    public void Cuts_messages()
    {
        for (var revision = 1; revision <= 600; revision++)
            Add(new ChangesApplied(
                revision - 1, revision, [new(revision, "writer", revision, new UpsertChunk(Samples.Chunk("c1")))]));
        var messages = 0;
        while (_queue.TryTake(out var message))
        {
            Assert.True(((RawJson)message.Argument).Utf8.Length <= WebProtocol.InlineBytes + 100);
            messages++;
        }
        Assert.True(messages > 1);
    }

    [Fact(DisplayName = "[W1] what waits of a store that is superseded is dropped, and its good-bye goes first")]
    public void Drops_stores()
    {
        Add(new ChangesApplied(1, 2, []), store: "minimal");
        Add(new ChangesApplied(1, 2, []));
        _queue.Remove(Store);
        _queue.AddFirst(Push.Bye, new ByePush(ByeReason.Superseded, Store));
        Assert.True(_queue.TryTake(out var first));
        Assert.Equal(Push.Bye, first.Method);
        Assert.Equal("minimal", TakeEvents().Store);
        Assert.True(_queue.IsEmpty);
    }

    private static (string, long) Named(EventsPush push) => (push.Store, push.Epoch);

    private void Add(SessionEvent what, long epoch = 5, string store = Store) =>
        _queue.Add(store, OutgoingEvent.Of($"u/alice/{store}", epoch, what));

    private EventsPush TakeEvents()
    {
        Assert.True(_queue.TryTake(out var message));
        Assert.Equal(Push.Events, message.Method);
        return JsonSerializer.Deserialize(((RawJson)message.Argument).Utf8.Span, WireJson.Of<EventsPush>())!;
    }
}
