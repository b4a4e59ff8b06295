namespace Chatterbox.Grains.Audio;

/// <summary>What the ledger does with a clip.</summary>
[Alias("chatterbox.IClipKeeping")]
internal interface IClipKeeping : IGrainWithStringKey
{
    /// <summary>The version of what is stored; null when nothing is. A version never comes back.</summary>
    [Alias("GetVersion")]
    Task<string?> GetVersionAsync();

    /// <summary>Gives what is stored a new version: a deletion of the one before fails.</summary>
    [Alias("Renew")]
    Task RenewAsync();

    /// <summary>Deletes what is stored if it is of this version. False when it is of another, and stays.</summary>
    [Alias("Delete")]
    Task<bool> DeleteAsync(string? version);
}

/// <summary>A session, as one that refers to clips.</summary>
[Alias("chatterbox.IClipHolder")]
internal interface IClipHolder : IGrainWithStringKey
{
    /// <summary>Makes room for a clip about to be uploaded, and has it kept until the session can refer to it.</summary>
    [Alias("AdmitClip")]
    Task<ClipAdmission> AdmitClipAsync(string hash, long length);

    /// <summary>
    /// Which of these clips the session refers to. The others it will not refer to for the moment that their deletion takes.
    /// </summary>
    /// <param name="forRoom">Kept copies of an earlier state do not count: the room is needed.</param>
    [Alias("FindReferences")]
    Task<ClipReferences> FindReferencesAsync(ValueList<string> hashes, bool forRoom);
}

/// <summary>What each of a user's clips is kept for. One for each user, since a user's stores share clips.</summary>
[Alias("chatterbox.IAudioLedgerGrain")]
internal interface IAudioLedgerGrain : IGrainWithStringKey
{
    /// <summary>Keeps a clip for an upload if the store then stays within so many bytes of audio. Durable on return.</summary>
    /// <returns>How many bytes of audio the store has in the way; null when the clip is admitted.</returns>
    [Alias("Admit")]
    Task<long?> AdmitAsync(string store, string hash, long length, long allowed);

    /// <summary>The clips that a store holds.</summary>
    [Alias("GetHeld")]
    Task<ValueList<string>> GetHeldAsync(string store);

    /// <summary>A store is about to write a state that refers to these clips. Durable on return.</summary>
    [Alias("Hold")]
    Task HoldAsync(string store, ValueList<ClipUse> clips);

    /// <summary>A store has durably written a state that no longer refers to these clips.</summary>
    [Alias("Release")]
    Task ReleaseAsync(string store, ValueList<string> hashes);

    /// <summary>There are no such clips: they were to be uploaded, or a store said that it refers to them. Durable on return.</summary>
    [Alias("Abandon")]
    Task AbandonAsync(string? store, ValueList<string> hashes);

    /// <summary>
    /// Deletes some of what nothing has referred to for long enough. Returns the number of clips deleted; the rest follows by itself,
    /// or when asked again.
    /// </summary>
    /// <param name="forRoomIn">This store is over its quota: what it referred to last goes now, and not after its time.</param>
    [Alias("Collect")]
    Task<int> CollectAsync(string? forRoomIn);

    [Alias("GetUsage")]
    Task<AudioStorage> GetUsageAsync(string store);
}

[GenerateSerializer, Immutable, Alias("chatterbox.ClipAdmission")]
internal sealed record ClipAdmission([property: Id(0)] Rejection? Refused = null, [property: Id(1)] QuotaExceeded? Quota = null);

[GenerateSerializer, Immutable, Alias("chatterbox.ClipUse")]
internal readonly record struct ClipUse([property: Id(0)] string Hash, [property: Id(1)] long Length);

/// <param name="Held">The session's state refers to these.</param>
/// <param name="Kept">Only copies that may be put back refer to these.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.ClipReferences")]
internal sealed record ClipReferences([property: Id(0)] ValueList<string> Held, [property: Id(1)] ValueList<string> Kept);
