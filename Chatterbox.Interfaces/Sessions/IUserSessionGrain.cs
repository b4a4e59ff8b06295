using Orleans.Concurrency;

namespace Chatterbox;

/// <summary>
/// One user's session, keyed by <see cref="SessionId.Key"/>: holds an app's state in memory, saves it automatically
/// and keeps every attached client in sync. Client apps use it through <c>ChatterboxStore</c>.
/// </summary>
/// <remarks>
/// An epoch is one loading of the session. Revisions are contiguous within it. A call with another epoch than the session's is
/// answered with that and changes nothing: the client attaches again and resends its changes that are not durable.
/// </remarks>
[Alias("chatterbox.IUserSessionGrain")]
public interface IUserSessionGrain : IGrainWithStringKey
{
    /// <summary>Starts or renews a lease for a client and brings it up to date.</summary>
    [Alias("Attach")]
    Task<AttachReply> AttachAsync(AttachRequest request);

    /// <summary>
    /// Ends a client's lease and removes its unfinished work from the recovery row. Returns once everything is durable or saving
    /// has failed. Saves only, when another process has attached the client since.
    /// </summary>
    /// <param name="isDone">
    /// The client will not send any of its changes again after the answer, so it can be forgotten. Otherwise it is remembered for
    /// 30 days after its last change.
    /// </param>
    [Alias("Detach")]
    Task<FlushReply> DetachAsync(ClientId client, bool isDone);

    /// <summary>Renews a client's lease; the reply shows whether it missed events.</summary>
    [Alias("Heartbeat"), AlwaysInterleave]
    Task<HeartbeatReply> HeartbeatAsync(ClientId client);

    /// <summary>Applies changes in order, each on its own: a refused one does not stop the rest.</summary>
    [Alias("Apply")]
    Task<ApplyReply> ApplyAsync(ChangeBatch batch);

    /// <summary>
    /// The changes after a revision of an epoch if they are still in memory, otherwise the whole state.
    /// </summary>
    [Alias("GetChangesSince"), AlwaysInterleave]
    Task<CatchUp> GetChangesSinceAsync(long epoch, long revision, ValueList<string>? slices);

    /// <summary>
    /// Saves now. Returns once everything applied before the call is durable, or with the reason why it is not.
    /// </summary>
    [Alias("Flush"), AlwaysInterleave]
    Task<FlushReply> FlushAsync();

    /// <summary>Saves, then loads the session again from storage. Every client catches up.</summary>
    [Alias("Rehydrate")]
    Task<FlushReply> RehydrateAsync();

    /// <summary>
    /// Resets the session to the initial state, in memory and in storage, durably. The previous state is kept in the history.
    /// </summary>
    /// <param name="operation">
    /// Identifies this clear, so that the call can be repeated: the same name within 32 operations is the same clear.
    /// </param>
    [Alias("Clear")]
    Task<FlushReply> ClearPersistedStateAsync(string? operation = null);

    /// <summary>
    /// Replaces the state by a document, migrated and checked first: all or nothing, durably. The previous state is kept in the
    /// history.
    /// </summary>
    [Alias("Import")]
    Task<ImportReport> ImportAsync(ImportRequest request);

    /// <summary>
    /// Marks work that a crash interrupted, ready to run again, and undoes a clear that no change has followed. Idempotent.
    /// </summary>
    [Alias("RecoverFromCrash")]
    Task<RecoveryReport> RecoverFromCrashAsync();

    /// <summary>Drops work that a crash interrupted. Idempotent.</summary>
    [Alias("ClearRecoveryState")]
    Task<FlushReply> ClearRecoveryStateAsync();

    /// <summary>The entries of the session's history, newest first.</summary>
    [Alias("ListHistory"), AlwaysInterleave]
    Task<ValueList<HistoryItem>> ListHistoryAsync();

    /// <summary>An entry of the history with its content; null for an unknown id.</summary>
    [Alias("ReadHistory"), AlwaysInterleave]
    Task<HistoryContent?> ReadHistoryAsync(string id);

