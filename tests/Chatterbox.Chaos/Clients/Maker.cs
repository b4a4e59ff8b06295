using System.Collections.Concurrent;
using Chatterbox.Chaos.Ledgers;

namespace Chatterbox.Chaos.Clients;

/// <summary>Makes changes on a store, and says what the store tells of each.</summary>
internal sealed class Maker(ChatterboxStore store, string label)
{
    private readonly ConcurrentBag<Task> _outcomes = [];
    private int _number;

    /// <summary>Completes when every change made so far is durable, refused or dropped.</summary>
    public Task Outcomes => Task.WhenAll(_outcomes);

    /// <summary>Returns once the change is in the outbox, or refused.</summary>
    /// <param name="value">Null removes.</param>
    public async Task MakeAsync(string key, string? value)
    {
        var number = $"{++_number}";
        Line.Say(Word.Begun, label, number, key, value ?? "-");
        try
        {
            var pending = await store.EnqueueAsync(StateKeys.Set(key, value));
            Line.Say(Word.Taken, label, number);
            _outcomes.Add(FollowAsync(number, pending));
        }
        catch (Exception failure)
        {
            Failed(number, failure);
        }
    }

    private async Task FollowAsync(string number, PendingChange pending)
    {
        try
        {
            await pending.Applied;
            Line.Say(Word.Applied, label, number);
            await pending.Durable;
            Line.Say(Word.Durable, label, number);
        }
        catch (Exception failure)
        {
            Failed(number, failure);
        }
    }

    private void Failed(string number, Exception failure) =>
        Line.Say(failure is ChangeRejectedException ? Word.Refused : Word.Dropped, label, number,
            failure.Message.Replace('\t', ' '));
}
