using Chatterbox.Client.Listeners;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Client;

/// <summary>Events pushed by the session.</summary>
public partial class AppStore
{
    /// <summary>For tests: drops events, as a network may.</summary>
    internal bool DropEvents { get; set; }

    internal void OnEvents(SessionEvents events)
    {
        lock (_lock)
        {
            if (_closed || DropEvents || _replica.IsPast(events.Epoch)) return;
            if (_replica.Epoch == 0) Ask(Need.CatchUp);
            else if (events.Epoch != _replica.Epoch) Ask(Need.Attach);
            else foreach (var each in events.Events) OnEvent(each);
            FollowChoice();
            Settle();
        }
        Progress();
        Pump();
    }

    private void OnEvent(SessionEvent happened)
    {
        switch (happened)
        {
            case ChangesApplied changes:
                var before = _replica.Revision;
                Ask(_replica.ChangesApplied(changes));
                if (_replica.Revision > before && _subscriptions.Count > 0)
                    _subscriptions.Publish(Update([.. changes.Changes.Where(change => change.Revision > before)]));
                break;
            case BecameDurable durable:
                _replica.BecameDurable(durable.Revision);
                _save = SaveStatus.Saved;
                break;
            case SaveStatusChanged save:
                _save = save.Status;
                break;
            case PresenceChanged presence:
                _presence = presence.Clients;
                break;
            case QuotaCleanedUp cleaned:
                Raise(() => Audio.CleanedUp(cleaned));
                break;
            case SessionReset:
                Ask(Need.Attach);
                break;
        }
    }

    // Runs outside the pump: a handler that throws or blocks does not stop it.
    private void Raise(Action handler) => ListenerThreads.Post(() =>
    {
        try
        {
            handler();
        }
        catch (Exception thrown)
        {
            LogHandlerThrew(_client.Logger, thrown);
        }
    });

    [LoggerMessage(LogLevel.Error, "An event handler of a store threw")]
    private static partial void LogHandlerThrew(ILogger logger, Exception thrown);
}
