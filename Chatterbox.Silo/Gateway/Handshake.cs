using Chatterbox.Silo.Gateway.Access;
using Chatterbox.Silo.Gateway.Hub;
using Chatterbox.Silo.Settings;

namespace Chatterbox.Silo.Gateway;

/// <summary>Whether a WebSocket may be opened. CORS says nothing of them.</summary>
internal static class Handshake
{
    public static Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        if (!context.Request.Path.StartsWithSegments(GatewayExtensions.HubPath)) return next(context);
        var web = context.RequestServices.GetRequiredService<WebOptions>();
        if (!IsAllowed(context.Request, web))
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return Task.CompletedTask;
        }
        var connections = context.RequestServices.GetRequiredService<GatewayConnections>();
        if (context.User.UserId() is { } user && connections.CountOf(user) >= web.ConnectionsPerUser)
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return Task.CompletedTask;
        }
        return next(context);
    }

    private static bool IsAllowed(HttpRequest request, WebOptions web) =>
        request.Headers.Origin.ToString() is not { Length: > 0 } origin
        || web.AllowedOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase)
        || (Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority == request.Host.Value);
}
