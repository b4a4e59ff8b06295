namespace Chatterbox.Client.Connections;

/// <summary>Adds the caller's credential to each call.</summary>
internal sealed class CallCredential(ChatterboxClientOptions options) : IOutgoingGrainCallFilter
{
    private readonly string? _service = options.ServiceKey is { } key ? Credential.Service + key : null;

    public Task Invoke(IOutgoingGrainCallContext context)
    {
        RequestContext.Set(Credential.Key, _service ?? Credential.User + options.UserToken!());
        return context.Invoke();
    }
}
