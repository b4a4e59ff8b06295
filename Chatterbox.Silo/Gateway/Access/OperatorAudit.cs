namespace Chatterbox.Silo.Gateway.Access;

/// <summary>Each act of an operator on another user's session is a record in the log.</summary>
internal sealed partial class OperatorAudit(ILogger<OperatorAudit> logger) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        LogActs(http.User.UserId() ?? "", http.Request.Method, http.Request.Path);
        return await next(context);
    }

    [LoggerMessage(LogLevel.Information, "Operator {Operator}: {Method} {Path}")]
    private partial void LogActs(string @operator, string method, string path);
}
