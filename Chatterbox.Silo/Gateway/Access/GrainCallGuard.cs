using Chatterbox.Silo.Settings;

namespace Chatterbox.Silo.Gateway.Access;

/// <summary>The lock on the Orleans gateway: where authentication is configured, every call into a grain passes here.</summary>
internal sealed partial class GrainCallGuard(
    AuthOptions auth, SiloCredential silo, UserTokens tokens, UserCalls calls, CallsInProgress inProgress,
    OperatorLog operators, ILogger<GrainCallGuard> logger) : IIncomingGrainCallFilter
{
    private readonly string? _service = auth.ServiceKey.Length > 0 ? Credential.Service + auth.ServiceKey : null;

    public Task Invoke(IIncomingGrainCallContext context)
    {
        var credential = RequestContext.Get(Credential.Key) as string;
        if (silo.IsOf(credential) || GrainRules.IsTimer(context.Request)) return context.Invoke();
        var grain = context.Request.GetInterfaceType();
        var access = GrainRules.Of(grain);
        if (access is GrainAccess.Anybody) return context.Invoke();
        if (access is GrainAccess.Silos || !IsService(credential)) return InvokeForUserAsync(context, grain, access, credential);
        if (access is GrainAccess.Operator) LogAct("(service)", context);
        return inProgress.InvokeAsync(new(null, context.SourceId ?? default), context);
    }

    private async Task InvokeForUserAsync(
        IIncomingGrainCallContext context, Type grain, GrainAccess access, string? credential)
    {
        if (await FindUserAsync(context, grain, access, credential) is { } user)
        {
            if (calls.Take(user) is { } limited) throw new TooManyCallsException(limited);
            if (access is GrainAccess.Operator) LogAct(user, context);
            await inProgress.InvokeAsync(new(user, default), context);
            return;
        }
        LogDenied(context.InterfaceName, context.MethodName, Describe(credential));
        throw new AccessDeniedException(new("credential", Describe(credential), Needed(access)));
    }

    private void LogAct(string @operator, IIncomingGrainCallContext call) =>
        operators.Acted(@operator, "called", $"{call.InterfaceName}.{call.MethodName}");

    private bool IsService(string? credential) => _service is not null && credential is not null
        && SiloCredential.AreEqual(credential, _service);

    /// <summary>The user of the token, when it may make the call.</summary>
    private async ValueTask<string?> FindUserAsync(
        IIncomingGrainCallContext context, Type grain, GrainAccess access, string? credential)
    {
        if (credential?.StartsWith(Credential.User, StringComparison.Ordinal) is not true) return null;
        if (await tokens.ValidateAsync(credential[Credential.User.Length..]) is not { } user) return null;
        var isAllowed = access switch
        {
            GrainAccess.AnyClient => true,
            GrainAccess.Owner => GrainRules.OwnerOf(grain, context.TargetId) == user.Id,
            GrainAccess.Operator => user.IsOperator,
            _ => false,
        };
        return isAllowed ? user.Id : null;
    }

    private static string Needed(GrainAccess access) => access switch
    {
        GrainAccess.Silos => "a silo's: this is not for clients",
        GrainAccess.Owner => "the service key, or a token of the user it is about",
        GrainAccess.Operator => "the service key, or the token of an operator",
        _ => "the service key, or a user's token",
    };

    // Never the credential itself.
    private static string Describe(string? credential) => credential switch
    {
        null => "none",
        _ when credential.StartsWith(Credential.Service, StringComparison.Ordinal) => "a service key that is not this service's",
        _ when credential.StartsWith(Credential.User, StringComparison.Ordinal) => "a token that is not accepted here",
        _ => "a credential that is not accepted",
    };

    [LoggerMessage(LogLevel.Warning, "A call of {Interface}.{Method} from outside was denied; its credential: {Credential}")]
    private partial void LogDenied(string @interface, string method, string credential);
}
