using Chatterbox.Grains.FanOut.Streams;

namespace Chatterbox.Grains.FanOut;

/// <summary>
/// Tells the client processes attached to a session what happens to it, each once, however many of its stores are attached.
/// Never waits and never fails a change: what gets lost, clients notice by the revisions and ask for. While a delivery to a
/// process is under way, events of all its sessions gather in its <see cref="Lane"/> and go out together. A process is not sent
/// changes of slices that none of its stores keeps in sync.
/// </summary>
internal sealed class SessionFeed(string session, EventQueues queues, Leases leases)
{
    public void Publish(long epoch, SessionEvent what)
    {
        if (leases.Count == 0) return;
        var events = new SessionEvents(session, epoch, [what]);
        foreach (var (stream, slices) in leases.Streams) queues.Post(stream, Select(events, slices));
    }

    // The revisions are told all the same: a process without these slices has not missed anything.
    private static SessionEvents Select(SessionEvents events, ValueList<Slice>? slices) =>
        slices is null || events.Events[0] is not ChangesApplied changes || changes.Changes.All(change => slices.Contains(change.Change.Slice))
            ? events
            : events with { Events = [changes with { Changes = changes.Changes.Where(change => slices.Contains(change.Change.Slice)).ToValueList() }] };
}
