using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Chatterbox.Silo.Gateway.Http;
using Chatterbox.Silo.Settings;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Chatterbox.Silo.Gateway.Access;

/// <param name="ExpiresAt">When the token expires.</param>
internal sealed record TokenUser(string Id, bool IsOperator, DateTimeOffset ExpiresAt);

/// <summary>Which tokens of users are accepted: the same for browsers and for Orleans clients.</summary>
internal sealed class UserTokens(AuthOptions auth, IOptionsMonitor<JwtBearerOptions> schemes, TimeProvider clock)
{
    /// <summary>How far the clocks of an issuer and of this machine may differ.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(5);

    private const string RolesClaim = "roles";
    private const int RememberedTokens = 10_000;

    private readonly ConcurrentDictionary<string, TokenUser> _remembered = new(StringComparer.Ordinal);

    /// <summary>Adds the schemes by which ASP.NET and <see cref="ValidateAsync"/> accept tokens.</summary>
    public static void AddSchemes(IServiceCollection services, SiloSettings settings)
    {
        var auth = settings.Auth;
        var authorities = auth.Authorities;
        var builder = services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme);
        if (authorities.Count == 0)
        {
            var key = new SymmetricSecurityKey(KeyOf(settings));
            builder.AddJwtBearer(options => Configure(options, auth, tokens =>
                (tokens.IssuerSigningKey, tokens.ValidateIssuer, tokens.ValidAlgorithms) =
                    (key, false, [SecurityAlgorithms.HmacSha256])));
            return;
        }
        builder.AddPolicyScheme(JwtBearerDefaults.AuthenticationScheme, null, options =>
            options.ForwardDefaultSelector = context => SchemeOf(auth, TokenOf(context.Request)));
        foreach (var authority in authorities)
        {
            builder.AddJwtBearer(authority, options =>
            {
                options.Authority = authority;
                options.RequireHttpsMetadata = authority.StartsWith("https:", StringComparison.Ordinal);
                Configure(options, auth, _ => { });
            });
        }
    }

    /// <summary>The user of a token; null when it is not accepted.</summary>
    public async ValueTask<TokenUser?> ValidateAsync(string token)
    {
        if (_remembered.TryGetValue(token, out var known))
        {
            if (known.ExpiresAt > clock.GetUtcNow()) return known;
            _remembered.TryRemove(token, out _);
            return null;
        }
        var scheme = auth.Authorities.Count == 0 ? JwtBearerDefaults.AuthenticationScheme : SchemeOf(auth, token);
        var options = schemes.Get(scheme);
        var parameters = options.TokenValidationParameters.Clone();
        parameters.ConfigurationManager = options.ConfigurationManager as BaseConfigurationManager;
        var result = await new JsonWebTokenHandler { MapInboundClaims = false }.ValidateTokenAsync(token, parameters);
        if (!result.IsValid || UserOf(result.ClaimsIdentity, auth) is not { } user) return null;

        var found = new TokenUser(user, IsOperator(result.ClaimsIdentity, auth), result.SecurityToken.ValidTo);
        if (_remembered.Count >= RememberedTokens) _remembered.Clear();
        _remembered[token] = found;
        return found;
    }

    private static void Configure(JwtBearerOptions options, AuthOptions auth, Action<TokenValidationParameters> configure)
    {
        options.MapInboundClaims = false;
        var tokens = options.TokenValidationParameters;
        (tokens.ClockSkew, tokens.NameClaimType, tokens.RoleClaimType) = (ClockSkew, UserMapping.Claim, RolesClaim);
        (tokens.ValidAudience, tokens.ValidateAudience) = (auth.Audience, auth.Audience.Length > 0);
        configure(tokens);
        options.Events = new()
        {
            OnMessageReceived = context =>
            {
                context.Token = TokenOf(context.Request);
                return Task.CompletedTask;
            },
            OnChallenge = context =>
            {
                if (!DashboardPage.IsPage(context.HttpContext)) return Task.CompletedTask;
                context.HandleResponse();
                DashboardPage.ToSignIn(context.HttpContext);
                return Task.CompletedTask;
            },
            OnTokenValidated = context =>
            {
                var identity = (ClaimsIdentity)context.Principal!.Identity!;
                if (UserOf(identity, auth) is { } user) identity.AddClaim(new(UserMapping.Claim, user));
                else context.Fail("The token has no 'sub' that can be a user id.");
                return Task.CompletedTask;
            },
        };
    }

    /// <summary>
    /// A browser's WebSocket has no header of its own: the token comes as a subprotocol, or in the address, which browsers and
    /// proxies write to their logs.
    /// </summary>
    private static string? TokenOf(HttpRequest request)
    {
        const string prefix = "Bearer ";
        var header = request.Headers.Authorization.ToString();
        if (header.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) return header[prefix.Length..].Trim();
        if (request.Path != GatewayExtensions.HubPath) return DashboardPage.TokenOf(request);
        return request.HttpContext.WebSockets.WebSocketRequestedProtocols
            .FirstOrDefault(each => each.StartsWith(Subprotocol.TokenPrefix, StringComparison.Ordinal))
            ?[Subprotocol.TokenPrefix.Length..] ?? request.Query["access_token"];
    }

    private static byte[] KeyOf(SiloSettings settings) =>
        settings.Auth.SigningKey.Length > 0 ? Encoding.UTF8.GetBytes(settings.Auth.SigningKey)
        : settings.Auth.IsConfigured ? RandomNumberGenerator.GetBytes(AuthOptions.KeyBytes)
        : Encoding.UTF8.GetBytes(DevTokens.KeyBeside(settings.Database));

    // Not validated yet: it only says which issuer's keys have to fit.
    private static string SchemeOf(AuthOptions auth, string? token)
    {
        var handler = new JsonWebTokenHandler();
        var issuer = handler.CanReadToken(token) ? ReadIssuer(handler, token) : null;
        return auth.Authorities.FirstOrDefault(authority => authority.TrimEnd('/') == issuer?.TrimEnd('/'))
            ?? auth.Authorities[0];
    }

    private static string? ReadIssuer(JsonWebTokenHandler handler, string? token)
    {
        try
        {
            return handler.ReadJsonWebToken(token).Issuer;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static string? UserOf(ClaimsIdentity identity, AuthOptions auth) => UserMapping.UserOf(
        identity.FindFirst("sub")?.Value, auth.Authorities.Count > 1 ? identity.FindFirst("iss")?.Value : null);

    private static bool IsOperator(ClaimsIdentity identity, AuthOptions auth) => identity.HasClaim(RolesClaim, auth.OperatorRole);
}
