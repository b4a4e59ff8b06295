namespace Chatterbox;

/// <summary>No session of this key can exist: the silo does not serve the user or the store.</summary>
[GenerateSerializer, Alias("chatterbox.SessionUnknownException")]
public sealed class SessionUnknownException(Rejection rejection) : Exception(rejection.Message)
{
    [Id(0)] public Rejection Rejection { get; } = rejection;
}
