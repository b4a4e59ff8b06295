using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Chatterbox.GatewayTests.Access;

/// <summary>An OpenID Connect issuer on loopback, with a key of its own.</summary>
internal sealed class TestIssuer : IAsyncDisposable
{
    public const string Audience = "chatterbox";

    private readonly RSA _key = RSA.Create(2048);
    private readonly WebApplication _app;

    private TestIssuer(WebApplication app) => _app = app;

    public string Address => _app.Urls.First();

    public RsaSecurityKey Key => new(_key) { KeyId = "one" };

    public static async Task<TestIssuer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var issuer = new TestIssuer(app);
        app.Run(async context =>
        {
            object reply = context.Request.Path == "/.well-known/openid-configuration"
                ? new { issuer = issuer.Address, jwks_uri = $"{issuer.Address}/keys" }
                : new { keys = new[] { issuer.PublicKey } };
            await context.Response.WriteAsJsonAsync(reply);
        });
        await app.StartAsync();
        return issuer;
    }

    public string Token(string sub, string audience = Audience, RsaSecurityKey? key = null, string? algorithm = null) =>
        new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Address,
            Audience = audience,
            Claims = new Dictionary<string, object> { ["sub"] = sub },
            Expires = TimeProvider.System.GetUtcNow().AddMinutes(5).UtcDateTime,
            SigningCredentials = algorithm is null
                ? new(key ?? Key, SecurityAlgorithms.RsaSha256)
                : new(new SymmetricSecurityKey(_key.ExportSubjectPublicKeyInfo()), algorithm),
        });

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
    }

    private object PublicKey
    {
        get
        {
            var key = _key.ExportParameters(includePrivateParameters: false);
            var (n, e) = (Base64UrlEncoder.Encode(key.Modulus), Base64UrlEncoder.Encode(key.Exponent));
            return new { kty = "RSA", use = "sig", kid = "one", n, e };
        }
    }
}
