using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;

namespace Chatterbox.Silo.Gateway.Access;

/// <summary>Which user a token is of. The one place where this is decided, for every door.</summary>
/// <remarks>
/// The user id is the token's <c>sub</c>, with '%', '/', '|', control characters and white space at the ends percent-encoded as
/// UTF-8. Where several issuers are accepted, it is the issuer in the same encoding, '|', and that. If the result is longer than
/// <see cref="Limits.UserIdLength"/>, it is <c>%sha256-</c> and the SHA-256 of it in hexadecimal, which no encoding gives.
/// Two different pairs of issuer and <c>sub</c> never give one id.
/// </remarks>
internal static class UserMapping
{
    /// <summary>The claim that holds the user id, once a token was accepted.</summary>
    public const string Claim = "chatterbox:user";

    /// <summary>Null when no user id can be made of it.</summary>
    public static string? UserOf(string? sub, string? issuer)
    {
        if (string.IsNullOrEmpty(sub) || !Text.IsWellFormed(sub)) return null;
        var user = issuer is null ? Encode(sub) : $"{Encode(issuer)}|{Encode(sub)}";
        if (user.Length > Limits.UserIdLength)
            user = $"%sha256-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(user)))}";
        return Text.CheckUserId(user) is null ? user : null;
    }

    /// <summary>The user of an accepted token.</summary>
    public static string? UserId(this ClaimsPrincipal principal) => principal.FindFirst(Claim)?.Value;

    private static string Encode(string text)
    {
        var (start, end) = (text.Length - text.TrimStart().Length, text.TrimEnd().Length);
        var encoded = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            var character = text[at];
            var isKept = at >= start && at < end && character is not ('%' or '/' or '|') && !char.IsControl(character);
            if (isKept) encoded.Append(character);
            else encoded.AppendJoin("", Encoding.UTF8.GetBytes([character]).Select(each => $"%{each:X2}"));
        }
        return encoded.ToString();
    }
}
