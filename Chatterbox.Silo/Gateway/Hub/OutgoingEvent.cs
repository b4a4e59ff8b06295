using System.Text.Json;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.Silo.Gateway.Hub;

/// <summary>An event on its way to connections, written once for all of them.</summary>
/// <param name="Kind">Of some kinds only the latest event matters.</param>
/// <param name="Revision">Where the session is after the event; 0 where the event does not say.</param>
internal sealed record OutgoingEvent(string Session, long Epoch, EventKind Kind, long Revision, long DurableRevision, byte[] Json)
{
    public static OutgoingEvent Of(string session, long epoch, SessionEvent what) => new(
        session, epoch, KindOf(what), what is ChangesApplied changes ? changes.ToRevision : 0,
        what is BecameDurable durable ? durable.Revision : 0,
        JsonSerializer.SerializeToUtf8Bytes(what, WireJson.Of<SessionEvent>()));

    private static EventKind KindOf(SessionEvent what) => what switch
    {
        BecameDurable => EventKind.Durable,
        SaveStatusChanged => EventKind.Status,
        PresenceChanged => EventKind.Presence,
        QuotaCleanedUp => EventKind.Notice,
        SessionReset => EventKind.Reset,
        _ => EventKind.Changes,
    };
}

internal enum EventKind
{
    Changes,
    Reset,
    Durable,
    Status,
    Presence,
    Notice,
}

/// <summary>A message to be sent.</summary>
internal readonly record struct OutgoingMessage(string Method, object Argument);
