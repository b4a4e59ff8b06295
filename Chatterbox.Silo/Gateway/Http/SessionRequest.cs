using Chatterbox.Silo.Gateway.Access;
using Microsoft.AspNetCore.Mvc;

namespace Chatterbox.Silo.Gateway.Http;

/// <summary>A request about a session: the token's user's, or, for an operator, the one that the path names.</summary>
internal readonly record struct SessionRequest(
    [FromRoute(Name = "store")] string Store, HttpContext Http, IGrainFactory Grains)
{
    public SessionId Id => IdOf(Http, Store);

    public IUserSessionGrain Session => Grains.GetGrain<IUserSessionGrain>(Id.Key);

    /// <summary>Refuses a path that can be no session's, before anything is asked of one.</summary>
    public static ValueTask<object?> CheckAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var stores = http.RequestServices.GetRequiredService<ServedStores>();
        return stores.Check(IdOf(http, http.GetRouteValue("store") as string ?? "")) is { } wrong
            ? new(Problems.Of(wrong, StatusCodes.Status404NotFound, "Not found"))
            : next(context);
    }

    private static SessionId IdOf(HttpContext http, string store) =>
        new(http.GetRouteValue("user") as string ?? http.User.UserId() ?? "", store);
}
