using System.ComponentModel.DataAnnotations;
using System.Text;

namespace Chatterbox.Silo.Settings;

/// <summary>
/// <c>Chatterbox__Auth__…</c>: how users and services prove who they are. With none of it set a silo runs in Development and on
/// loopback only.
/// </summary>
public sealed class AuthOptions
{
    /// <summary>Bytes of a key, at least: an HMAC of SHA-256 takes no shorter one.</summary>
    internal const int KeyBytes = 32;

    /// <summary>
    /// Addresses of OpenID Connect issuers whose tokens are accepted, separated by ';'. With more than one, a user's id begins
    /// with the issuer. Default empty: none.
    /// </summary>
    public string Authority { get; set; } = "";

    /// <summary>The <c>aud</c> that a token must have. Required with <see cref="Authority"/>. Default empty: any.</summary>
    public string Audience { get; set; } = "";

    /// <summary>
    /// The secret with which tokens are signed (HS256), instead of an authority: 32 bytes of UTF-8 or more. Default empty: none.
    /// </summary>
    public string SigningKey { get; set; } = "";

    /// <summary>
    /// The secret with which services and the command line act for any user, and by which the silos of a cluster know each
    /// other: 32 bytes of UTF-8 or more, the same on all silos. Default empty: none.
    /// </summary>
    public string ServiceKey { get; set; } = "";

    /// <summary>The role that reaches other users' sessions. Default <c>operator</c>; 1 to 100 characters.</summary>
    [StringLength(100, MinimumLength = 1)]
    public string OperatorRole { get; set; } = "operator";

    internal bool IsConfigured => Authority.Length > 0 || SigningKey.Length > 0 || ServiceKey.Length > 0;

    internal IReadOnlyList<string> Authorities =>
        Authority.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <exception cref="SettingsException"/>
    internal void Resolve(ClusteringMode clustering)
    {
        foreach (var authority in Authorities)
        {
            if (!Uri.TryCreate(authority, UriKind.Absolute, out var address)
                || !(address.Scheme is "https" || (address.Scheme is "http" && address.IsLoopback)))
                throw SettingsException.For(
                    "Chatterbox:Auth:Authority", authority, "addresses such as https://login.example.com");
        }
        if (Authority.Length > 0 && Audience.Length == 0)
            throw SettingsException.For("Chatterbox:Auth:Audience", Audience, "set with Chatterbox__Auth__Authority");
        if (Authority.Length > 0 && SigningKey.Length > 0)
            throw new SettingsException(
                "Chatterbox__Auth__SigningKey must be empty with Chatterbox__Auth__Authority: one or the other.");
        EnsureLong("Chatterbox:Auth:SigningKey", SigningKey);
        EnsureLong("Chatterbox:Auth:ServiceKey", ServiceKey);
        if (IsConfigured && ServiceKey.Length == 0 && clustering is ClusteringMode.AdoNet)
            throw new SettingsException(
                $"Chatterbox__Auth__ServiceKey must be {KeyBytes} bytes or more: all silos know each other by it.");
    }

    // The key itself is never shown.
    private static void EnsureLong(string setting, string key)
    {
        var length = Encoding.UTF8.GetByteCount(key);
        if (length is > 0 and < KeyBytes)
            throw SettingsException.For(setting, $"of {length}", $"{KeyBytes} bytes or more");
    }
}
