using Chatterbox.Silo.Gateway.Access;

namespace Chatterbox.GatewayTests.Access;

public sealed class UserMappingTests
{
    [Theory(DisplayName = "[I2] a token's sub becomes a user id under the written mapping")]
    [InlineData("alice", "alice")]
    [InlineData("auth0|42", "auth0%7C42")]
    [InlineData("a/b", "a%2Fb")]
    [InlineData("50%", "50%25")]
    [InlineData(" alice ", "%20alice%20")]
    [InlineData("a b", "a b")]
    [InlineData("é\u0085x", "é%C2%85x")]
    public void Maps(string sub, string user) => Assert.Equal(user, UserMapping.UserOf(sub, issuer: null));

    [Fact(DisplayName = "[I2] with several issuers the issuer is part of the user id")]
    public void Names_the_issuer()
    {
        Assert.Equal("https:%2F%2Fone.example|alice", UserMapping.UserOf("alice", "https://one.example"));
        Assert.NotEqual(UserMapping.UserOf("a|b", "i"), UserMapping.UserOf("b", "i|a"));
    }

    [Fact(DisplayName = "[I2] a sub that is too long becomes a hash that no other sub gives")]
    public void Hashes_long_ones()
    {
        var user = UserMapping.UserOf(new string('x', 129), issuer: null)!;
        Assert.StartsWith("%sha256-", user, StringComparison.Ordinal);
        Assert.NotEqual(user, UserMapping.UserOf(user, issuer: null));
        Assert.NotEqual(user, UserMapping.UserOf(new string('x', 130), issuer: null));
    }

    [Theory(DisplayName = "[I2] a token without a sub is no user's")]
    [InlineData(null)]
    [InlineData("")]
    public void Refuses(string? sub) => Assert.Null(UserMapping.UserOf(sub, issuer: null));

    [Fact(DisplayName = "[I2] a sub that is no valid Unicode is no user's")]
    public void Refuses_broken_text() => Assert.Null(UserMapping.UserOf("\ud800", issuer: null));
}
