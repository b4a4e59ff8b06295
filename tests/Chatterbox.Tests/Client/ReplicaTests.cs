using System.Text.Json;
using Chatterbox.Client;

namespace Chatterbox.Tests.Client;

public sealed class ReplicaTests
{
    [Fact(DisplayName = "[C3] what is never stored leaves the outbox once it is applied, also behind what waits to be stored")]
    public void Runtime_is_done_once_applied()
    {
        var replica = Attached();
        var stored = replica.Enqueue(new SetStreaming(true));
        var shown = replica.Enqueue(new SetSystemStatus("busy"));
        var batch = replica.NextBatch()!;
        replica.Replied(batch, new() { Epoch = 1, Outcomes = [new(1, null), new(2, null)] });
        replica.ChangesApplied(new(0, 2,
            [.. batch.Changes.Select((change, at) => new AppliedChange(at + 1, "c", at + 1, change.Change))]));

        Assert.True(shown.Durable.Task.IsCompletedSuccessfully);
        Assert.Equal([stored], replica.Outbox.All);
        Assert.Equal([2L], replica.Gone);
        // Another epoch has what is stored sent again, and not the status, which somebody else may have changed since.
        replica.Attached(new() { State = new() { Epoch = 2, Revision = 2, Snapshot = AppState.Initial } }, 2);
        Assert.Equal([1L], replica.NextBatch()!.Changes.Select(change => change.Sequence));
    }

    [Fact(DisplayName = "[F3] an epoch that was left is past, however its number compares; any other one is news")]
    public void Epochs_have_no_order()
    {
        var replica = Attached(epoch: 100);
        replica.Attached(new() { State = new() { Epoch = 50, Snapshot = AppState.Initial } }, 0);

        Assert.True(replica.IsPast(100));
        Assert.False(replica.IsPast(50));
        Assert.False(replica.IsPast(10));
    }

    [Fact(DisplayName =
        "[F3] a session that goes on below the revision that was seen is followed: asking again would not change it")]
    public void Follows_a_lower_revision()
    {
        var replica = Attached(revision: 9);

        Assert.True(replica.Attached(new() { State = new() { Epoch = 2, Revision = 3, Snapshot = AppState.Initial } },
            seenRevision: 9));
        Assert.Equal((2, 3), (replica.Epoch, replica.Revision));
    }

    [Fact(DisplayName = "[F3] an answer from before more was seen is asked for again")]
    public void Asks_again()
    {
        var replica = Attached(revision: 9);

        Assert.False(replica.Attached(new() { State = new() { Epoch = 2, Revision = 3, Snapshot = AppState.Initial } },
            seenRevision: 3));
    }

    [Fact(DisplayName = "[C5] what a refusal of the client fails is not shown any more, and is never sent")]
    public void Refuses_everything()
    {
        var replica = Attached();
        var change = replica.Enqueue(new SetStreaming(true));

        Assert.Equal([change], replica.Refuse());
        Assert.False(replica.Visible.Preferences.UseStreaming);
        Assert.Null(replica.NextBatch());
        // On disk it stays.
        Assert.Empty(replica.Gone);
    }

    [Fact(DisplayName =
        "[X3] [C2] a change whose Apply throws is refused alone: those around it are shown, here and in the session's state")]
    public void Apply_throws()
    {
        var replica = Attached();
        replica.Enqueue(new UpsertChunk(Samples.Chunk("a")));
        replica.Enqueue(new UpsertChunk(null!));
        replica.Enqueue(new UpsertChunk(Samples.Chunk("b")));
        Assert.Equal(["a", "b"], replica.Visible.Chunks.Select(chunk => chunk.Id));

        var (state, rejection) = AppStateReducer.Apply((AppState)replica.Visible, new UpsertChunk(null!));
        Assert.Same(replica.Visible, state);
        Assert.NotNull(rejection);
    }

    [Fact(DisplayName =
        "[X3] [C3] a number of an unknown member that no type can hold blocks no outbox: sent twice, it is in once and done")]
    public void A_number_with_a_huge_exponent()
    {
        using var document = JsonDocument.Parse(
            File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "fixtures", "number-with-huge-exponent.json")));
        var gain = document.RootElement.GetProperty("state").GetProperty("chunks")[0].GetProperty("gain").GetRawText();
        var change = new UpsertChunk(Samples.Chunk("c1") with { Unknown = Unknown.Of("gain", gain) });
        var replica = Attached();
        replica.Enqueue(change);
        replica.Enqueue(change with { });
        var batch = replica.NextBatch()!;

        var (_, rejected) =
            replica.Replied(batch, new() { Epoch = 1, Outcomes = [new(1, null), new(1, null)], DurableRevision = 1 });
        replica.ChangesApplied(new(0, 1, [new(1, "c", 1, change)]));

        Assert.Empty(rejected);
        Assert.Empty(replica.Outbox.All);
        Assert.Equal(gain, Assert.Single(replica.Visible.Chunks).Unknown!["gain"].GetRawText());
    }

    private static Replica Attached(long epoch = 1, long revision = 0)
    {
        var replica = new Replica(TtsApp.Instance, "c");
        replica.Attached(new() { State = new() { Epoch = epoch, Revision = revision, Snapshot = AppState.Initial } }, revision);
        return replica;
    }
}
