using Chatterbox.Grains.FanOut.Streams;

namespace Chatterbox.Grains.FanOut;

/// <summary>
/// Sends a session's events to its attached client processes, once per process. Never blocks and never fails a change: clients
/// detect lost events by the revisions and request them. During a delivery to a process, events of all its sessions are queued in
/// its <see cref="Lane"/> and delivered together. Changes of slices that no store of a process syncs are not sent to it.
/// </summary>
internal sealed class SessionFeed(string session, EventQueues queues, Leases leases)
{
    public void Publish(long epoch, SessionEvent what)
    {
        if (leases.Count == 0) return;
        var events = new SessionEvents(session, epoch, [what]);
        foreach (var (stream, slices) in leases.Streams) queues.Post(stream, Select(events, slices));
    }

    // The revisions are sent anyway: a process without these slices has not missed anything.
    private static SessionEvents Select(SessionEvents events, ValueList<string>? slices)
    {
        if (slices is null || events.Events[0] is not ChangesApplied changes) return events;
        if (changes.Changes.All(change => slices.Contains(change.Change.Slice.Name))) return events;
        var selected = changes.Changes.Where(change => slices.Contains(change.Change.Slice.Name)).ToValueList();
        return events with { Events = [changes with { Changes = selected }] };
    }
}
