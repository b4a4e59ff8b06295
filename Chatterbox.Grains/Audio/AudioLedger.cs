using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Audio;

/// <summary>The last known state of a clip.</summary>
internal enum ClipMark
{
    /// <summary>Uploaded, or being uploaded, but not referred to yet.</summary>
    [JsonStringEnumMemberName("uploaded")] Uploaded,

    /// <summary>A store referred to it.</summary>
    [JsonStringEnumMemberName("referenced")] Referenced,

    /// <summary>No store refers to it any more.</summary>
    [JsonStringEnumMemberName("dropped")] Dropped,

    /// <summary>
    /// A deletion has started and may still be running: the clip needs a new version before it may be used again.
    /// </summary>
    [JsonStringEnumMemberName("deleting")] Deleting,
}

/// <summary>How long clips without references are kept.</summary>
/// <param name="Upload">After an upload.</param>
/// <param name="Unreferenced">After the last reference; references are looked for again as often.</param>
internal readonly record struct ClipAges(TimeSpan Upload, TimeSpan Unreferenced);

/// <summary>One clip of the user's.</summary>
internal sealed record LedgerEntry
{
    public required string Hash { get; init; }

    /// <summary>Bytes.</summary>
    public long Length { get; init; }

    /// <summary>When <see cref="Mark"/> was last confirmed.</summary>
    public required DateTimeOffset Seen { get; init; }

    public ClipMark Mark { get; init; }

    /// <summary>Whether a reference was ever seen: then the clip is kept for the grace period after the last one.</summary>
    public bool WasReferenced { get; init; }

    /// <summary>The stores that have uploaded the clip or been found to refer to it: their quotas count it.</summary>
    public ImmutableSortedSet<string> Stores { get; init; } = [];

    [JsonExtensionData] public UnknownMembers? Unknown { get; set; }

    /// <summary>Its grace period has not started yet.</summary>
    [JsonIgnore] public bool HasGrace => WasReferenced && Mark is ClipMark.Uploaded or ClipMark.Referenced;

    /// <summary>When the next sweep has to look at the clip.</summary>
    public DateTimeOffset Due(ClipAges ages) => Mark switch
    {
        ClipMark.Uploaded => Seen + ages.Upload,
        ClipMark.Deleting => Seen,
        _ => Seen + ages.Unreferenced,
    };
}

/// <summary>
/// A user's stored clips, with their last use and their stores. An immutable value: its grain creates the next one and writes it
/// before acting on it. An unlisted clip is never deleted.
/// </summary>
internal sealed class AudioLedger(ImmutableDictionary<string, LedgerEntry> entries)
{
    /// <summary>The name of its row.</summary>
    public const string RowName = "audio-ledger";

    public const int Version = 1;

    private const int CompressionThreshold = 1024;

    public static AudioLedger Empty { get; } = new(ImmutableDictionary.Create<string, LedgerEntry>(StringComparer.Ordinal));

    public IEnumerable<LedgerEntry> Entries => entries.Values;

    public int Count => entries.Count;

    public LedgerEntry? Find(string hash) => entries.GetValueOrDefault(hash);

