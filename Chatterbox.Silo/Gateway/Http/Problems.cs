using System.Text.Json;
using Chatterbox.Client;
using Chatterbox.Client.Backup;
using Chatterbox.Silo.Gateway.Wire;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Chatterbox.Silo.Gateway.Http;

/// <summary>Errors as RFC 9457 has them: the field, its value and what is allowed.</summary>
internal sealed partial class Problems(ILogger<Problems> logger) : IEndpointFilter
{
    private const string MediaType = "application/problem+json";
    private const string RetrySeconds = "2";

    /// <summary>An input was refused.</summary>
    public static JsonHttpResult<Problem> Of(Rejection why) => Of(why, StatusCodes.Status422UnprocessableEntity, "Refused");

    public static JsonHttpResult<Problem> Of(Rejection why, int status, string title) =>
        Of(new Problem(title, status, why.Message, why.Field, why.Value, why.Allowed));

    public static JsonHttpResult<Problem> Of(QuotaExceeded quota) =>
        Of(quota.ToRejection(), StatusCodes.Status507InsufficientStorage, "No room");

    public static JsonHttpResult<Problem> NotFound(string detail) =>
        Of(new Problem("Not found", StatusCodes.Status404NotFound, detail));

    public static JsonHttpResult<Problem> Of(Problem problem) =>
        TypedResults.Json(problem, WireJson.Of<Problem>(), MediaType, problem.Status);

    /// <summary>Gives a body to answers that have none, such as those of a request without a token.</summary>
    public static async Task WriteAsync(HttpContext context)
    {
        var status = context.Response.StatusCode;
        var title = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status);
        await Of(new Problem(title, status)).ExecuteAsync(context);
    }

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (Exception failure) when (!context.HttpContext.RequestAborted.IsCancellationRequested)
        {
            if (context.HttpContext.Response.HasStarted) throw;
            return ResultOf(failure, context.HttpContext);
        }
    }

    /// <summary>The service is there, and cannot do it at present.</summary>
    public static bool IsUnavailable(Exception failure) =>
        failure is StorageUnavailableException or TimeoutException or OrleansException or IOException;

    public static string Explain(Exception failure) => failure switch
    {
        StorageUnavailableException or WriteOutcomeUnknownException or IOException => failure.Message,
        _ => "the session cannot be reached at present",
    };

    private JsonHttpResult<Problem> ResultOf(Exception failure, HttpContext http)
    {
        switch (failure)
        {
            case SessionUnknownException unknown:
                return Of(unknown.Rejection, StatusCodes.Status404NotFound, "Not found");
            case QuotaExceededException full:
                return Of(full.Quota);
            case ClipRefusedException refused:
                return Of(refused.Rejection);
            case SessionRefusedException refused:
                return Of(refused.Rejection, StatusCodes.Status409Conflict, "Refused");
            case BackupFormatException or JsonException:
                return Of(new Problem(
                    "Not a document that can be read", StatusCodes.Status422UnprocessableEntity, failure.Message));
            case BadHttpRequestException bad:
                return Of(new Problem("Bad request", bad.StatusCode, bad.Message));
        }
        if (!IsUnavailable(failure))
        {
            LogFailed(failure, http.Request.Method, http.GetEndpoint()?.DisplayName ?? "");
            return Of(new Problem("Failed", StatusCodes.Status500InternalServerError));
        }
        http.Response.Headers.RetryAfter = RetrySeconds;
        return Of(new Problem("Unavailable", StatusCodes.Status503ServiceUnavailable, Explain(failure)));
    }

    [LoggerMessage(LogLevel.Error, "{Method} of {Endpoint} failed")]
    private partial void LogFailed(Exception failure, string method, string endpoint);
}