    /// <summary>
    /// Restores the slices of an entry of the history, durably, if this silo can read them. The previous state is kept in the
    /// history, so that a restore can be undone, too.
    /// </summary>
    /// <param name="id">Null is undo: the newest state from before a clear, import, restore, clean-up or expiry.</param>
    /// <param name="operation">See <see cref="ClearPersistedStateAsync"/>.</param>
    [Alias("RestoreHistory")]
    Task<RecoveryReport> RestoreHistoryAsync(string? id, string? operation = null);

    /// <summary>Deletes an entry of the history permanently. False for an unknown id.</summary>
    /// <exception cref="ArgumentException">The session is read-only.</exception>
    [Alias("DropHistory")]
    Task<bool> DropHistoryAsync(string id);

    [Alias("GetStatus"), AlwaysInterleave]
    Task<SessionStatus> GetStatusAsync();

    /// <summary>The session's stored sizes, including audio, and its save statistics.</summary>
    [Alias("GetStorageInfo"), AlwaysInterleave]
    Task<StorageInfo> GetStorageInfoAsync();
}

/// <summary>One store of one client process. <paramref name="Process"/> names the process's event stream.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.ClientId")]
public sealed record ClientId([property: Id(0)] string Process, [property: Id(1)] string Client);

[GenerateSerializer, Immutable, Alias("chatterbox.AttachRequest")]
public sealed record AttachRequest
{
    [Id(0)] public required ClientId Client { get; init; }

    /// <summary>Shown to the user's other clients.</summary>
    [Id(1)] public required string Device { get; init; }

    /// <summary>The version of this contract that the client speaks: <see cref="Protocol.Version"/>.</summary>
    [Id(2)] public int Protocol { get; init; }

    /// <summary>The slices to sync; null is all.</summary>
    [Id(3)] public ValueList<string>? Slices { get; init; }

    /// <summary>The highest revision it has seen, in any epoch, so that the session's revisions only grow.</summary>
    [Id(4)] public long SeenRevision { get; init; }

    /// <summary>The epoch of <see cref="SeenRevision"/>; 0 for none.</summary>
    [Id(6)] public long Epoch { get; init; }

    /// <summary>The sequence of the first change it will send: the oldest one not yet known to be durable.</summary>
    [Id(5)] public long NextSequence { get; init; }

    /// <summary>
    /// This process has attached the client before: refused when another process has since. Otherwise the last process to attach
    /// a client has it.
    /// </summary>
    [Id(7)] public bool Renews { get; init; }

    /// <summary>The app whose state it expects; null takes any.</summary>
    [Id(8)] public string? App { get; init; }
}

/// <summary>The version of the contract between clients and silos.</summary>
public static class Protocol
{
    public const int Version = 1;

    /// <summary>The oldest client version that this silo still serves.</summary>
    public const int OldestSupported = 1;
}

[GenerateSerializer, Immutable, Alias("chatterbox.AttachReply")]
public sealed record AttachReply
{
    /// <summary>
    /// Set when the client was not attached, and why: its protocol is too old or too new, or an input was wrong.
    /// </summary>
    [Id(0)] public Rejection? Refused { get; init; }

    [Id(1)] public CatchUp State { get; init; } = CatchUp.None;

    /// <summary>Per slice, the highest of this client's sequences that the state already holds.</summary>
    [Id(2)] public ValueList<AppliedSequence> Applied { get; init; } = [];

    [Id(3)] public SaveStatus Save { get; init; } = SaveStatus.Saved;

    /// <summary>Problems found when the session was loaded: unreadable slices, failed migrations.</summary>
    [Id(4)] public ValueList<string> Notices { get; init; } = [];

    /// <summary>The reason, when the session is read-only.</summary>
    [Id(5)] public string? ReadOnly { get; init; }

    /// <summary>The duration of a lease that is not renewed.</summary>
    [Id(6)] public TimeSpan Lease { get; init; }

    [Id(7)] public int Protocol { get; init; }

    /// <summary>Work in progress when a client or the silo crashed, if it was neither recovered nor dropped.</summary>
    [Id(8)] public CrashInfo? Crash { get; init; }

