namespace Chatterbox.Grains.Audio;

/// <summary>What the ledger does with a clip.</summary>
[Alias("chatterbox.IClipKeeping")]
internal interface IClipKeeping : IGrainWithStringKey
{
    /// <summary>The version of what is stored; null when nothing is. No version occurs twice.</summary>
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
    /// The clips among these that the session refers to: in its state, in what it is writing, in its rows. A row that cannot be
    /// read counts as referring to all of them. Writes nothing.
    /// </summary>
    /// <param name="history">Earlier states that can be restored count as well.</param>
    /// <exception cref="IOException">Storage is failing: nothing can be said.</exception>
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
/// The clips of one user, whose stores share them: which are stored, how much they are, and which can be deleted.
/// </summary>
[Alias("chatterbox.IAudioLedgerGrain")]
internal interface IAudioLedgerGrain : IGrainWithStringKey
{
    /// <summary>Lists a clip for an upload if the store then stays within its limits. Durable on return.</summary>
    /// <param name="references">Every clip that the store's state refers to.</param>
    /// <param name="allowed">Bytes of audio that the store may have.</param>
    [Alias("Admit")]
    Task<LedgerAdmission> AdmitAsync(string store, ClipUse clip, ValueList<ClipUse> references, long allowed);

    [Alias("GetUsage")]
    Task<AudioStorage> GetUsageAsync(string store, ValueList<ClipUse> references);

    /// <summary>
    /// Looks for references to the clips that are due, and deletes those that nothing has referred to for long enough; where one
    /// store cannot be asked, none.
    /// </summary>
    /// <returns>The number of clips deleted; more may be due.</returns>
    [Alias("Sweep")]
    Task<int> SweepAsync();

    /// <summary>Deletes clips that count for a store and that nothing refers to, also before their time.</summary>
    /// <param name="references">Every clip that the store's state refers to.</param>
    /// <param name="history">False: earlier states that can be restored do not keep a clip.</param>
    /// <returns>The number of clips that no longer count for the store.</returns>
    /// <exception cref="IOException">Some could not be deleted: it is not known how much room there is.</exception>
    [Alias("Free")]
    Task<int> FreeAsync(string store, ValueList<ClipUse> references, bool history);
}

/// <summary>Walks through the ledgers of all users, one cluster-wide, and has those swept that have clips due.</summary>
[Alias("chatterbox.IAudioSweepGrain")]
internal interface IAudioSweepGrain : IGrainWithIntegerKey
{
    /// <summary>Does the next step if it is time for it.</summary>
    /// <returns>When to call again.</returns>
    [Alias("Step")]
    Task<TimeSpan> StepAsync();
}

[GenerateSerializer, Immutable, Alias("chatterbox.ClipAdmission")]
internal sealed record ClipAdmission([property: Id(0)] Rejection? Refused = null, [property: Id(1)] QuotaExceeded? Quota = null);

/// <param name="Used">Bytes of audio that the store has without the clip, when there is no room for it; null otherwise.</param>
/// <param name="Clips">The user's clips, when they are too many; null otherwise.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.LedgerAdmission")]
internal readonly record struct LedgerAdmission([property: Id(0)] long? Used = null, [property: Id(1)] int? Clips = null);

[GenerateSerializer, Immutable, Alias("chatterbox.ClipUse")]
internal readonly record struct ClipUse([property: Id(0)] string Hash, [property: Id(1)] long Length);

/// <summary>Keys of the ledgers.</summary>
internal static class AudioLedgerKey
{
    public static string For(string userId) => GrainKeys.OfUser(userId);

    /// <summary>The user of a ledger; null when the key is not one's.</summary>
    public static string? UserOf(string key) =>
        GrainKeys.WithoutPrefix(key) is { } user && Text.CheckUserId(user) is null
            ? user
            : null;
}
