using Chatterbox.Silo.Gateway.Access;

namespace Chatterbox.Silo.Gateway.Http;

/// <summary>Requests count against the caller's <see cref="UserCalls"/>.</summary>
internal sealed class CallLimit(UserCalls calls) : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (calls.Take(context.HttpContext.User.UserId()!) is not { } limited) return next(context);
        context.HttpContext.Response.Headers.RetryAfter = "1";
        return new(Problems.Of(limited, StatusCodes.Status429TooManyRequests, "Too many requests"));
    }
}
