using System.Collections.Immutable;

namespace Chatterbox.Grains.Session;

/// <summary>
/// Client → highest of its sequences that a slice holds, oldest use first. Stored in the slice's own row, it is what makes a
/// change that is sent again after a crash go in exactly once.
/// </summary>
internal readonly struct AppliedMap(ImmutableArray<(string Client, long Sequence)> entries)
{
    /// <summary>
    /// Clients that are remembered. One that so many others have followed on this slice has long heard what became of its changes,
    /// if it is there at all: those that die without a good-bye must not fill the row.
    /// </summary>
    public const int Most = 256;

    private readonly ImmutableArray<(string Client, long Sequence)> _entries = entries;

    public static AppliedMap Empty { get; } = new([]);

    public ImmutableArray<(string Client, long Sequence)> Entries => _entries.IsDefault ? [] : _entries;

    public long this[string client] => IndexOf(client) is >= 0 and var index ? _entries[index].Sequence : 0;

    public AppliedMap With(string client, long sequence)
    {
        var index = IndexOf(client);
        if (index == Entries.Length - 1 && index >= 0) return new(_entries.SetItem(index, (client, sequence)));
        var others = index >= 0 ? _entries.RemoveAt(index) : Entries.Length < Most ? Entries : _entries.RemoveAt(0);
        return new(others.Add((client, sequence)));
    }

    /// <summary>For each client the higher of its sequences in both.</summary>
    public AppliedMap With(AppliedMap other) => other.Entries.Aggregate(this, (sum, entry) =>
        sum[entry.Client] >= entry.Sequence ? sum : sum.With(entry.Client, entry.Sequence));

    public AppliedMap Without(Func<string, bool> forget) => new(Entries.RemoveAll(entry => forget(entry.Client)));

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
