using Chatterbox.Silo.Gateway.Access;
using Microsoft.AspNetCore.Mvc;
using Orleans.Dashboard;

namespace Chatterbox.Silo.Gateway.Http;

/// <summary>
/// Orleans' dashboard, for operators. Its page loads scripts and data without headers, so that the token has to come in a cookie:
/// <c>/dashboard/sign-in</c> takes the token and sets it. The cookie is of no use anywhere else.
/// </summary>
internal static class DashboardPage
{
    public const string Prefix = "/dashboard";

    /// <summary>The page itself has styles in its elements.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; object-src 'none'; "
        + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    private const string Cookie = "chatterbox-operator";
    private const string SignInPath = Prefix + "/sign-in";

    /// <summary>Browsers drop a cookie above 4,096 bytes.</summary>
    private const int LongestToken = 4000;

    private const string Form = $"""
        <!doctype html><html lang="en"><meta charset="utf-8"><title>Chatterbox: sign in</title>
        <h1>Operators</h1>
        <form method="post" action="{SignInPath}">
        <p><label for="token">A token with the operator role</label>
        <p><textarea id="token" name="token" rows="6" cols="80" required autocomplete="off"></textarea>
        <p><button>Sign in</button>
        </form></html>
        """;

    public static void Map(IEndpointRouteBuilder endpoints, string operators)
    {
        endpoints.MapGet(SignInPath, () => Results.Content(Form, "text/html; charset=utf-8"))
            .AllowAnonymous().ExcludeFromDescription();
        endpoints.MapPost(SignInPath, SignInAsync).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
        endpoints.MapOrleansDashboard(Prefix).RequireAuthorization(operators).ExcludeFromDescription()
            .AddEndpointFilter(PolicyAsync).AddEndpointFilter<DashboardAudit>();
    }

    /// <summary>The token in the cookie, for the dashboard only.</summary>
    public static string? TokenOf(HttpRequest request) =>
        request.Path.StartsWithSegments(Prefix) ? request.Cookies[Cookie] : null;

    /// <summary>Sends a browser that has no token to the form.</summary>
    public static bool IsPage(HttpContext context) =>
        context.Request.Path.Value is Prefix or Prefix + "/" or Prefix + "/index.html"
        && HttpMethods.IsGet(context.Request.Method);

    public static void ToSignIn(HttpContext context) => context.Response.Redirect(SignInPath);

    private static async Task<IResult> SignInAsync([FromForm] string token, HttpContext http, UserTokens tokens, OperatorLog log)
    {
        token = token.Trim();
        if (token.Length > LongestToken)
            return Problems.Of(new Rejection("token", $"of {token.Length}", $"at most {LongestToken} characters"));
        if (await tokens.ValidateAsync(token) is not { IsOperator: true } user)
            return Problems.Of(new Rejection("token", "another", "an operator's, and not expired"),
                StatusCodes.Status401Unauthorized, "Not signed in");
        http.Response.Cookies.Append(Cookie, token, new()
        {
            HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = http.Request.IsHttps, Path = Prefix,
            Expires = user.ExpiresAt,
        });
        log.Acted(user.Id, "signed in to", Prefix);
        return Results.Redirect(Prefix + "/");
    }

    private static ValueTask<object?> PolicyAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        context.HttpContext.Response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        return next(context);
    }

    /// <summary>Looking at a grain's state is an act; the page's reading of counters every second is not.</summary>
    private sealed class DashboardAudit(OperatorLog log) : IEndpointFilter
    {
        public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
        {
            var http = context.HttpContext;
            if (http.Request.Path.StartsWithSegments(Prefix + "/GrainState"))
                log.Acted(http.User.UserId() ?? "", "looked at the state of", http.Request.Query["grainId"].ToString());
            return next(context);
        }
    }
}