    /// <summary>The schema version that the session's silo reads and writes.</summary>
    [Id(9)] public int SchemaVersion { get; init; }

    /// <summary>Refused for want of room: a later attempt may succeed.</summary>
    [Id(10)] public bool IsFull { get; init; }
}

[GenerateSerializer, Immutable, Alias("chatterbox.AppliedSequence")]
public readonly record struct AppliedSequence([property: Id(0)] string Slice, [property: Id(1)] long Sequence);

[GenerateSerializer, Immutable, Alias("chatterbox.HeartbeatReply")]
public sealed record HeartbeatReply
{
    /// <summary>False when the session has no lease of this client: attach again.</summary>
    [Id(0)] public bool Attached { get; init; }

    [Id(1)] public long Epoch { get; init; }
    [Id(2)] public long Revision { get; init; }
    [Id(3)] public long DurableRevision { get; init; }
    [Id(4)] public SaveStatus Save { get; init; } = SaveStatus.Saved;

    /// <summary>Another process has attached the client since: this one has to stop sending its changes.</summary>
    [Id(5)] public bool Superseded { get; init; }
}

/// <summary>A client's changes, with growing sequences.</summary>
/// <param name="After">The sequence sent before the first of these: if it has not arrived, the reply reports the gap.</param>
/// <param name="Process">The process that attached the client; null is not checked.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.ChangeBatch")]
public sealed record ChangeBatch(
    [property: Id(0)] string Client,
    [property: Id(1)] long Epoch,
    [property: Id(2)] long After,
    [property: Id(3)] ValueList<SequencedChange> Changes,
    [property: Id(4)] string? Process = null);

/// <summary>A change under its client's own number: 1 for its first, and growing.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SequencedChange")]
public readonly record struct SequencedChange([property: Id(0)] long Sequence, [property: Id(1)] SessionChange Change);

/// <summary>The result of a batch as a whole.</summary>
[GenerateSerializer, Alias("chatterbox.ApplyResult")]
public enum ApplyResult
{
    /// <summary>Every change has an outcome.</summary>
    Done = 0,

    /// <summary>The session was reloaded: attach, and resend all changes that are not durable.</summary>
    OtherEpoch = 1,

    /// <summary>
    /// Changes before the first of this batch have not arrived: attach, and resend all changes that are not durable.
    /// </summary>
    Gap = 2,

    /// <summary>The batch was refused as a whole; <see cref="ApplyReply.Refused"/> says why.</summary>
    Refused = 3,

    /// <summary>Another process has attached the client since: stop sending. <see cref="ApplyReply.Refused"/> says so.</summary>
    Superseded = 4,
}

[GenerateSerializer, Immutable, Alias("chatterbox.ApplyReply")]
public sealed record ApplyReply
{
    [Id(0)] public ApplyResult Result { get; init; }
    [Id(1)] public long Epoch { get; init; }
    [Id(2)] public long DurableRevision { get; init; }

    /// <summary>One per change of the batch, in order.</summary>
    [Id(3)] public ValueList<ChangeOutcome> Outcomes { get; init; } = [];

    [Id(4)] public Rejection? Refused { get; init; }
}

/// <summary>The revision that includes a change, or why it was refused.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.ChangeOutcome")]
public readonly record struct ChangeOutcome([property: Id(0)] long Revision, [property: Id(1)] Rejection? Rejection);

/// <summary>The update for a client.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.CatchUp")]
public sealed record CatchUp
{
    public static CatchUp None { get; } = new();

    [Id(0)] public long Epoch { get; init; }
    [Id(1)] public long Revision { get; init; }
    [Id(2)] public long DurableRevision { get; init; }

    /// <summary>The whole state, when the changes are not in memory or the client was in another epoch.</summary>
    [Id(3)] public SessionState? Snapshot { get; init; }

    [Id(4)] public ValueList<AppliedChange> Changes { get; init; } = [];
}

