using System.Text.Json.Serialization;

namespace Chatterbox.Silo.Gateway.Wire;

// The messages of /hub. A call takes one of these and is answered by one; the gateway pushes the last three.

/// <summary>The first call on a connection.</summary>
/// <param name="Protocol">The <see cref="WebProtocol.Version"/> that the page speaks.</param>
internal sealed record HelloCall(int Protocol);

internal sealed record HelloAnswer
{
    /// <summary>Set when the page is too old or too new: reload it.</summary>
    public Rejection? Refused { get; init; }

    public int Protocol { get; init; } = WebProtocol.Version;
    public int OldestProtocol { get; init; } = WebProtocol.OldestSupported;

    /// <summary>The user whose sessions the token opens.</summary>
    public string User { get; init; } = "";

    /// <summary>When the token expires, and with it the connection; absent when it does not.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>
/// Starts or renews a lease. While the connection lasts the gateway renews it. When the connection ends, the lease ends without
/// a <see cref="LeaveCall"/>, and nothing is forgotten.
/// </summary>
/// <param name="Client">The browser's own id for itself and this session. The last connection to attach one has it.</param>
/// <param name="Device">Shown to the user's other clients.</param>
/// <param name="Epoch">The epoch of <paramref name="SeenRevision"/>; 0 for none.</param>
/// <param name="SeenRevision">The highest revision seen; 0 for none.</param>
/// <param name="NextSequence">The sequence of the oldest change not known to be durable, or of the next one to be made.</param>
/// <param name="Slices">The names of the slices wanted; absent is all.</param>
/// <param name="App">The app whose state the page expects; absent takes any.</param>
internal sealed record AttachCall(
    string Store, string Client, string Device, long Epoch, long SeenRevision, long NextSequence,
    ValueList<string>? Slices = null, string? App = null);

internal sealed record AttachAnswer
{
    /// <summary>Set when the client was not attached, and why: nothing else in the answer has a meaning then.</summary>
    public Rejection? Refused { get; init; }

    public StateAnswer State { get; init; } = new();

    /// <summary>By slice, the highest of this client's sequences that the state holds.</summary>
    public ValueList<AppliedSequence> Applied { get; init; } = [];

    public SaveStatus Save { get; init; } = SaveStatus.Saved;

    /// <summary>What went wrong when the session was loaded.</summary>
    public ValueList<string> Notices { get; init; } = [];

    /// <summary>Set when the session takes no changes, and why.</summary>
    public string? ReadOnly { get; init; }

    /// <summary>Set when work was interrupted by a crash and not recovered yet.</summary>
    public CrashInfo? Crash { get; init; }

    /// <summary>The schema version that the session's silo reads and writes.</summary>
    public int SchemaVersion { get; init; }
}

/// <summary>What brings a client up to date: a snapshot, or changes, or neither where nothing happened.</summary>
internal sealed record StateAnswer
{
    public long Epoch { get; init; }
    public long Revision { get; init; }
    public long DurableRevision { get; init; }

    /// <summary>
    /// Too large for the hub: get <c>/api/sessions/{store}</c>, then attach again with the epoch and revision of its
    /// answer.
    /// </summary>
    public bool Fetch { get; init; }

    /// <summary>The whole state. Slices that the client did not ask for are as in a new session.</summary>
    public SessionState? Snapshot { get; init; }

    /// <summary>The changes after the revision that the client named, in order.</summary>
    public ValueList<AppliedChange> Changes { get; init; } = [];
}

/// <summary>Applies changes in order, each on its own.</summary>
/// <param name="After">The sequence sent before the first of these; 0 for none.</param>
internal sealed record ApplyCall(
    string Store, string Client, long Epoch, long After, ValueList<SequencedChange> Changes);

internal sealed record ApplyAnswer
{
    public ApplyOutcome Result { get; init; }
    public long Epoch { get; init; }
    public long DurableRevision { get; init; }

    /// <summary>One for each change, in order, when <see cref="Result"/> is done.</summary>
    public ValueList<ChangeOutcome> Outcomes { get; init; } = [];

    /// <summary>Why, when <see cref="Result"/> is refused.</summary>
    public Rejection? Refused { get; init; }
}

/// <summary>What became of an <see cref="ApplyCall"/> as a whole.</summary>
internal enum ApplyOutcome
{
    /// <summary>Every change has an outcome.</summary>
    [JsonStringEnumMemberName("done")] Done = ApplyResult.Done,

    /// <summary>The session was loaded again: attach, and send all that is not durable.</summary>
    [JsonStringEnumMemberName("otherEpoch")] OtherEpoch = ApplyResult.OtherEpoch,

    /// <summary>Earlier changes did not arrive: attach, and send all that is not durable.</summary>
    [JsonStringEnumMemberName("gap")] Gap = ApplyResult.Gap,

    /// <summary>Refused as a whole; sending it again does not help.</summary>
    [JsonStringEnumMemberName("refused")] Refused = ApplyResult.Refused,

    /// <summary>Another connection attached this client id: stop sending, and keep the changes.</summary>
    [JsonStringEnumMemberName("superseded")] Superseded = ApplyResult.Superseded,
}

/// <summary>Asks for what happened after a revision, in the slices of the attached client.</summary>
internal sealed record SinceCall(string Store, long Epoch, long Revision);

/// <summary>Ends the lease in good order. Only for a client whose changes are all durable and that will not come again.</summary>
internal sealed record LeaveCall(string Store, string Client);

/// <summary>Pushed as <c>events</c>: what happened in an attached session, in order. Of one epoch.</summary>
internal sealed record EventsPush(string Store, long Epoch, ValueList<SessionEvent> Events);

/// <summary>
/// Pushed as <c>behind</c>: events were left out up to this revision, since the connection took them too slowly or they were
/// lost on the way. Call Since; with another epoch than the client's, attach.
/// </summary>
/// <param name="Epoch">0 when the session does not know the client any more.</param>
internal sealed record BehindPush(string Store, long Epoch, long Revision, long DurableRevision);

/// <summary>Pushed as <c>bye</c>. Without a store the page closes the connection; the silo does so a little later.</summary>
/// <param name="Store">The store that is no longer attached; absent when the connection ends.</param>
internal sealed record ByePush(ByeReason Reason, string? Store = null);

internal enum ByeReason
{
    /// <summary>Another connection attached this client id: this one stops sending.</summary>
    [JsonStringEnumMemberName("superseded")] Superseded = 0,

    /// <summary>The token has expired: connect again with a new one.</summary>
    [JsonStringEnumMemberName("expired")] Expired = 1,

    /// <summary>The silo stops: connect again at once.</summary>
    [JsonStringEnumMemberName("stopping")] Stopping = 2,
}
