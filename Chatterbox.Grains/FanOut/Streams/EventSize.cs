namespace Chatterbox.Grains.FanOut.Streams;

/// <summary>
/// Estimates an event's size in memory, in bytes: exact enough to bound the queues, cheap enough for every event.
/// </summary>
internal static class EventSize
{
    private const int Envelope = 128;
    private const int Item = 160;

    public static int Of(SessionEvents events)
    {
        var size = Envelope;
        foreach (var each in events.Events.AsSpan())
        {
            size += each switch
            {
                ChangesApplied changes => Of(changes.Changes),
                PresenceChanged presence => Item * (presence.Clients.Count + 1),
                _ => Item,
            };
        }
        return size;
    }

    private static int Of(ValueList<AppliedChange> changes)
    {
        var size = Item;
        foreach (var applied in changes.AsSpan())
        {
            size += Item + applied.Change.Weigh();
        }
        return size;
    }
}
