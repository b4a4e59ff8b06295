using Chatterbox.Silo.Storage.GroupCommit;
using CsCheck;

namespace Chatterbox.Tests.State;

public sealed class IdentityTests
{
    private static readonly string[] Parts =
    [
        "a", "A", "b", "0", "00", "7", "+", "-", "x", "f", "F", "{", "}", "é", "e\u0301", "Å", "\u212b", "ß", "ı", "İ",
        "\u200b", "ss", ".", "@", "u", "%", "😀",
        "0f8fad5b", "d9cb469fa165", "70867728950e", "DEADBEEF",
    ];

    private static readonly Gen<string> Ids = Gen.OneOfConst(Parts).Array[1, 8].Select(string.Concat);

    [Fact(DisplayName =
        "[I1] two ids that differ in any code point never share a row, whatever Orleans' key parser reads into them")]
    public void Rows_of_two_users() => Gen.Select(Ids, Ids).Where((one, other) => one != other).Sample((one, other) =>
    {
        Assert.Null(new SessionId(one).Validate());
        foreach (var key in (Func<string, string>[])[user => new SessionId(user).Key, GrainKeys.OfUser,
            user => AudioClipKey.For(user, new('a', 64))])
        {
            Assert.NotEqual(Row(key(one)), Row(key(other)));
        }
    }, iter: 20_000);

    [Fact(DisplayName = "[I1] no stored key reads as an integer or a GUID")]
    public void Plain_keys() => Ids.Sample(user =>
    {
        foreach (var key in (string[])[new SessionId(user).Key, GrainKeys.OfUser(user), AudioClipKey.For(user, new('a', 64))])
        {
            var grain = GrainId.Create("session", key);
            Assert.False(grain.TryGetIntegerKey(out _, out _) || grain.TryGetGuidKey(out _, out _), key);
        }
    }, iter: 20_000);

    [Fact(DisplayName = "[I1] a key is read back as the id it was made from")]
    public void Round_trip() => Ids.Sample(user =>
    {
        Assert.True(SessionId.TryParse(new SessionId(user, "my-store").Key, out var id));
        Assert.Equal(new SessionId(user, "my-store"), id);
    }, iter: 5_000);

    [Theory(DisplayName = "[I2] an id that is not allowed is refused with one text, and none is changed silently")]
    [InlineData("")]
    [InlineData(" a")]
    [InlineData("a ")]
    [InlineData("a\u00a0")]
    [InlineData("a\u3000")]
    [InlineData("a/b")]
    [InlineData("a\nb")]
    [InlineData("a\u0000")]
    public void Refused(string user)
    {
        var refused = new SessionId(user).Validate()!;
        Assert.Equal("userId", refused.Field);
        Assert.Equal(new SessionId("a/").Validate()!.Allowed, refused.Allowed);
        Assert.False(SessionId.TryParse(new SessionId(user).Key, out _));
        Assert.Throws<ArgumentException>(() => new SessionId(user).EnsureValid());
    }

    // Not an argument of a test: the runner would replace it.
    [Fact(DisplayName = "[I2] half a character is no part of an id")]
    public void Refuses_a_lone_surrogate() => Refused("a\ud800");

    [Theory(DisplayName = "[I1] a key without the prefix is no session's")]
    [InlineData("alice/app-state")]
    [InlineData("U/alice/app-state")]
    [InlineData("u/app-state")]
    [InlineData("")]
    [InlineData(null)]
    public void Foreign_keys(string? key) => Assert.False(SessionId.TryParse(key, out _));

    private static RowKey Row(string key) => RowKey.Of("chunks", GrainId.Create("session", key));
}
