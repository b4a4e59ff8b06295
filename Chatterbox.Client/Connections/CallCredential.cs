namespace Chatterbox.Client.Connections;

/// <summary>Each call says who makes it.</summary>
internal sealed class CallCredential(ChatterboxClientOptions options) : IOutgoingGrainCallFilter
{
    private readonly string? _service = options.ServiceKey is { } key ? Credential.Service + key : null;

    public Task Invoke(IOutgoingGrainCallContext context)
    {
        RequestContext.Set(Credential.Key, _service ?? Credential.User + options.UserToken!());
        return context.Invoke();
    }
}