/// <summary>The outcome of saving now.</summary>
/// <param name="Failure">Null when everything is durable; otherwise why it is not. Saving is retried automatically.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.FlushReply")]
public sealed record FlushReply(
    [property: Id(0)] long Epoch,
    [property: Id(1)] long DurableRevision,
    [property: Id(2)] string? Failure);

/// <summary>A state to import.</summary>
/// <param name="Json">The <c>state</c> of a document, as UTF-8. Audio is stored separately and referred to by
/// <c>audio</c>.</param>
/// <param name="Version">The schema version of the state.</param>
/// <param name="Format">The layout of the state.</param>
/// <param name="Missing">
/// Hashes of clips that are not available, at most <see cref="Limits.ImportClips"/>. References to them are dropped.
/// </param>
/// <param name="Strict">Whether a value that needs repair refuses the import.</param>
/// <param name="Operation">See <see cref="IUserSessionGrain.ClearPersistedStateAsync"/>.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.ImportRequest")]
public sealed record ImportRequest(
    [property: Id(0)] byte[] Json,
    [property: Id(1)] int Version,
    [property: Id(2)] bool DryRun,
    [property: Id(3)] ImportFormat Format = ImportFormat.Browser,
    [property: Id(4)] ValueList<string>? Missing = null,
    [property: Id(5)] bool Strict = false,
    [property: Id(6)] string? Operation = null);

/// <summary>The layout of an imported state.</summary>
[GenerateSerializer, Alias("chatterbox.ImportFormat")]
public enum ImportFormat
{
    /// <summary>As the browser app stores it: the <c>state</c> of a Zustand envelope.</summary>
    Browser = 0,

    /// <summary>As Chatterbox exports it: a member for each persisted slice.</summary>
    Export = 1,
}

/// <summary>The result of an import, with the parts left out and the reasons.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.ImportReport")]
public sealed record ImportReport
{
    /// <summary>The reason, when nothing was imported.</summary>
    [Id(0)] public Rejection? Refused { get; init; }

    [Id(1)] public int FromVersion { get; init; }
    [Id(2)] public int ToVersion { get; init; }
    [Id(3)] public int WorkSessions { get; init; }
    [Id(4)] public int SavedVoices { get; init; }
    [Id(5)] public int Chunks { get; init; }
    [Id(6)] public int BatchItems { get; init; }
    [Id(7)] public int AudioClips { get; init; }
    [Id(8)] public long AudioBytes { get; init; }

    /// <summary>Parts that an import always leaves out or converts, with the reason.</summary>
    [Id(9)] public ValueList<string> Notes { get; init; } = [];

    [Id(10)] public bool DryRun { get; init; }
    [Id(11)] public long Revision { get; init; }

    /// <summary>Hashes of the clips that the state refers to: only these need storing.</summary>
    [Id(12)] public ValueList<string> Clips { get; init; } = [];

    /// <summary>Invalid values, and what replaced them.</summary>
    [Id(13)] public ValueList<ImportMend> Mends { get; init; } = [];

    /// <summary>The number of invalid values beyond those in <see cref="Mends"/>.</summary>
    [Id(14)] public int MoreMends { get; init; }

    /// <summary>The number of items in each slice that is a collection.</summary>
    [Id(15)] public ValueList<SliceItems> Items { get; init; } = [];
}

/// <summary>The number of items in a slice.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SliceItems")]
public readonly record struct SliceItems([property: Id(0)] string Slice, [property: Id(1)] int Items);

/// <summary>An invalid value in an imported document.</summary>
/// <param name="Place">Its path in the document, such as <c>state.chunks[3].createdAt</c>.</param>
/// <param name="Found">The value, or a description of it.</param>
/// <param name="Allowed">What the value must be.</param>
/// <param name="Done">The replacement, or that it was left out.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.ImportMend")]
public sealed record ImportMend(
    [property: Id(0)] string Place,
    [property: Id(1)] string Found,
    [property: Id(2)] string Allowed,
    [property: Id(3)] string Done)
{
    public override string ToString() => $"{Place}: must be {Allowed}, was {Found}; {Done}";
}
