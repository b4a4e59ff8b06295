using System.Text;
using Chatterbox.Grains.Audio;
using CsCheck;

namespace Chatterbox.Tests.Audio;

public sealed class ClipMentionsTests
{
    [Fact(DisplayName =
        "[A2] a hash is found in stored text wherever it stands, also inside a longer run of digits, and nothing else is")]
    public void Found_where_it_stands()
    {
        string[] hashes = [new('a', 64), string.Concat(Enumerable.Repeat("01234567", 8)), new('f', 64)];
        Assert.Equal([hashes[0], hashes[1]],
            Find($$"""{"hash":"{{hashes[0]}}","x":"00{{hashes[1]}}ff"}""", hashes).Order(StringComparer.Ordinal).Reverse());
        Assert.Equal([hashes[2]], Find(hashes[2], hashes));
        Assert.Empty(Find(hashes[2][1..], hashes));
        Assert.Empty(Find(hashes[2].ToUpperInvariant(), hashes));
        Assert.Empty(Find("", hashes));
    }

    [Fact(DisplayName = "[A2] a search for all hashes at once finds what a search for each would")]
    public void The_same_as_one_by_one() =>
        Gen.Select(Gen.OneOf(Gen.Const("ab"), Gen.Const("a"), Gen.Const("\""), Gen.Int[50, 70]
            .Select(length => new string('a', length))).Array[0, 40], Gen.Int[0, 3]).Sample((parts, _) =>
        {
            var text = string.Concat(parts);
            string[] hashes = [new('a', 64), new string('a', 62) + "ba", "b" + new string('a', 63)];
            Assert.Equal(hashes.Where(hash => text.Contains(hash, StringComparison.Ordinal)).Order(), Find(text, hashes).Order());
        });

    private static HashSet<string> Find(string text, string[] hashes)
    {
        var found = new HashSet<string>();
        ClipMentions.Find(Encoding.UTF8.GetBytes(text), hashes.ToHashSet(), found);
        return found;
    }
}