    /// <exception cref="FormatException">The entries are not a ledger.</exception>
    public static AudioLedger Of(IReadOnlyCollection<LedgerEntry?> entries)
    {
        var known = ImmutableDictionary.CreateBuilder<string, LedgerEntry>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (entry is not { Length: >= 0, Hash: not null, Stores: not null } || !known.TryAdd(entry.Hash, entry))
            {
                throw new FormatException("an entry is listed twice, is incomplete, or has a negative length");
            }
        }
        return new(known.ToImmutable());
    }

    /// <summary>The ledger of a row; null when a newer build has written it.</summary>
    /// <exception cref="Exception">The bytes are damaged: <see cref="SessionStore.IsDamage"/>.</exception>
    public static AudioLedger? Decode(byte[] bytes)
    {
        var (version, body) = SliceFrame.Decode(bytes);
        return version > Version ? null : Of(JsonSerializer.Deserialize(body.Span, AudioJson.Default.ListLedgerEntry) ?? []);
    }

    public byte[] Encode() =>
        SliceFrame.Encode(
            JsonSerializer.SerializeToUtf8Bytes([.. Entries], AudioJson.Default.ListLedgerEntry), Version, CompressionThreshold);

    /// <summary>
    /// Lists a clip before its upload, which may be a repeated one: a reference is expected, even if some already exist.
    /// </summary>
    public AudioLedger Admit(string store, ClipUse clip, DateTimeOffset now)
    {
        var known = Find(clip.Hash) ?? new() { Hash = clip.Hash, Seen = now };
        return With(known with
        {
            Length = clip.Length,
            Seen = now,
            Mark = ClipMark.Uploaded,
            Stores = known.Stores.Add(store),
        });
    }

    /// <summary>Records a store's references. Adds clips that the ledger does not list.</summary>
    public AudioLedger Refer(string store, IEnumerable<ClipUse> clips, DateTimeOffset now) =>
        clips.Aggregate(this, (ledger, clip) =>
    {
        var known = ledger.Find(clip.Hash) ?? new() { Hash = clip.Hash, Length = clip.Length, Seen = now };
        return ledger.With(Refer(known, known.Stores.Add(store), now));
    });

    /// <summary>The clips among these whose deletion has started.</summary>
    public IEnumerable<string> Deleting(IEnumerable<ClipUse> clips) =>
        clips.Select(clip => clip.Hash).Where(hash => Find(hash) is { Mark: ClipMark.Deleting });

    /// <summary>When the next sweep has work to do; null when there are no clips.</summary>
    public DateTimeOffset? NextDue(ClipAges ages) => entries.IsEmpty ? null : entries.Values.Min(entry => entry.Due(ages));

    /// <summary>The clips a sweep has to look at, longest due first.</summary>
    public IReadOnlyList<LedgerEntry> Due(DateTimeOffset now, ClipAges ages) =>
        [.. entries.Values.Where(entry => entry.Due(ages) <= now).OrderBy(entry => entry.Due(ages))];

    /// <summary>
    /// The clips that a store can free when it needs room: those that count for it although it does not refer to them, except
    /// uploads that may still get a reference.
    /// </summary>
    public IReadOnlyList<LedgerEntry> Spare(string store, IReadOnlySet<string> referenced, DateTimeOffset now, ClipAges ages) =>
        [.. entries.Values.Where(entry => IsSpare(entry, store, referenced, now, ages)).OrderBy(entry => entry.Seen)];

    /// <summary>
    /// Records references by these stores; stores that could not be asked keep their last known references.
    /// </summary>
    public AudioLedger Found(IEnumerable<LedgerEntry> referenced, Func<string, IEnumerable<string>> stores, DateTimeOffset now) =>
        Change(referenced, entry => Refer(entry, [.. stores(entry.Hash)], now));

    /// <summary>Records that these clips have no references any more.</summary>
    public AudioLedger Drop(IEnumerable<LedgerEntry> unreferenced, DateTimeOffset now) =>
        Change(unreferenced, entry => entry with { Seen = now, Mark = ClipMark.Dropped });

    /// <summary>
    /// Claims these clips for deletion. Always returns a new ledger: it must be written, and the write fails if another
    /// activation has written since.
    /// </summary>
    public AudioLedger Claim(IEnumerable<LedgerEntry> unreferenced) =>
        Change(unreferenced, entry => entry with { Mark = ClipMark.Deleting });

    /// <summary>Clips written meanwhile could not be deleted: they count as just uploaded.</summary>
    public AudioLedger Keep(IEnumerable<string> hashes, DateTimeOffset now) => hashes.Aggregate(this, (ledger, hash) =>
        ledger.Find(hash) is { Mark: ClipMark.Deleting } known
            ? ledger.With(known with { Seen = now, Mark = ClipMark.Uploaded })
            : ledger);

    /// <summary>Removes deleted clips. Clips admitted again meanwhile stay listed.</summary>
    public AudioLedger Remove(IEnumerable<string> hashes) =>
        new(entries.RemoveRange(hashes.Where(hash => Find(hash) is { Mark: ClipMark.Deleting })));

    /// <summary>A store's usage for its quota.</summary>
    /// <param name="references">The clips that its state refers to.</param>
    public AudioStorage UsageOf(string store, IReadOnlyCollection<ClipUse> references, DateTimeOffset now, ClipAges ages)
    {
        var referenced = references.Select(clip => clip.Hash).ToHashSet(StringComparer.Ordinal);
        var others = entries.Values.Where(entry => entry.Stores.Contains(store) && !referenced.Contains(entry.Hash))
            .ToLookup(entry => IsSpare(entry, store, referenced, now, ages));
        return new()
        {
            ReferencedClips = referenced.Count,
            ReferencedBytes = references.DistinctBy(clip => clip.Hash).Sum(clip => clip.Length),
            PendingClips = others[false].Count(),
            PendingBytes = others[false].Sum(entry => entry.Length),
            UnreferencedClips = others[true].Count(),
            UnreferencedBytes = others[true].Sum(entry => entry.Length),
        };
    }

    private static LedgerEntry Refer(LedgerEntry entry, ImmutableSortedSet<string> stores, DateTimeOffset now) =>
        entry with { Seen = now, Mark = ClipMark.Referenced, WasReferenced = true, Stores = stores };

    private static bool IsSpare(
        LedgerEntry entry, string store, IReadOnlySet<string> referenced, DateTimeOffset now, ClipAges ages) =>
        entry.Stores.Contains(store) && !referenced.Contains(entry.Hash)
            && (entry.Mark is not ClipMark.Uploaded || entry.Due(ages) <= now);

    // An entry changed since the check stays unchanged: the newer change wins.
    private AudioLedger Change(IEnumerable<LedgerEntry> looked, Func<LedgerEntry, LedgerEntry> change) =>
        looked.Where(entry => ReferenceEquals(Find(entry.Hash), entry))
            .Aggregate(this, (ledger, entry) => ledger.With(change(entry)));

    private AudioLedger With(LedgerEntry entry) => new(entries.SetItem(entry.Hash, entry));
}
