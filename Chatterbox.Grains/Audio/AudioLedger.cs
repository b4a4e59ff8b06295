using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Chatterbox.Grains.Audio;

/// <summary>What one clip is kept for.</summary>
internal sealed record LedgerEntry
{
    public required string Hash { get; init; }

    /// <summary>Bytes.</summary>
    public long Length { get; init; }

    /// <summary>The store that had to do with the clip last: whose quota it counts against while no store refers to it.</summary>
    public required string Owner { get; init; }

    /// <summary>The stores that refer to the clip, or are about to.</summary>
    public ImmutableSortedSet<string> Stores { get; init; } = [];

    /// <summary>An upload is not referred to yet, and is waited for until then.</summary>
    public DateTimeOffset? PendingUntil { get; init; }

    /// <summary>Nothing refers to the clip any more, but copies of a state may until then.</summary>
    public DateTimeOffset? KeptUntil { get; init; }

    /// <summary>A deletion has begun, and may still be under way: lifted only where the clip is then given another version.</summary>
    public bool IsClaimed { get; init; }

    [JsonExtensionData] public UnknownMembers? Unknown { get; set; }

    [JsonIgnore] public bool IsHeld => Stores.Count > 0;

    /// <summary>When the clip may go; null while a store refers to it.</summary>
    [JsonIgnore] public DateTimeOffset? Due => IsHeld ? null : PendingUntil > KeptUntil || KeptUntil is null ? PendingUntil ?? DateTimeOffset.MinValue : KeptUntil;
}

/// <summary>
/// Which of a user's clips are referred to, and how long the others are kept. An immutable value: its keeper makes the next one,
/// writes it, and only then goes by it. It may know of references that are none; what it does not know of is never deleted.
/// </summary>
internal sealed class AudioLedger(ImmutableDictionary<string, LedgerEntry> entries)
{
    public static AudioLedger Empty { get; } = new(ImmutableDictionary.Create<string, LedgerEntry>(StringComparer.Ordinal));

    public IEnumerable<LedgerEntry> Entries => entries.Values;

    /// <summary>When the next clip is due; null when none is.</summary>
    public DateTimeOffset? NextDue => entries.Values.Min(entry => entry.Due);

    public LedgerEntry? Find(string hash) => entries.GetValueOrDefault(hash);

    /// <exception cref="FormatException">The entries are no ledger.</exception>
    public static AudioLedger Of(IReadOnlyCollection<LedgerEntry?> entries)
    {
        var known = ImmutableDictionary.CreateBuilder<string, LedgerEntry>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (entry is not { Length: >= 0, Hash: not null, Owner: not null, Stores: not null } || !known.TryAdd(entry.Hash, entry))
            {
                throw new FormatException("an entry is twice there, lacks something, or has a negative length");
            }
        }
        return new(known.ToImmutable());
    }

    /// <summary>Keeps a clip for an upload, also beyond what refers to it now: whoever uploads it will.</summary>
    public AudioLedger Admit(string store, string hash, long length, DateTimeOffset until) =>
        With((Find(hash) ?? new() { Hash = hash, Owner = store }) with { Owner = store, Length = length, PendingUntil = until, IsClaimed = false });

    public AudioLedger Hold(string store, IEnumerable<ClipUse> clips) => clips.Aggregate(this, (ledger, clip) =>
    {
        var known = ledger.Find(clip.Hash) ?? new LedgerEntry { Hash = clip.Hash, Length = clip.Length, Owner = store };
        return known is { IsClaimed: false } && known.Stores.Contains(store)
            ? ledger
            : ledger.With(known with { Owner = store, Stores = known.Stores.Add(store), PendingUntil = null, KeptUntil = null, IsClaimed = false });
    });

    public AudioLedger Release(string store, IEnumerable<string> hashes, DateTimeOffset keptUntil) => hashes.Aggregate(this, (ledger, hash) =>
        ledger.Find(hash) is { } known && known.Stores.Contains(store)
            ? ledger.With(known with { Owner = store, Stores = known.Stores.Remove(store), KeptUntil = keptUntil })
            : ledger);

    /// <summary>There is no such clip: no upload is waited for any more, and a store, if one is named, does not refer to it.</summary>
    public AudioLedger Abandon(string? store, IEnumerable<string> hashes, DateTimeOffset now) => hashes.Aggregate(this, (ledger, hash) =>
        ledger.Find(hash) is not { } known ? ledger
        : ledger.With(known with { Stores = store is null ? known.Stores : known.Stores.Remove(store), PendingUntil = now }));

    /// <summary>
    /// What nothing refers to and nobody waits for any more, so many at most, longest due first; with a store that needs room, also
    /// what it let go of.
    /// </summary>
    public IReadOnlyList<LedgerEntry> Expired(DateTimeOffset now, string? forRoomIn, int most) =>
    [
        .. entries.Values.Where(entry => entry.Due <= now || (forRoomIn is not null && entry.Owner == forRoomIn
            && entry is { IsHeld: false, KeptUntil: not null } && !(entry.PendingUntil > now))).OrderBy(entry => entry.Due).Take(most),
    ];

    /// <summary>Says that these are about to be deleted. Another ledger each time, so that it is written and storage has its say.</summary>
    public AudioLedger Claim(IEnumerable<string> hashes) =>
        hashes.Aggregate(this, (ledger, hash) => ledger.Find(hash) is { } known ? ledger.With(known with { IsClaimed = true }) : ledger);

    /// <summary>These stay after all, for so long.</summary>
    public AudioLedger Keep(IEnumerable<string> hashes, DateTimeOffset until) => hashes.Aggregate(this, (ledger, hash) =>
        ledger.Find(hash) is { } known ? ledger.With(known with { KeptUntil = until }) : ledger);

    /// <summary>These stay after all: a store refers to them.</summary>
    public AudioLedger KeepFor(string store, IEnumerable<string> hashes) => hashes.Aggregate(this, (ledger, hash) =>
        ledger.Find(hash) is { } known
            ? ledger.With(known with { Owner = store, Stores = known.Stores.Add(store), PendingUntil = null, KeptUntil = null })
            : ledger);

    public AudioLedger Remove(IEnumerable<string> hashes) => new(entries.RemoveRange(hashes));

    public AudioStorage UsageOf(string store, DateTimeOffset now)
    {
        var held = entries.Values.Where(entry => entry.Stores.Contains(store)).ToArray();
        var own = entries.Values.Where(entry => !entry.IsHeld && entry.Owner == store).ToLookup(entry => entry.KeptUntil is null || entry.PendingUntil > now);
        return new()
        {
            ReferencedClips = held.Length,
            ReferencedBytes = held.Sum(entry => entry.Length),
            PendingClips = own[true].Count(),
            PendingBytes = own[true].Sum(entry => entry.Length),
            UnreferencedClips = own[false].Count(),
            UnreferencedBytes = own[false].Sum(entry => entry.Length),
        };
    }

    private AudioLedger With(LedgerEntry entry) => new(entries.SetItem(entry.Hash, entry));
}
