namespace Chatterbox.Silo.Gateway.Access;

/// <summary>What operators do, each act a record in the log, under this class's name.</summary>
internal sealed partial class OperatorLog(ILogger<OperatorLog> logger)
{
    private const int ShownLength = 300;

    /// <param name="target">From a request: shown on one line, and cut.</param>
    public void Acted(string @operator, string act, string target) => LogActed(@operator, act,
        string.Concat(target.Take(ShownLength).Select(character => char.IsControl(character) ? ' ' : character)));

    [LoggerMessage(LogLevel.Information, "Operator {Operator}: {Act} {Target}", EventName = "OperatorActed")]
    private partial void LogActed(string @operator, string act, string target);
}

/// <summary>Each act of an operator on another user's session is a record in the log.</summary>
internal sealed class OperatorAudit(OperatorLog log) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        log.Acted(http.User.UserId() ?? "", http.Request.Method, http.Request.Path);
        return await next(context);
    }
}
