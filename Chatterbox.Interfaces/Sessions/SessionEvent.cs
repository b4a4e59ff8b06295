using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>
/// An event that a session sends to its attached clients, over the stream of their process. Delivery is best effort: a client
/// that detects a gap asks the session.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SessionEvent")]
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ChangesApplied), "changes")]
[JsonDerivedType(typeof(BecameDurable), "durable")]
[JsonDerivedType(typeof(SaveStatusChanged), "status")]
[JsonDerivedType(typeof(SessionReset), "reset")]
[JsonDerivedType(typeof(PresenceChanged), "presence")]
[JsonDerivedType(typeof(QuotaCleanedUp), "cleanedUp")]
public abstract record SessionEvent
{
    private protected SessionEvent() { }
}

/// <summary>
/// Changes that take the state from one revision to another. Changes of slices that the client does not sync are left out.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.ChangesApplied")]
public sealed record ChangesApplied(
    [property: Id(0)] long FromRevision,
    [property: Id(1)] long ToRevision,
    [property: Id(2)] ValueList<AppliedChange> Changes) : SessionEvent;

/// <summary>Everything up to this revision is stored.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.BecameDurable")]
public sealed record BecameDurable([property: Id(0)] long Revision) : SessionEvent;

/// <summary>The save status.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SaveStatusChanged")]
public sealed record SaveStatusChanged([property: Id(0)] SaveStatus Status) : SessionEvent;

/// <summary>The session has a new epoch: catch up, and resend all changes that are not durable.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SessionReset")]
public sealed record SessionReset([property: Id(0)] string Reason) : SessionEvent;

/// <summary>The attached clients have changed.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.PresenceChanged")]
public sealed record PresenceChanged([property: Id(0)] ValueList<AttachedClient> Clients) : SessionEvent;

/// <summary>
/// Audio of old work sessions, and of old chunks in none, was dropped to make room: the chunks keep text, parameters and seed,
/// are pending, and can be generated again.
/// </summary>
/// <param name="Cleaned">The work sessions that lost audio, oldest first.</param>
/// <param name="FreedBytes">Bytes of audio dropped.</param>
/// <param name="UsedBytes">Bytes of slices and audio that remain.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.QuotaCleanedUp")]
public sealed record QuotaCleanedUp(
    [property: Id(0)] ValueList<CleanedWorkSession> Cleaned,
    [property: Id(1)] long FreedBytes,
    [property: Id(2)] long UsedBytes,
    [property: Id(3)] long QuotaBytes) : SessionEvent
{
    /// <summary>Chunks in no work session that lost audio.</summary>
    [Id(4)] public ValueList<string> LooseChunkIds { get; init; } = [];
}

/// <summary>A work session whose audio was dropped.</summary>
/// <param name="ChunkIds">The chunks that are pending again.</param>
/// <param name="Bytes">Length of their audio.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.CleanedWorkSession")]
public sealed record CleanedWorkSession(
    [property: Id(0)] string Id,
    [property: Id(1)] string Name,
    [property: Id(2)] ValueList<string> ChunkIds,
    [property: Id(3)] long Bytes);

/// <summary>Events of one session and epoch, in order.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SessionEvents")]
public sealed record SessionEvents(
    [property: Id(0)] string Session,
    [property: Id(1)] long Epoch,
    [property: Id(2)] ValueList<SessionEvent> Events);

/// <summary>A change as applied by the session.</summary>
/// <param name="Revision">The state's revision that includes it.</param>
/// <param name="Client">The <see cref="ClientId.Client"/> that made it.</param>
/// <param name="Sequence">That client's sequence for it.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.AppliedChange")]
public sealed record AppliedChange(
    [property: Id(0)] long Revision,
    [property: Id(1)] string Client,
    [property: Id(2)] long Sequence,
    [property: Id(3)] SessionChange Change);

[GenerateSerializer, Alias("chatterbox.SaveState")]
public enum SaveState
{
    /// <summary>Everything is saved.</summary>
    [JsonStringEnumMemberName("saved")] Saved = 0,

    /// <summary>Changes wait for the debounce, or a write is in progress.</summary>
    [JsonStringEnumMemberName("saving")] Saving = 1,

    /// <summary>The last write failed and will be retried.</summary>
    [JsonStringEnumMemberName("failing")] Failing = 2,
}

/// <summary>The save status: saved, saving, or failing with time and reason.</summary>
/// <param name="DegradedSince">Since when the silo's database has been unavailable; null while it is available.</param>
/// <param name="PendingFrames">Rows of this session in its silo's local fallback file, written while the database was
/// unavailable. They count as not saved.</param>
/// <param name="ForeignFrames">Frames in that file for another database or service, of any session.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.SaveStatus")]
public sealed record SaveStatus(
    [property: Id(0)] SaveState State,
    [property: Id(1)] DateTimeOffset? FailingSince = null,
    [property: Id(2)] string? Failure = null,
    [property: Id(3)] DateTimeOffset? DegradedSince = null,
    [property: Id(4)] int PendingFrames = 0,
    [property: Id(5)] int ForeignFrames = 0)
{
    public static SaveStatus Saved { get; } = new(SaveState.Saved);
    public static SaveStatus Saving { get; } = new(SaveState.Saving);
}

/// <summary>A client with a lease.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.AttachedClient")]
public sealed record AttachedClient(
    [property: Id(0)] string Client,
    [property: Id(1)] string Device,
    [property: Id(2)] DateTimeOffset Since);
