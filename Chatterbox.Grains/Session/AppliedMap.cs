using System.Collections.Immutable;

namespace Chatterbox.Grains.Session;

/// <summary>
/// Client → highest of its sequences that a slice holds, oldest use first. Stored in the slice's own row, it is what makes a
/// change that is sent again after a crash go in exactly once.
/// </summary>
internal readonly struct AppliedMap(ImmutableArray<(string Client, long Sequence)> entries)
{
    private readonly ImmutableArray<(string Client, long Sequence)> _entries = entries;

    public static AppliedMap Empty { get; } = new([]);

    public ImmutableArray<(string Client, long Sequence)> Entries => _entries.IsDefault ? [] : _entries;

    public long this[string client] => IndexOf(client) is >= 0 and var index ? _entries[index].Sequence : 0;

    public AppliedMap With(string client, long sequence)
    {
        var index = IndexOf(client);
        if (index == Entries.Length - 1 && index >= 0) return new(_entries.SetItem(index, (client, sequence)));
        return new((index < 0 ? Entries : _entries.RemoveAt(index)).Add((client, sequence)));
    }

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
