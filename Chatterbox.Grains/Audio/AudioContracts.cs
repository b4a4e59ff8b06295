namespace Chatterbox.Grains.Audio;

/// <summary>The ledger's operations on a clip.</summary>
[Alias("chatterbox.IClipKeeping")]
internal interface IClipKeeping : IGrainWithStringKey
{
    /// <summary>The version of the stored clip; null when none is stored. Versions are never reused.</summary>
    [Alias("GetVersion")]
    Task<string?> GetVersionAsync();

    /// <summary>Gives the stored clip a new version, so that deleting the previous one fails.</summary>
    [Alias("Renew")]
    Task RenewAsync();

    /// <summary>Deletes the stored clip if it has this version. False when it has another version; it is kept.</summary>
    [Alias("Delete")]
    Task<bool> DeleteAsync(string? version);
}

/// <summary>A session as an owner of references to clips.</summary>
[Alias("chatterbox.IClipHolder")]
internal interface IClipHolder : IGrainWithStringKey
{
    /// <summary>Makes room for a clip before its upload, and has it kept until the session can refer to it.</summary>
    [Alias("AdmitClip")]
    Task<ClipAdmission> AdmitClipAsync(string hash, long length);

    /// <summary>
    /// The clips among these that the session refers to: in its state, in what it is writing, in its rows. A row that cannot be
    /// read counts as referring to all of them. Writes nothing.
    /// </summary>
    /// <param name="history">Whether restorable earlier states count as well.</param>
    /// <exception cref="IOException">Storage is failing: the references are unknown.</exception>
    [Alias("FindReferences")]
    Task<ValueList<string>> FindReferencesAsync(ValueList<string> hashes, bool history);

    /// <summary>
    /// These clips have been deleted. Chunks that refer to one that is not stored again are interrupted, ready to run again;
    /// voices lose their recording.
    /// </summary>
    [Alias("DropMissing")]
    Task DropMissingAsync(ValueList<string> hashes);
}

/// <summary>
/// The ledger of one user's clips, shared by the user's stores: the stored clips, their sizes, and which can be deleted.
/// </summary>
[Alias("chatterbox.IAudioLedgerGrain")]
internal interface IAudioLedgerGrain : IGrainWithStringKey
{
    /// <summary>Lists a clip for an upload if the store then stays within its limits. Durable on return.</summary>
    /// <param name="references">Every clip that the store's state refers to.</param>
    /// <param name="allowed">The store's limit of audio bytes.</param>
    [Alias("Admit")]
    Task<LedgerAdmission> AdmitAsync(string store, ClipUse clip, ValueList<ClipUse> references, long allowed);

    [Alias("GetUsage")]
    Task<AudioStorage> GetUsageAsync(string store, ValueList<ClipUse> references);

    /// <summary>
    /// Searches references to the clips that are due, and deletes those without a reference for long enough; none if a store
    /// cannot be asked.
    /// </summary>
    /// <returns>The number of clips deleted; more may be due.</returns>
    [Alias("Sweep")]
    Task<int> SweepAsync();

    /// <summary>Deletes a store's clips without references, also before they are due.</summary>
    /// <param name="references">Every clip that the store's state refers to.</param>
    /// <param name="history">Whether restorable earlier states keep a clip.</param>
    /// <returns>The number of clips that no longer count for the store.</returns>
    /// <exception cref="IOException">Some clips could not be deleted: the free room is unknown.</exception>
    [Alias("Free")]
    Task<int> FreeAsync(string store, ValueList<ClipUse> references, bool history);
}

/// <summary>Walks through the ledgers of all users and sweeps those with clips due. One walker per cluster.</summary>
[Alias("chatterbox.IAudioSweepGrain")]
internal interface IAudioSweepGrain : IGrainWithIntegerKey
{
    /// <summary>Runs the next step if it is due.</summary>
    /// <returns>When to call again.</returns>
    [Alias("Step")]
    Task<TimeSpan> StepAsync();
}

[GenerateSerializer, Immutable, Alias("chatterbox.ClipAdmission")]
internal sealed record ClipAdmission([property: Id(0)] Rejection? Refused = null, [property: Id(1)] QuotaExceeded? Quota = null);

/// <param name="Used">The store's audio bytes without the clip, when it does not fit; null otherwise.</param>
/// <param name="Clips">The number of the user's clips, when it exceeds the limit; null otherwise.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.LedgerAdmission")]
internal readonly record struct LedgerAdmission([property: Id(0)] long? Used = null, [property: Id(1)] int? Clips = null);

[GenerateSerializer, Immutable, Alias("chatterbox.ClipUse")]
internal readonly record struct ClipUse([property: Id(0)] string Hash, [property: Id(1)] long Length);

/// <summary>Keys of the ledgers.</summary>
internal static class AudioLedgerKey
{
    public static string For(string userId) => GrainKeys.OfUser(userId);

    /// <summary>The user of a ledger; null when the key is not a ledger's.</summary>
    public static string? UserOf(string key) =>
        GrainKeys.WithoutPrefix(key) is { } user && Text.CheckUserId(user) is null
            ? user
            : null;
}
