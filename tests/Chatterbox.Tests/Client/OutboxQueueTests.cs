using System.Diagnostics;
using Chatterbox.Client;
using Chatterbox.Client.Outbox;
using CsCheck;

namespace Chatterbox.Tests.Client;

public sealed class OutboxQueueTests
{
    [Fact(DisplayName = "[C3] the outbox keeps what is not durable, in order, whatever leaves it")]
    public void A_queue()
    {
        Gen.Int[0, 9].Array[0, 400].Sample(steps =>
        {
            var (queue, expected, next) = (new OutboxQueue(), new List<OutboxEntry>(), 1L);
            foreach (var step in steps)
            {
                if (step < 6)
                {
                    // Not every sequence is used.
                    expected.Add(new(next += 1 + step % 2, new SetStreaming(true), step));
                    queue.Add(expected[^1]);
                }
                else if (step < 9 && expected.Count > 0)
                {
                    Assert.Same(expected[0], queue.RemoveFirst());
                    expected.RemoveAt(0);
                }
                else if (step == 9)
                {
                    var gone = expected.Where(entry => entry.Sequence % 3 == 0).ToHashSet();
                    queue.RemoveAll(gone);
                    expected.RemoveAll(gone.Contains);
                }
            }
            Assert.Equal(expected, queue.All);
            Assert.Equal(expected.Sum(entry => entry.Size), queue.Bytes);
            for (var sequence = 0L; sequence <= next + 1; sequence++)
            {
                Assert.Same(expected.Find(entry => entry.Sequence == sequence), queue.Find(sequence));
                Assert.Equal(expected.TakeWhile(entry => entry.Sequence <= sequence).Count(), queue.IndexAfter(sequence));
            }
        }, iter: 300);
    }

    [Fact(DisplayName = "[C3] what is counted for a change without its JSON is no less than the JSON takes")]
    public void Most_bytes()
    {
        var longest = new TtsParameters
        {
            Exaggeration = -double.MaxValue, CfgWeight = -double.Epsilon,
            Temperature = -Math.PI * 1e-200, MinP = -double.MaxValue,
            TopP = -double.MaxValue, TopK = int.MinValue, RepetitionPenalty = -double.MaxValue,
            NormLoudness = false, Seed = long.MinValue,
        };
        AppStateChange[] small =
        [
            new UpdateParameters(TtsEngine.Multilingual, longest), new UpdateParameters((TtsEngine)int.MinValue, new()),
            new SelectEngine((TtsEngine)int.MinValue), new SelectEngine(TtsEngine.Multilingual), new SetStreaming(false),
        ];

        Assert.All(small,
            change => Assert.InRange(OutboxFormat.Encode(change).Length, 1, (change).MostBytes()!.Value));
        Assert.All(
            (AppStateChange[])[new UpsertChunk(null!), new RemoveChunk("c"), new SetSystemStatus("s"),
                new UpdateParameters(TtsEngine.Chatterbox, new() { LanguageId = new('x', 1000) }),
                new UpdateParameters(TtsEngine.Chatterbox, new() { Unknown = [] }),
                new UpdateParameters(TtsEngine.Chatterbox, null!)],
            change => Assert.Null((change).MostBytes()));
    }

    [Fact(DisplayName = "[C3] 100,000 changes that wait to become durable cost each event no more than a few do")]
    public void Many()
    {
        var replica = new Replica(TtsApp.Instance, "c");
        replica.Attached(new() { State = new() { Epoch = 1, Snapshot = AppState.Initial } }, 0);
        var clock = Stopwatch.StartNew();
        for (var number = 1; number <= 100_000; number++)
        {
            replica.Enqueue(new SetStreaming(number % 2 == 0));
            var batch = replica.NextBatch()!;
            replica.Replied(batch, new() { Epoch = 1, Outcomes = [new(number, null)] });
            replica.ChangesApplied(new(number - 1, number, [new(number, "c", number, batch.Changes[0].Change)]));
            Assert.Equal(number % 2 == 0, replica.Visible.Preferences.UseStreaming);
        }
        replica.BecameDurable(100_000);

        Assert.Equal(0, replica.Outbox.Count);
        // Looked through once an event they would take minutes.
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 10);
    }
}
