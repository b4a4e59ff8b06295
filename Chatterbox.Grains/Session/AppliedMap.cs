using System.Collections.Immutable;

namespace Chatterbox.Grains.Session;

/// <param name="Day">When its last change was, in days since 1970-01-01 (UTC).</param>
/// <param name="HasLeft">It has detached with nothing left to send.</param>
internal readonly record struct AppliedEntry(string Client, long Sequence, int Day, bool HasLeft = false);

/// <summary>
/// Client → highest of its sequences that a slice holds, oldest change first. Stored in the slice's own row, it is what makes a
/// change that is sent again go in exactly once. A client that may still send changes again is remembered for <see cref="Days"/>;
/// one that has left is kept only for an answer that was lost: for a day, and the latest <see cref="MostLeft"/> of them.
/// </summary>
internal readonly struct AppliedMap(ImmutableArray<AppliedEntry> entries) : IEquatable<AppliedMap>
{
    /// <summary>Days after its last change that a client is remembered which has not left.</summary>
    public const int Days = 30;

    /// <summary>Clients remembered that have left.</summary>
    public const int MostLeft = 3;

    /// <summary>More than ever come in <see cref="Days"/>: the last resort against a row without bounds.</summary>
    public const int Most = 4096;

    private readonly ImmutableArray<AppliedEntry> _entries = entries;

    public static AppliedMap Empty { get; } = new([]);

    public ImmutableArray<AppliedEntry> Entries => _entries.IsDefault ? [] : _entries;

    public long this[string client] => IndexOf(client) is >= 0 and var index ? _entries[index].Sequence : 0;

    public AppliedMap With(AppliedEntry entry)
    {
        var index = IndexOf(entry.Client);
        if (index == Entries.Length - 1 && index >= 0) return new(_entries.SetItem(index, entry));
        var others = index >= 0 ? _entries.RemoveAt(index) : Entries.Length < Most ? Entries : _entries.RemoveAt(0);
        return new(others.Add(entry));
    }

    /// <summary>For each client the higher of its sequences in both.</summary>
    public AppliedMap With(AppliedMap other) => other.Entries.Aggregate(this, (sum, entry) =>
        sum[entry.Client] >= entry.Sequence ? sum : sum.With(entry));

    /// <summary>The client has nothing left to send.</summary>
    public AppliedMap Leave(string client) =>
        IndexOf(client) is >= 0 and var index && !_entries[index].HasLeft
            ? new(_entries.SetItem(index, _entries[index] with { HasLeft = true }))
            : this;

    /// <summary>Without the clients that need not be remembered any more.</summary>
    public AppliedMap Prune(int today)
    {
        var left = 0;
        var kept = Entries.Reverse()
            .Where(entry => entry.HasLeft ? entry.Day >= today - 1 && left++ < MostLeft : entry.Day >= today - Days)
            .Reverse().ToImmutableArray();
        return kept.Length == Entries.Length ? this : new(kept);
    }

    public bool Equals(AppliedMap other) => Entries.AsSpan().SequenceEqual(other.Entries.AsSpan());

    public override bool Equals(object? obj) => obj is AppliedMap other && Equals(other);

    public override int GetHashCode() => Entries.Length;

    private int IndexOf(string client)
    {
        var entries = Entries;
        for (var index = entries.Length - 1; index >= 0; index--)
        {
            if (entries[index].Client == client) return index;
        }
        return -1;
    }
}
