using Chatterbox.Silo.Gateway.Access;
using Chatterbox.Silo.Gateway.Hub;
using Chatterbox.Silo.Settings;

namespace Chatterbox.Silo.Gateway;

/// <summary>Whether a WebSocket may be opened. CORS says nothing of them.</summary>
internal static class Handshake
{
    public static async Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        if (!context.Request.Path.StartsWithSegments(GatewayExtensions.HubPath))
        {
            await next(context);
            return;
        }
        var web = context.RequestServices.GetRequiredService<WebOptions>();
        if (!IsAllowed(context.Request, web))
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }
        var connections = context.RequestServices.GetRequiredService<GatewayConnections>();
        var user = context.User.UserId()!;
        if (!connections.TryEnter(user, web.ConnectionsPerUser))
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return;
        }
        try
        {
            // For as long as the socket is open.
            await next(context);
        }
        finally
        {
            connections.Leave(user);
        }
    }

    private static bool IsAllowed(HttpRequest request, WebOptions web) =>
        request.Headers.Origin.ToString() is not { Length: > 0 } origin
        || web.AllowedOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase)
        || (Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority == request.Host.Value);
}
